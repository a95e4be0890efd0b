"""The page that tells people who else can read what they write."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chatapp.database import read
from chatapp.views.access import private_page


@private_page
async def oversight(request: HttpRequest) -> HttpResponse:
    return await read(render, request, "oversight.html")
