"""What a conversation wishes for → what a request to a target carries of it.

Whatever is wished, and however old the wish is: nothing leaves that its target does not take.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from chatapp.upstream.contract import Adapter, Prompt, Target

# Lowest and highest that make sense anywhere; a top_p of 0 does not, but can be a limit.
RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "max_tokens": (1, 1_000_000),
}
EFFORT = re.compile("[A-Za-z0-9_-]{1,20}")
MOST_STOPS = 4
MOST_STOP_CHARS = 100


def limits_of(target: Target) -> dict[str, tuple[float, float]]:
    """Lowest and highest of each number: the protocol's, drawn in by the option `limits`."""
    limits = dict(RANGES)
    if target.protocol == "anthropic":
        limits["temperature"] = (0, 1)
    for name, (lowest, highest) in target.options.get("limits", {}).items():
        limits[name] = (_within(lowest, limits[name]), _within(highest, limits[name]))
    return limits


def sendable(adapter: Adapter, wishes: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """Those of `wishes` that a request has a place for, each brought to the nearest allowed."""
    carried = adapter.carries(target)
    limits = limits_of(target)
    found: dict[str, Any] = {}
    for name, value in wishes.items():
        if name not in carried:
            continue
        if name in limits:
            allowed: Any = _number(value, limits[name], is_whole=name == "max_tokens")
        elif name == "stop":
            allowed = _stops(value)
        else:
            allowed = value if value in target.options.get("reasoning_efforts", ()) else None
        if allowed is not None:
            found[name] = allowed
    return found


def fitted(adapter: Adapter, prompt: Prompt, target: Target) -> Prompt:
    """The prompt with no parameters but the sendable ones."""
    return replace(prompt, parameters=sendable(adapter, prompt.parameters, target))


def _number(value: object, limits: tuple[float, float], *, is_whole: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    return _within(int(value) if is_whole else value, limits)


def _stops(value: object) -> list[str] | None:
    stops = value if isinstance(value, list) else []
    return [stop for stop in stops if isinstance(stop, str) and stop][:MOST_STOPS] or None


def _within(value: float, limits: tuple[float, float]) -> float:
    return max(limits[0], min(value, limits[1]))
