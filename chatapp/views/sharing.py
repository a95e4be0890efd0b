"""Links to conversations: made and ended by their owner, read by everyone who can sign in."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.library import sharing
from chatapp.models import conversation_for, shared_conversation_for, shared_path
from chatapp.page.transcript import article
from chatapp.views.access import HtmxRequest, private_form, private_page, user_of_request


@private_form
async def share(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Makes a link, `kind` “stands” or “grows”; htmx gets the conversation's links."""
    user = await user_of_request(request)
    grows = request.POST.get("kind") == "grows"
    try:
        made = await write(sharing.share, user, conversation_id, grows=grows)
    except InvalidInput as error:
        return await _answer(request, user, conversation_id, notice=str(error))
    return await _answer(request, user, conversation_id, made=made.pk)


@private_form
async def revoke(request: HtmxRequest, token: str) -> HttpResponse:
    user = await user_of_request(request)
    return await _answer(request, user, await write(sharing.revoke, user, token))


@private_page
async def links(request: HttpRequest) -> HttpResponse:
    """All links of the person's."""
    user = await user_of_request(request)
    return await read(_links, request, user, made=request.GET.get("made", ""))


@private_page
async def shared(request: HttpRequest, token: str) -> HttpResponse:
    """What a link shows to its readers."""
    return await read(_shared, request, await user_of_request(request), token)


@private_form
async def copy(request: HttpRequest, token: str) -> HttpResponse:
    user = await user_of_request(request)
    try:
        conversation = await write(sharing.copy, user, token)
    except InvalidInput as error:
        return await read(_shared, request, user, token, notice=str(error), status=422)
    return redirect("conversation", conversation.pk)


async def _answer(
    request: HtmxRequest, user: User, conversation_id: UUID, made: str = "", notice: str = ""
) -> HttpResponse:
    if request.htmx:
        return await read(_menu, request, user, conversation_id, made, notice)
    if notice:
        return await read(_links, request, user, notice=notice, status=422)
    return redirect(reverse("links") + (f"?made={made}" if made else ""))


def _menu(
    request: HttpRequest, user: User, conversation_id: UUID, made: str, notice: str
) -> HttpResponse:
    conversation = conversation_for(user, conversation_id)
    context = {"conversation": conversation, "made": made, "notice": notice}
    return render(request, "_links.html", context)


def _links(request: HttpRequest, user: User, status: int = 200, **extra: Any) -> HttpResponse:
    context = {"links": list(sharing.links_by(user)), **extra}
    return render(request, "links.html", context, status=status)


def _shared(
    request: HttpRequest, user: User, token: str, *, notice: str = "", status: int = 200
) -> HttpResponse:
    link = shared_conversation_for(user, token)
    path = shared_path(link)
    context = {
        "link": link,
        "conversation": link.conversation,
        "articles": [article(message, read_only=True) for message in path],
        "is_live": any(message.is_live for message in path),
        "is_own": link.conversation.owner_id == user.pk,
        "notice": notice,
    }
    response = render(request, "shared.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    # Nobody else learns the address. “no-referrer” would hide the origin from our own forms too.
    response.headers["Referrer-Policy"] = "same-origin"
    return response
