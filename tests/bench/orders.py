"""What a client wants of the loopback model, as the text of its message.

The text is all that reaches the model through every server, so the order stands in it.
"""

import re
from dataclasses import dataclass

_ORDER = re.compile(rb"stream=(\d+) tokens=(\d+) rate=(\d+) wait_ms=(\d+) kind=(\w+)")


@dataclass(frozen=True, slots=True)
class Order:
    """`tokens` at `rate` a second after `wait_ms`; a rate of 0 is as fast as they are taken."""

    stream: int
    tokens: int
    rate: int = 50
    wait_ms: int = 200
    kind: str = "mixed"

    def text(self) -> str:
        return (
            f"stream={self.stream} tokens={self.tokens} rate={self.rate} "
            f"wait_ms={self.wait_ms} kind={self.kind}"
        )


def order_in(body: bytes) -> Order | None:
    """The last order in a request's body: a conversation may hold earlier ones."""
    found = _ORDER.findall(body)
    if not found:
        return None
    stream, tokens, rate, wait_ms, kind = found[-1]
    return Order(int(stream), int(tokens), int(rate), int(wait_ms), kind.decode())
