"""Markdown that is still arriving → the top-level blocks in it that no further text can change.

CommonMark is read line by line, and only the last block is open to what comes. So whole lines
decide: every block that another one follows is closed, and so are a heading, a rule, and a
paragraph or table with a blank line behind it.

Source: CommonMark 0.31.2, appendix "A parsing strategy", phase 1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyromark
from pyromark.event import Event

from chatapp.rendering import source
from chatapp.rendering.markdown import OPTIONS


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block. It ends at `end` and begins where the one before it ends.

    So it has in front of it blank lines and definitions, whose next line may belong to it only
    because of them. `start` is that of the first line which is its own.
    """

    kind: str
    start: int
    end: int


def decided(text: str, *, is_finished: bool) -> str:
    """The part of `text` that block structure can be read from: its whole lines.

    Of a line that still grows a letter at its beginning counts as well, because whatever comes,
    it is not a list item, a fence, an underline or blank.
    """
    # At the very end a carriage return may be half of a line ending.
    end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
    if is_finished:
        return text
    certain = _CERTAIN.match(text, end)
    return text[: certain.end() if certain else end]


def certain(text: str) -> str:
    """`text` without a last line that only begins: it may still be anything.

    Behind a line of text a dash underlines a heading, and a number is one more word of it, until
    the next letter makes either a list item. What was shown would jump.
    """
    end = text.rfind("\n")
    if not _MARKER.fullmatch(text, end + 1):
        return text
    above = text[: max(end, 0)]
    return text if above.rstrip(" \t\r")[-1:] in ("", "\n") else above


def closed_blocks(text: str, *, is_finished: bool) -> list[Block]:
    """The closed blocks of decided `text` in order, or those up to its first code fence.

    A fence ends the list, closed or not: its lines are the caller's to read.
    """
    blocks: list[Block] = []
    for block in _blocks(source.neutral(text)):
        blocks.append(block)
        if block.kind == FENCE:
            return blocks
    if blocks and not is_finished and not _has_ended(blocks[-1], len(text)):
        blocks.pop()
    return blocks


def cut(text: str) -> tuple[int, str]:
    """Where to end the one open block of `text`, and what its rest begins with once more.

    That is in front of the last item of a list, or of the code that is open in it; at the end of a
    line, before a word, or at the end of `text`. The rest of a table has its heading again.
    """
    neutral = source.neutral(text)
    kind, start, last_item = _last_block(neutral)
    line_end = neutral.rfind("\n") + 1
    word = _LAST_WORD.match(neutral)
    end = last_item or _open_code(neutral) or line_end or (word.end() if word else len(text))
    heading = _TABLE_HEADING.match(neutral, start) if kind == "Table" else None
    repeated = text[heading.start() : heading.end()] if heading else ""
    return end, repeated if 2 * len(repeated) < end else ""


FENCE: Final = "Fenced"

# A letter, also behind asterisks: those of a list item or a rule have a space or nothing behind.
_CERTAIN: Final = re.compile(r"\*{0,3}[^\W\d_]")

# Of an item, a rule or an underline, perhaps quoted.
_MARKER: Final = re.compile(r"[ \t>]*(?:-+|=+|[*+]|\d{1,9}[.)]?)[ \t]*")

_LAST_WORD: Final = re.compile(r".*[ \t](?=[^\W\d_])", re.DOTALL)
_TABLE_HEADING: Final = re.compile(r"[^\n]*\n[^\n]*\n")
_FENCE_LINE: Final = re.compile(
    r"^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)", re.MULTILINE
)


def _has_ended(last: Block, text_size: int) -> bool:
    if last.kind in ("Paragraph", "Table"):
        return last.end < text_size
    return last.kind in ("Heading", "Rule")


def _blocks(markdown: str) -> Iterator[Block]:
    """The top-level blocks as the parser sees them."""
    encoded = markdown.encode()
    depth = start = end = 0
    kind = ""
    for event, span in pyromark.events_with_range(markdown, options=OPTIONS):
        if isinstance(event, dict) and "End" in event:
            depth -= 1
        elif depth == 0:
            kind, start, end = _kind(event), span["start"], span["end"]
        elif depth == 1 and kind == "List":
            # The parser counts definitions behind a list to the list, but not to its last item.
            end = span["end"]
        depth += isinstance(event, dict) and "Start" in event
        if depth == 0:
            first = len(encoded[:start].decode())
            last = first + len(encoded[start:end].decode())
            yield Block(kind, markdown.rfind("\n", 0, first) + 1, last)


def _last_block(markdown: str) -> tuple[str, int, int]:
    """The kind of the last block, and where the lines begin on which it and its last item do; both
    are 0 if there is none."""
    kind, depth, start, item = "", 0, 0, 0
    for event, span in pyromark.events_with_range(markdown, options=OPTIONS):
        if depth == 0:
            kind, start, item = _kind(event), span["start"], 0
        elif depth == 1 and event == {"Start": "Item"}:
            item = span["start"]
        if isinstance(event, dict):
            depth += ("Start" in event) - ("End" in event)
    encoded = markdown.encode()
    first, last = (
        markdown.rfind("\n", 0, len(encoded[:place].decode())) + 1 for place in (start, item)
    )
    return kind, first, last


def _open_code(markdown: str) -> int:
    """Where the line begins that opens the code in which `markdown` ends; 0 if it ends in none."""
    opened: re.Match[str] | None = None
    for line in _FENCE_LINE.finditer(markdown):
        if opened is None:
            opened = line
        elif line["mark"].startswith(opened["mark"]) and not line["info"].strip():
            opened = None
    return opened.start() if opened else 0


def _kind(event: Event) -> str:
    match event:
        case {"Start": {"CodeBlock": {"Fenced": _}}}:
            return FENCE
        case {"Start": str(kind)}:
            return kind
        case {"Start": dict(tag)}:
            return str(next(iter(tag)))
    return str(event)
