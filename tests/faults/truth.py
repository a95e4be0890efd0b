"""An order → the answer that the model sends: its tokens, and the text that a page must show.

The text is hard on purpose: emoji, joined emoji, scripts from right to left, U+2028, things that
look like JSON or markup, in paragraphs and code. No token of it is Markdown that would change what
an earlier one looks like, so that the text of every state of a page is a beginning of the whole.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from tests.bench.orders import Order
from tests.dom import Page

KIND = "hard"

_PROSE = [" word", " the", ", then", "\nnext", " 日本語", " 🌊", " 🧑\u200d🚀", " e\u0301", " שלום"]
_PROSE += [" a<b", " <hx-partial>", " &", "\u2028x", ' {"a":1}', " 42", " true", "\u200d", "\ufeff"]
_CODE = [
    "word",
    " the",
    "\n",
    "\t",
    "    ",
    "</code></pre>",
    "<hx-partial>",
    "&amp;",
    "&",
    "\u2028",
]
_CODE += [
    "```",
    "**",
    "null",
    '{"target":"#tail"}',
    "日本語",
    "🧑\u200d🚀",
    "\x0b",
    "\x85",
    "مرحبا",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """`tokens` are what is sent; `shown[i]` is what a page shows of them up to the i-th."""

    tokens: tuple[str, ...]
    visible: str
    shown_to: tuple[int, ...]

    def text(self, tokens: int | None = None) -> str:
        """The Markdown of the first so many tokens."""
        return "".join(self.tokens[:tokens])

    def shown(self, tokens: int | None = None) -> str:
        """What a page shows of the first so many tokens, but for space at the end."""
        count = len(self.tokens) if tokens is None else tokens
        return self.visible[: self.shown_to[count - 1]] if count else ""

    def tokens_in(self, text: str) -> int | None:
        """How many tokens `text` consists of; None if it is not a beginning of the answer."""
        ends = list(accumulate(map(len, self.tokens), initial=0))
        whole = self.text()
        return ends.index(len(text)) if len(text) in ends and whole.startswith(text) else None


@lru_cache(maxsize=4096)
def answer_to(order: Order) -> Answer:
    choose = Random(order.stream)
    pieces = [(f"Answer{order.stream}", f"Answer{order.stream}")]
    while len(pieces) < order.tokens:
        pieces += [(token, token) for token in choose.choices(_PROSE, k=choose.randint(8, 30))]
        pieces.append(("\n\n~~~\n", ""))
        pieces += [(token, token) for token in choose.choices(_CODE, k=choose.randint(8, 30))]
        pieces += [("\n~~~\n", "\n"), ("\nAnd", "And")]
    tokens, shown = zip(*pieces[: order.tokens], strict=True)
    return Answer(tokens, "".join(shown), tuple(accumulate(map(len, shown))))


def shown_text(page: Page) -> str:
    """What the page shows of the last reply's paragraphs and code."""
    text = page.root.by_id(page.reply.attributes["id"].replace("message-", "text-") or "-")
    return "".join(e.text for e in text.walk() if e.tag in ("p", "code")) if text else ""
