"""What the connection to an endpoint did in → the problem that a person reads out."""

import httpx2

from chatapp.errors import Kind, Problem
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
    match error:
        case NameNotFound():
            return Problem(Kind.NETWORK, f"The name {url.host} could not be found.")
        case ConnectionRefused():
            return Problem(Kind.NETWORK, f"The connection to {host_of(url)} was refused.")
        case InsecureConnection():
            reason = clean(str(error), target.api_key)[:200]
            message = f"No secure connection to {host_of(url)} could be made: {reason}"
            return Problem(Kind.PROTOCOL, message)
        case ForbiddenAddress():
            return Problem(Kind.NOT_FOUND, str(error))
        case httpx2.ConnectTimeout():
            limit = f"{target.connect_timeout_s:g} s"
            return Problem(Kind.TIMEOUT, f"No connection to {host_of(url)} within {limit}.")
        case httpx2.ConnectError():
            return Problem(Kind.NETWORK, f"{host_of(url)} could not be reached.")
        case httpx2.RemoteProtocolError():
            message = f"{host_of(url)} closed the connection without an answer."
            return Problem(Kind.NETWORK, message)
    return break_problem(error, url)


def break_problem(error: httpx2.RequestError, url: httpx2.URL) -> Problem:
    """Why an answer stopped in the middle."""
    if isinstance(error, httpx2.DecodingError):
        return Problem(Kind.PROTOCOL, f"What {host_of(url)} sent could not be decompressed.")
    return Problem(Kind.NETWORK, f"The connection to {host_of(url)} broke.")


def no_answer(limit_s: float) -> Problem:
    """Nothing came before the limit for the first byte, or for the whole answer."""
    return Problem(Kind.TIMEOUT, f"No answer within {limit_s:g} s.")


def silence(limit_s: float) -> Problem:
    """Something came, then nothing for too long."""
    return Problem(Kind.TIMEOUT, f"Nothing came for {limit_s:g} s.")


def overrun(limit_s: float) -> Problem:
    """The answer went on for too long."""
    return Problem(Kind.TIMEOUT, f"The answer took longer than {limit_s:g} s.")


def host_of(url: httpx2.URL) -> str:
    """Host and port as people know them from the URL."""
    return url.netloc.decode("ascii", "replace")
