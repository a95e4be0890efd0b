"""A growing text → HTML that grows with it, at the cost of its open block, never of the whole.

Closed blocks are rendered once and appended; the open block is rendered anew with each look at it.
Where it grows too long for that it is cut, and the rest is a block of its own. An open code fence
has nothing to render anew: whole lines are appended, and only the line that still grows is
replaced.

One `Document` serves any number of readers, each of which holds a `Cursor`: what it has got.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from chatapp.rendering import boundaries
from chatapp.rendering.code import COMPLETE_LINE
from chatapp.rendering.fences import Fence, Piece
from chatapp.rendering.markdown import references_in, render

BLOCKS_PER_SECTION: Final = 32

# Rendering so much takes some 30 ms, whatever it is; ordinary blocks are far shorter.
MAX_OPEN_CHARS: Final = 32_000

# Feeding a long text in bites keeps every parse short, and is the same as if it had arrived so.
BITE_CHARS: Final = 8_192


@dataclass(frozen=True, slots=True)
class Patch:
    """One change of a page: `html` goes into the element whose id is `target`."""

    target: str
    swap: Literal["beforeend", "innerHTML"]
    html: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a reader has: the pieces so far, and in one more element what is still open."""

    edition: int
    pieces: int
    open_target: str
    open_html: str


