"""The link that `manage.py demo` prints → a signed-in visitor."""

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

SALT = "chatapp.demo"
LINK_AGE_S = 24 * 3600


def token_for(username: str) -> str:
    """A signed token that signs `username` in, for a day, on a server whose DEMO is on."""
    return signing.dumps(username, salt=SALT)


@require_GET
@never_cache
def enter(request: HttpRequest, token: str) -> HttpResponse:
    if not settings.DEMO:
        raise Http404
    try:
        username = signing.loads(token, salt=SALT, max_age=LINK_AGE_S)
    except signing.BadSignature:
        return redirect("login")
    user = get_user_model().objects.filter(username=username, is_active=True).first()
    if user is None or user.is_staff:
        return redirect("login")
    if request.user == user:
        return redirect("home")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")
