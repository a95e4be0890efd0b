"""The lines behind an opening code fence → pieces of HTML that are appended as they come.

Lines go in chunks, so that a browser lays out the last one only, however long the code.

Source: CommonMark 0.31.2, section 4.5.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from chatapp.rendering.code import (
    COMPLETE_LINE,
    MAX_LINE_CHARS,
    Highlighter,
    box_head,
    box_tail,
    language_of,
    verbatim,
)

LINES_PER_CHUNK: Final = 50


@dataclass(slots=True)
class Piece:
    """Something appended to a document: `patch` into `target`, or as `html` to the whole so far.

    The two differ where elements stay open: a patch brings its closing tags, the whole has them
    in a later piece. `markdown` is the source of a piece of prose.
    """

    target: str
    patch: str
    html: str
    markdown: str = ""


class Fence:
    """An open code fence, whose box has the id `element_id` as the prefix of its parts' ids."""

    def __init__(self, element_id: str, opening_line: str) -> None:
        indent, mark, info = _OPENING.match(opening_line).groups()  # type: ignore[union-attr]
        self.partial_id = f"{element_id}-partial"
        self._id = element_id
        self._lines_id = f"{element_id}-lines"
        self._language = language_of(info)
        self._highlighter = Highlighter(self._language)
        self._indent = re.compile(f" {{0,{len(indent)}}}")
        self._closing = re.compile(rf" {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*[\r\n]*")
        self._closing_so_far = re.compile(rf" {{0,3}}{mark[0]}*[ \t]*\r?")
        self._lines = 0
        self._is_mid_line = False

    def head(self, target: str) -> Piece:
        """The box, still empty, to be appended to `target`."""
        head = f'<div class="block">{box_head(self._language, self._lines_id)}'
        return Piece(target, head + self.tail(), head)

    def read(self, text: str, *, is_finished: bool) -> tuple[list[Piece], str, bool]:
        """The pieces that the whole lines in `text` add, what is left, and whether it is closed.

        What is left is a line that still grows, or else what is behind the closing fence.
        """
        pieces: list[Piece] = []
        end = 0
        while line := COMPLETE_LINE.match(text, end):  # a search would look from each character
            end = line.end()
            if self._is_closed_by(line[0]):
                return [*pieces, self._end()], text[end:], True
            pieces += self._line(line[0])
        partial = text[end:]
        if is_finished:
            if partial and not self._is_closed_by(partial):
                pieces += self._line(partial)
            return [*pieces, self._end()], "", True
        end = self._certain_size(partial)
        if end:
            pieces += self._line(partial[:end], is_whole=False)
        return pieces, partial[end:], False

    def partial(self, text: str) -> str:
        """The HTML of a line that still grows; nothing while it may be the closing fence."""
        if self._closing_so_far.fullmatch(text):
            return ""
        return self._highlighter.peek(self._dedented(text))

    def tail(self, partial: str = "") -> str:
        """What is behind the pieces taken so far in the whole; `partial` is HTML."""
        chunk = "</span>" if self._lines else ""
        return f"{chunk}{box_tail(self.partial_id, partial)}</div>"

    def _end(self) -> Piece:
        return Piece("", "", self.tail())

    def _is_closed_by(self, line: str) -> bool:
        return not self._is_mid_line and self._closing.fullmatch(line) is not None

    def _certain_size(self, partial: str) -> int:
        """How much of a line that still grows can be taken: as it is too long to be highlighted."""
        if self._is_mid_line or len(self._dedented(partial)) > MAX_LINE_CHARS:
            return len(partial) - partial.endswith("\r")
        return 0

    def _line(self, text: str, *, is_whole: bool = True) -> Iterator[Piece]:
        """The pieces that a line adds, or, in the midst of one, what has come of it."""
        if self._is_mid_line:
            html = verbatim(text)
        else:
            yield from self._next_chunk()
            html = self._highlighter.line(self._dedented(text))
            self._lines += 1
        self._is_mid_line = not is_whole
        yield Piece(self._chunk_id(self._lines - 1), html, html)

    def _next_chunk(self) -> Iterator[Piece]:
        if self._lines % LINES_PER_CHUNK == 0:
            chunk = f'<span class="chunk" id="{self._chunk_id(self._lines)}">'
            before = "</span>" if self._lines else ""
            yield Piece(self._lines_id, f"{chunk}</span>", before + chunk)

    def _chunk_id(self, line: int) -> str:
        return f"{self._id}-{line // LINES_PER_CHUNK}"

    def _dedented(self, line: str) -> str:
        return self._indent.sub("", line, count=1)


_OPENING: Final = re.compile(r"( {0,3})(`{3,}|~{3,})[ \t]*([^\r\n]*)")