class Document:
    """Markdown that is appended to, shown in the element with the id `element_id`.

    In it are two: `…-closed`, whose blocks stay, and `…-open`, whose content is replaced. The text
    is well-formed Unicode without U+0000. A block is cut at `max_open_chars`.
    """

    def __init__(self, element_id: str, max_open_chars: int = MAX_OPEN_CHARS) -> None:
        self.element_id = element_id
        self.changed_at_finish = False
        self._max_open_chars = max_open_chars
        self._closed_id = f"{element_id}-closed"
        self._open_id = f"{element_id}-open"
        self._texts: list[str] = []
        self._arrived: list[str] = []
        self._open = ""
        self._scanned = 0
        self._fence: Fence | None = None
        self._fences = 0
        self._pieces: list[Piece] = []
        self._blocks = 0
        self._references: dict[str, tuple[str, str]] = {}
        self._cursor = Cursor(0, 0, self._open_id, "")
        self._is_moved = False

    @property
    def text(self) -> str:
        """All that was appended."""
        self._texts = ["".join(self._texts)]
        return self._texts[0]

    @property
    def open_size(self) -> int:
        """Characters that the next look has to read again, which is what it costs."""
        return len(self._open) + sum(map(len, self._arrived))

    def append(self, text: str) -> None:
        """More text. It is read when somebody looks, all at once."""
        self._texts.append(text)
        self._arrived.append(text)

    def finish(self) -> None:
        """No more text: what is open is closed."""
        for _ in self.finishing():
            pass

    def finishing(self) -> Iterator[None]:
        """What `finish` does, a block at a time.

        A definition may have come after the links that name it. If that changes a closed block,
        `changed_at_finish` is true from here on, and every reader's next patch is the whole.
        """
        self.read()
        self._settle(is_finished=True)
        self._is_moved = True
        yield
        has_changed = yield from self._resolving_references()
        self.changed_at_finish |= has_changed
        self._cursor = self._position(self._cursor.edition + has_changed)

    def read(self) -> None:
        """Takes what has arrived apart. Whoever looks does so first; it renders no open block."""
        if not self._arrived:
            return
        arrived, start = "".join(self._arrived), 0
        self._arrived.clear()
        while start < len(arrived):
            start += self._read_bite(arrived[start : start + BITE_CHARS])
        self._is_moved = True

    def html(self) -> str:
        """The content of the element `element_id` as it is now."""
        now = self.cursor()
        closed = "".join(piece.html for piece in self._pieces)
        tail, prose = (self._fence.tail(now.open_html), "") if self._fence else ("", now.open_html)
        end = "</div>" if self._blocks else ""
        return (
            f'<div id="{self._closed_id}">{closed}{tail}{end}</div>'
            f'<div id="{self._open_id}" class="block">{prose}</div>'
        )

    def cursor(self) -> Cursor:
        """The position of a reader who has just been given `html()`."""
        self.read()
        if self._is_moved:
            self._cursor = self._position(self._cursor.edition)
        return self._cursor

    def patches(self, cursor: Cursor) -> tuple[list[Patch], Cursor]:
        """What a reader at `cursor` lacks, to be applied in order, and where that brings him."""
        now = self.cursor()
        if cursor is now or cursor == now:
            return [], now
        if cursor.edition != now.edition:
            return [Patch(self.element_id, "innerHTML", self.html())], now
        missing = (piece for piece in self._pieces[cursor.pieces :] if piece.patch)
        patches = [
            Patch(target, "beforeend", "".join(piece.patch for piece in pieces))
            for target, pieces in groupby(missing, key=lambda piece: piece.target)
        ]
        shown = cursor.open_html
        if shown and (len(patches) > 1 or cursor.open_target != now.open_target):
            # Just before its text comes as a closed piece: what is appended may take several
            # frames, and none may show it twice or not at all.
            first = next((i for i, patch in enumerate(patches) if not _EMPTY.match(patch.html)), 0)
            patches.insert(first, Patch(cursor.open_target, "innerHTML", ""))
            shown = ""
        if shown != now.open_html:
            patches.append(Patch(now.open_target, "innerHTML", now.open_html))
        return patches, now

    def _read_bite(self, arrived: str) -> int:
        """How many characters it took: never more than the open block has room for, so that a block
        is cut at the same place however its text comes."""
        room = self._max_open_chars - (0 if self._fence else len(self._open))
        bite = arrived[: min(BITE_CHARS, room)]
        self._open += bite
        self._settle(is_finished=False)
        while not self._fence and len(self._open) >= self._max_open_chars:
            self._cut()
            self._settle(is_finished=False)
        return len(bite)

    def _cut(self) -> None:
        end, repeated = boundaries.cut(self._open)
        self._close(self._open[:end])
        self._open = repeated + self._open[end:]
        self._scanned = 0

    def _position(self, edition: int) -> Cursor:
        self._is_moved = False
        if self._fence:
            target, html = self._fence.partial_id, self._fence.partial(self._open)
        else:
            target, html = self._open_id, render(boundaries.certain(self._open), self._references)
        return Cursor(edition, len(self._pieces), target, html)

    def _settle(self, *, is_finished: bool) -> None:
        """Close what can be closed, changing between prose and code as often as the text does."""
        is_switched = True
        while is_switched:
            if self._fence:
                is_switched = self._read_code(self._fence, is_finished)
            else:
                is_switched = self._read_prose(is_finished)

    def _read_prose(self, is_finished: bool) -> bool:
        """Close the blocks that are complete; true if a code fence opens behind them."""
        if not is_finished and self._is_within_line():
            return False
        text = boundaries.decided(self._open, is_finished=is_finished)
        if not is_finished and len(text) == self._scanned:
            return False
        end = 0
        for block in boundaries.closed_blocks(text, is_finished=is_finished):
            if block.kind == boundaries.FENCE:
                self._learn(text[end : block.start])
                self._open_fence(block.start)
                return True
            self._close(text[end : block.end])
            end = block.end
        if is_finished:
            self._learn(text[end:])
            end = len(text)
        self._open = self._open[end:]
        self._scanned = len(text) - end
        return False

    def _is_within_line(self) -> bool:
        """Whether what came is more of a line that was looked at: it begins no block, and so
        closes none."""
        scanned, text = self._scanned, self._open
        if scanned == 0 or text[scanned - 1] in "\r\n":
            return False
        return text.find("\n", scanned) < 0 and text.find("\r", scanned) < 0

    def _close(self, markdown: str) -> None:
        self._learn(markdown)
        html = _block(render(markdown, self._references))
        self._pieces.append(Piece(self._section(), html, html, markdown))

    def _section(self) -> str:
        """The id of the section that the next block goes to, which is begun if need be.

        A browser watches each section, not each block, for coming into view.
        """
        section_id = f"{self._closed_id}-{self._blocks // BLOCKS_PER_SECTION}"
        if self._blocks % BLOCKS_PER_SECTION == 0:
            begin = f'<div class="section" id="{section_id}">'
            before = "</div>" if self._blocks else ""
            self._pieces.append(Piece(self._closed_id, f"{begin}</div>", before + begin))
        self._blocks += 1
        return section_id

    def _learn(self, markdown: str) -> None:
        """Keep the definitions in `markdown`; the first of a label counts."""
        for label, definition in references_in(markdown).items():
            self._references.setdefault(label, definition)

    def _open_fence(self, start: int) -> None:
        line = COMPLETE_LINE.match(self._open, start)
        end = line.end() if line else len(self._open)
        self._fence = Fence(f"{self.element_id}-code{self._fences}", self._open[start:end])
        self._fences += 1
        self._pieces.append(self._fence.head(self._section()))
        self._open = self._open[end:]
        self._scanned = 0

    def _read_code(self, fence: Fence, is_finished: bool) -> bool:
        """Append the lines that are complete; true if prose follows them."""
        pieces, self._open, is_closed = fence.read(self._open, is_finished=is_finished)
        self._pieces += pieces
        if is_closed:
            self._fence = None
        return is_closed

    def _resolving_references(self) -> Generator[None, None, bool]:
        """Render again the prose that may use definitions that followed it; true if it changed."""
        has_changed = False
        for piece in self._pieces if self._references else ():
            if "[" in piece.markdown:
                html = _block(render(piece.markdown, self._references))
                has_changed |= html != piece.html
                piece.html = piece.patch = html
                yield
        return has_changed


# A section or a chunk that is still to be filled.
_EMPTY: Final = re.compile(r'<(div|span) class="(section|chunk)" id="[^"]*"></\1>$')


def _block(html: str) -> str:
    return f'<div class="block">{html}</div>'
