"""Failpoints do nothing unless they are armed, and take only what they know."""

import time

import pytest

from chatapp.errors import InvalidInput
from chatapp.failpoints import POINTS, armed, reach


async def test_an_armed_point_holds_whoever_comes_by() -> None:
    with armed("rows.read", "sleep:0.05"):
        began = time.monotonic()
        await reach("rows.read")
        assert time.monotonic() - began >= 0.05
    began = time.monotonic()
    await reach("rows.read")
    assert time.monotonic() - began < 0.05


@pytest.mark.parametrize(
    ("name", "action"),
    [("nowhere", "kill"), ("rows.read", "explode"), ("rows.read", "sleep:explode")],
)
def test_a_slip_is_named(name: str, action: str) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere|explode"), armed(name, action):
        pass


def test_every_point_says_where_it_is() -> None:
    assert all(POINTS.values())
