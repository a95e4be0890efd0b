"""The access log says what was asked for, and nothing private."""

import pytest

from chatapp.serving.access_log import log_access


def line(caplog: pytest.LogCaptureFixture, protocol: str, action: str, path: str) -> str:
    details = {"path": path, "method": "GET", "status": 200, "size": 5, "time_taken": 0.0123}
    with caplog.at_level("INFO", "chatapp.access"):
        log_access(protocol, action, details)
    return caplog.messages[-1] if caplog.messages else ""


def test_a_request_is_one_line_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    assert line(caplog, "http", "complete", "/c/1/?q=secret") == "GET /c/1/ 200 5 B 12 ms"


@pytest.mark.parametrize("start", ["/demo/", "/s/"])
def test_a_link_that_opens_a_door_is_cut(caplog: pytest.LogCaptureFixture, start: str) -> None:
    assert line(caplog, "http", "complete", f"{start}secret/") == f"GET {start}… 200 5 B 12 ms"


def test_a_socket_is_logged_as_it_opens_and_closes(caplog: pytest.LogCaptureFixture) -> None:
    assert line(caplog, "websocket", "connecting", "/ws/x/?after=1") == ""
    assert line(caplog, "websocket", "connected", "/ws/x/?after=1") == "WS /ws/x/ connected"


def test_a_line_stays_one_line(caplog: pytest.LogCaptureFixture) -> None:
    assert "\n" not in line(caplog, "http", "complete", "/a\nb")
