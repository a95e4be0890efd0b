"""Which pages may open a socket."""

import pytest

from chatapp.serving.origins import is_allowed


def scope(origin: list[str], host: str = "testserver", scheme: str = "ws") -> dict[str, object]:
    headers = [(b"host", host.encode())] + [(b"origin", value.encode()) for value in origin]
    return {"headers": headers, "scheme": scheme}


@pytest.mark.parametrize(
    "origin",
    ["http://testserver", "http://TESTSERVER", "http://testserver:80", "https://chat.example:8443"],
)
def test_our_own_and_trusted_origins_may(origin: str, settings: object) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://chat.example:8443"]  # type: ignore[attr-defined]

    assert is_allowed(scope([origin]))


@pytest.mark.parametrize(
    "origin",
    [
        [],
        ["null"],
        [""],
        ["http://testserver", "http://testserver"],
        ["https://testserver"],
        ["http://testserver:8001"],
        ["http://sub.testserver"],
        ["http://testserver.evil.example"],
        ["http://eviltestserver"],
        ["http://testserver@evil.example"],
        ["http://user@testserver"],
        ["ftp://testserver"],
        ["http://testserver:99999"],
        ["file://"],
    ],
)
def test_any_other_origin_may_not(origin: list[str]) -> None:
    assert not is_allowed(scope(origin))


def test_a_host_that_is_not_ours_makes_no_origin_right() -> None:
    assert not is_allowed(scope(["http://evil.example"], host="evil.example"))


def test_the_scheme_counts_behind_https() -> None:
    assert is_allowed(scope(["https://testserver"], scheme="wss"))
    assert not is_allowed(scope(["http://testserver"], scheme="wss"))
