"""Pieces of HTML → frames for hx-ws, which consist of `<hx-partial>` elements and nothing else.

A bare text frame would be read as JSON first: a token such as `42` would vanish, and one that looks
like `{"content": …, "target": …}` would be swapped anywhere.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal

from chatapp.rendering.blocks import Patch

# htmx rewrites `<hx-…` before it parses, and takes a first <title> for the page's.
_ACTIVE = re.compile(
    r"<(?:hx-|/?template|script|title|head|body|html)\b|<[a-z][^<>]*\s(?:data-)?hx-[a-z:-]+=", re.I
)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one `<hx-partial>` does: `html`, which is our own, goes to the element `target`."""

    target: str
    swap: Literal["innerHTML", "innerMorph", "outerHTML", "beforeend", "delete"]
    html: str = ""

    def __str__(self) -> str:
        return (
            f'<hx-partial hx-target="#{self.target}" hx-swap="{self.swap}">{self.html}</hx-partial>'
        )


def fragment(patch: Patch) -> Fragment:
    """A patch of model text, after a last look at it."""
    return Fragment(patch.target, patch.swap, inert(patch.html))


def frames(fragments: Iterable[Fragment]) -> Iterator[str]:
    """The fragments in as few frames as can be, in order.

    htmx looks up all targets of a frame before it swaps any, so an element that a fragment
    brings along can be the target of the next frame only.
    """
    frame = ""
    for piece in fragments:
        if f' id="{piece.target}"' in frame:
            yield frame
            frame = ""
        frame += str(piece)
    if frame:
        yield frame


def inert(html: str) -> str:
    """`html` itself, which must hold no tag or attribute that htmx would act on.

    The sanitizer has seen to that; this is the last look. What it catches is shown as text.
    """
    return escape(html) if _ACTIVE.search(html) else html
