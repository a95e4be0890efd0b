"""The library of prompts as plain pages and forms, and the list that `/` opens in the composer."""

from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from chatapp.composing import prompts
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.models import Prompt
from chatapp.views.access import private_form, private_page, user_of_request


@private_page
async def index(request: HttpRequest) -> HttpResponse:
    return await read(_index, request, await user_of_request(request))


@private_page
async def new(request: HttpRequest) -> HttpResponse:
    return await read(_page, request, Prompt(owner=await user_of_request(request)))


@private_page
async def show(request: HttpRequest, prompt_id: int) -> HttpResponse:
    """The form of a prompt, or its text for those who may only use it."""
    return await read(_show, request, await user_of_request(request), prompt_id)


@private_page
async def text(request: HttpRequest, prompt_id: int) -> HttpResponse:
    """What the composer puts in its box."""
    prompt = await read(_usable, await user_of_request(request), prompt_id)
    return HttpResponse(prompt.text, content_type="text/plain; charset=utf-8")


@private_page
async def matching(request: HttpRequest) -> HttpResponse:
    """The options for what was typed after the `/`, as a fragment."""
    return await read(_matching, request, await user_of_request(request))


@private_form
async def create(request: HttpRequest) -> HttpResponse:
    user = await user_of_request(request)
    try:
        await write(prompts.create, user, **_typed(request))
    except InvalidInput as error:
        return await read(_refused, request, Prompt(owner=user), str(error))
    return redirect("prompts")


@private_form
async def change(request: HttpRequest, prompt_id: int) -> HttpResponse:
    user = await user_of_request(request)
    try:
        await write(prompts.change, user, prompt_id, **_typed(request))
    except Prompt.DoesNotExist:
        raise Http404 from None
    except InvalidInput as error:
        return await read(_refused, request, Prompt(pk=prompt_id, owner=user), str(error))
    return redirect("prompts")


@private_form
async def delete(request: HttpRequest, prompt_id: int) -> HttpResponse:
    user = await user_of_request(request)
    try:
        await write(prompts.delete, user, prompt_id)
    except Prompt.DoesNotExist:
        raise Http404 from None
    return redirect("prompts")


def _typed(request: HttpRequest) -> dict[str, Any]:
    form = request.POST
    return {
        "name": form.get("name", ""),
        "text": form.get("text", ""),
        "is_shared": "is_shared" in form,
    }


def _index(request: HttpRequest, user: User) -> HttpResponse:
    usable = list(prompts.usable_by(user))
    context = {
        "own": [prompt for prompt in usable if prompt.owner_id == user.pk],
        "shared": [prompt for prompt in usable if prompt.owner_id != user.pk],
    }
    return render(request, "prompts.html", context)


def _show(request: HttpRequest, user: User, prompt_id: int) -> HttpResponse:
    prompt = _usable(user, prompt_id)
    is_open = prompts.changeable_by(user).filter(pk=prompt_id).exists()
    return _page(request, prompt, may_change=is_open)


def _matching(request: HttpRequest, user: User) -> HttpResponse:
    found = prompts.matching(user, request.GET.get("q", ""))
    return render(request, "_prompt_options.html", {"prompts": found, "user": user})


def _refused(request: HttpRequest, prompt: Prompt, notice: str) -> HttpResponse:
    """The form again with what was typed, and why it was not taken."""
    for name, value in _typed(request).items():
        setattr(prompt, name, value)
    return _page(request, prompt, notice=notice, status=422)


def _page(
    request: HttpRequest,
    prompt: Prompt,
    *,
    may_change: bool = True,
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"prompt": prompt, "may_change": may_change, "notice": notice}
    return render(request, "prompt.html", context, status=status)


def _usable(user: User, prompt_id: int) -> Prompt:
    try:
        return prompts.usable_by(user).get(pk=prompt_id)
    except Prompt.DoesNotExist:
        raise Http404 from None
