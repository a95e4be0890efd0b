"""A form without its page's token, as after the session ended → why, and what was typed in it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

# Fields of forms that carry text, never a password or a key.
TYPED = {
    "title": _("Title"),
    "name": _("Name"),
    "text": _("Text"),
    "system_prompt": _("System prompt"),
    "temperature": _("Temperature"),
    "top_p": _("Top-p"),
    "max_tokens": _("Max tokens"),
    "stop": _("Stop sequences, one a line"),
    "reason": _("Say why"),
}


@never_cache
def refuse(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403. Only what a page of ours sent is shown again: Django asks where a form comes from before
    it asks for its token, and says so."""
    is_ours = reason.startswith("CSRF")
    is_sign_in = request.resolver_match is not None and request.resolver_match.url_name == "login"
    typed = (
        [(label, request.POST.get(name, "")) for name, label in TYPED.items()] if is_ours else []
    )
    context = {
        "is_signed_out": is_ours and not is_sign_in and not request.user.is_authenticated,
        "typed": [(label, text) for label, text in typed if text.strip()],
    }
    return render(request, "403_csrf.html", context, status=403)
