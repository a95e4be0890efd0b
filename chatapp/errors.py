"""What can go wrong: its kind, the sentence a person reads, whether trying again is sane.

ChatappError
├── InvalidInput        a person or a client sent something we cannot take
└── UpstreamError       the model endpoint failed; carries a Problem
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Why a reply failed or stopped early, independent of protocol and vendor."""

    BAD_REQUEST = "bad_request"
    AUTH = "auth"
    BILLING = "billing"
    NOT_FOUND = "not_found"
    TIMEOUT = "timeout"
    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    SERVER = "server"
    NETWORK = "network"
    CUT = "cut"
    PROTOCOL = "protocol"

    @property
    def headline(self) -> str:
        """A headline for people, without the upstream's own words; in English."""
        return _HEADLINES[self]

    @property
    def advice(self) -> str:
        """What the reader can do about it, one sentence; in English."""
        return _ADVICE[self]

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may well succeed a little later."""
        return self in _TEMPORARY


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure of an upstream call, as told to people, the terminal and the database.

    `message` is the upstream's own words where it said any: shortened, key removed, plain text;
    otherwise a sentence of ours, in the language in force when it happened.
    `http_status` is None for failures within a 200 or without a response.
    """

    kind: Kind
    message: str
    http_status: int | None = None
    retry_after_s: float | None = None
    request_id: str | None = None


class ChatappError(Exception):
    """What is raised for others to tell people. An exception that only the callers of its own
    module know, and always catch, stands beside what raises it."""


class InvalidInput(ChatappError):
    """What came in cannot be taken; `str()` is the sentence that says what was expected."""


class UpstreamError(ChatappError):
    """The endpoint could not be called or failed before its answer began."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _(sentence: str) -> str:
    """Marks it for translation, which is done by whoever shows it: rows keep the kind alone."""
    return sentence


_HEADLINES = {
    Kind.BAD_REQUEST: _("The endpoint refused the request"),
    Kind.AUTH: _("The endpoint did not accept the key"),
    Kind.BILLING: _("The endpoint's account has no credit"),
    Kind.NOT_FOUND: _("The endpoint or model was not found"),
    Kind.TIMEOUT: _("The endpoint took too long"),
    Kind.RATE_LIMIT: _("The endpoint's rate limit was reached"),
    Kind.OVERLOADED: _("The endpoint is overloaded or still starting"),
    Kind.SERVER: _("The endpoint failed"),
    Kind.NETWORK: _("The connection to the endpoint broke"),
    Kind.CUT: _("The answer ended early"),
    Kind.PROTOCOL: _("The endpoint's answer made no sense"),
}

_ADVICE = {
    Kind.BAD_REQUEST: _("Change the message, or ask the administrator to check the endpoint."),
    Kind.AUTH: _("Ask the administrator to check the endpoint's key."),
    Kind.BILLING: _("Ask the administrator to check the account behind this endpoint."),
    Kind.NOT_FOUND: _("Ask the administrator to check the endpoint's URL and model."),
    Kind.TIMEOUT: _("Try again; a cold model can take minutes to start."),
    Kind.RATE_LIMIT: _("Wait a little, then try again."),
    Kind.OVERLOADED: _("Wait a little, then try again; a cold model can take minutes to start."),
    Kind.SERVER: _("Try again; if it keeps failing, tell the administrator the request id."),
    Kind.NETWORK: _("Try again; if it keeps failing, ask the administrator to check the endpoint."),
    Kind.CUT: _("Try again; what had arrived is kept."),
    Kind.PROTOCOL: _("Ask the administrator to check the endpoint's URL and protocol."),
}

_TEMPORARY = frozenset(
    {Kind.TIMEOUT, Kind.RATE_LIMIT, Kind.OVERLOADED, Kind.SERVER, Kind.NETWORK, Kind.CUT}
)
