"""The demo's endpoints show a newcomer what settings do."""

import pytest

from chatapp.demo.endpoints import NAMES, OPTIONS
from chatapp.upstream.options import check_options


@pytest.mark.parametrize("protocol", NAMES)
def test_their_options_are_such_as_an_administrator_could_give(protocol: str) -> None:
    check_options(protocol, OPTIONS[protocol])


def test_they_differ_in_what_they_allow() -> None:
    efforts = [tuple(options.get("reasoning_efforts", ())) for options in OPTIONS.values()]

    assert len(set(efforts)) > 2
    assert any("temperature" in options.get("limits", {}) for options in OPTIONS.values())
