"""The frames of one socket → the text of the page that htmx would make of them.

A page is a tree of the elements that have an id, because only those can be swapped; everything
else is text between them. The swaps are those of htmx 4: beforeend, innerHTML, innerMorph,
outerHTML, delete and `hx-preserve`.
"""

import re
from html import unescape

SKELETON = ("history", "tail", "key", "notice", "left", "buttons", "queue", "returned")
SKELETON += ("heading", "listing")

_PARTIAL = re.compile(
    r'<hx-partial hx-target="#([^"]+)" hx-swap="([^"]+)">(.*?)</hx-partial>', re.DOTALL
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)([^>]*)>")
_ID = re.compile(r'\bid="([^"]+)"')
_VOID = frozenset({"br", "col", "hr", "img", "input", "wbr"})


class Element:
    """An element with an id; `content` is its text and the elements within, in order."""

    def __init__(self, name: str, is_preserved: bool = False) -> None:
        self.name = name
        self.is_preserved = is_preserved
        self.content: list[str | Element] = []
        self.parent: Element | None = None

    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text() for c in self.content)


class Page:
    """`strays` counts the parts of frames that found no target, which must never happen."""

    def __init__(self) -> None:
        self.strays = 0
        self._body = Element("body")
        self._elements: dict[str, Element] = {}
        for name in SKELETON:
            self._put(self._body, len(self._body.content), [Element(name)])

    def apply(self, frame: str) -> None:
        parts = _PARTIAL.findall(frame)
        if not parts:
            parts = [("tail", "beforeend", frame)]
        # htmx looks up all targets of a frame before it swaps any.
        targets = [self._elements.get(target) for target, _, _ in parts]
        for element, (_, swap, html) in zip(targets, parts, strict=True):
            if element is None or element.parent is None:
                self.strays += 1
            else:
                self._swap(element, swap, parse(html))

    def text(self) -> str:
        """Everything that stands in the conversation's log."""
        return unescape(self._elements["history"].text() + self._elements["tail"].text())

    def _swap(self, element: Element, swap: str, fresh: list[str | Element]) -> None:
        match swap:
            case "beforeend":
                self._put(element, len(element.content), fresh)
            case "innerHTML" | "innerMorph":
                kept = self._kept(fresh)
                self._clear(element)
                self._put(element, 0, kept)
            case "outerHTML" | "delete":
                parent = element.parent
                assert parent is not None
                kept = self._kept(fresh) if swap == "outerHTML" else []
                at = next(i for i, child in enumerate(parent.content) if child is element)
                del parent.content[at]
                self._forget(element)
                self._put(parent, at, kept)
            case _:
                raise ValueError(f"unknown swap {swap!r}")

    def _kept(self, fresh: list[str | Element]) -> list[str | Element]:
        """`fresh` with the page's own elements in place of those that are to be preserved."""
        kept: list[str | Element] = []
        for piece in fresh:
            if isinstance(piece, Element):
                own = self._elements.get(piece.name) if piece.is_preserved else None
                if own is not None:
                    assert own.parent is not None
                    own.parent.content.remove(own)
                    piece = own
                else:
                    piece.content = self._kept(piece.content)
            kept.append(piece)
        return kept

    def _put(self, parent: Element, at: int, pieces: list[str | Element]) -> None:
        parent.content[at:at] = pieces
        for piece in pieces:
            if isinstance(piece, Element):
                piece.parent = parent
                self._elements[piece.name] = piece
                self._register(piece)

    def _register(self, element: Element) -> None:
        for child in element.content:
            if isinstance(child, Element):
                child.parent = element
                self._elements[child.name] = child
                self._register(child)

    def _clear(self, element: Element) -> None:
        for child in element.content:
            if isinstance(child, Element):
                self._forget(child)
        element.content = []

    def _forget(self, element: Element) -> None:
        self._clear(element)
        element.parent = None
        self._elements.pop(element.name, None)


def parse(html: str) -> list[str | Element]:
    """HTML → its text and its elements with an id."""
    top = Element("")
    open_elements: list[tuple[str, Element]] = [("", top)]
    at = 0
    for match in _TAG.finditer(html):
        current = open_elements[-1][1]
        if match.start() > at:
            current.content.append(html[at : match.start()])
        at = match.end()
        closes, tag, attributes = match.groups()
        if closes:
            _close(open_elements, tag)
        elif tag not in _VOID:
            open_elements.append((tag, _opened(current, attributes)))
        else:
            _opened(current, attributes)
    if at < len(html):
        open_elements[-1][1].content.append(html[at:])
    return top.content


def _opened(current: Element, attributes: str) -> Element:
    """The element that what follows belongs to."""
    found = _ID.search(attributes) if "id=" in attributes else None
    if found is None:
        return current
    element = Element(found[1], "hx-preserve" in attributes)
    current.content.append(element)
    return element


def _close(open_elements: list[tuple[str, Element]], tag: str) -> None:
    if open_elements[-1][0] != tag:
        raise ValueError(f"</{tag}> closes <{open_elements[-1][0]}>")
    open_elements.pop()
