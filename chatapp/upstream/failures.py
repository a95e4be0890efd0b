"""What the connection to an endpoint did in → the problem that a person reads out."""

import httpx2
from django.utils.translation import gettext as _

from chatapp.errors import Kind, Problem
from chatapp.locales import counted
from chatapp.upstream.contract import Target
from chatapp.upstream.problems import clean
from chatapp.upstream.transport import (
    ConnectionRefused,
    ForbiddenAddress,
    InsecureConnection,
    NameNotFound,
)


def connection_problem(error: httpx2.RequestError, url: httpx2.URL, target: Target) -> Problem:
    """Why there was no answer at all."""
    host = host_of(url)
    match error:
        case NameNotFound():
            message = _("The name %(host)s could not be found.") % {"host": url.host}
            return Problem(Kind.NETWORK, message)
        case ConnectionRefused():
            message = _("The connection to %(host)s was refused.") % {"host": host}
            return Problem(Kind.NETWORK, message)
        case InsecureConnection():
            reason = clean(str(error), target.api_key)[:200]
            message = _("No secure connection to %(host)s could be made: %(reason)s")
            return Problem(Kind.PROTOCOL, message % {"host": host, "reason": reason})
        case ForbiddenAddress():
            return Problem(Kind.NOT_FOUND, str(error))
        case httpx2.ConnectTimeout():
            message = _("No connection to %(host)s within %(limit)s s.")
            limit = _told(target.connect_timeout_s)
            return Problem(Kind.TIMEOUT, message % {"host": host, "limit": limit})
        case httpx2.ConnectError():
            return Problem(Kind.NETWORK, _("%(host)s could not be reached.") % {"host": host})
        case httpx2.RemoteProtocolError():
            message = _("%(host)s closed the connection without an answer.") % {"host": host}
            return Problem(Kind.NETWORK, message)
    return break_problem(error, url)


def break_problem(error: httpx2.RequestError, url: httpx2.URL) -> Problem:
    """Why an answer stopped in the middle."""
    if isinstance(error, httpx2.DecodingError):
        message = _("What %(host)s sent could not be decompressed.") % {"host": host_of(url)}
        return Problem(Kind.PROTOCOL, message)
    return Problem(Kind.NETWORK, _("The connection to %(host)s broke.") % {"host": host_of(url)})


def no_answer(limit_s: float) -> Problem:
    """Nothing came before the limit for the first byte, or for the whole answer."""
    message = _("No answer within %(limit)s s.") % {"limit": _told(limit_s)}
    return Problem(Kind.TIMEOUT, message)


def silence(limit_s: float) -> Problem:
    """Something came, then nothing for too long."""
    message = _("Nothing came for %(limit)s s.") % {"limit": _told(limit_s)}
    return Problem(Kind.TIMEOUT, message)


def overrun(limit_s: float) -> Problem:
    """The answer went on for too long."""
    message = _("The answer took longer than %(limit)s s.") % {"limit": _told(limit_s)}
    return Problem(Kind.TIMEOUT, message)


def host_of(url: httpx2.URL) -> str:
    """Host and port as people know them from the URL."""
    return url.netloc.decode("ascii", "replace")


def _told(seconds: float) -> str:
    """`10.0` → “10”, `0.5` → “0.5”, or “0,5” in German."""
    return counted(int(seconds) if float(seconds).is_integer() else seconds)
