"""Text → the pieces a language model would say it in; joined they are exactly the text."""

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,2}"  # CJK has no spaces to cut at
    r"| ?[^\W\d_]{1,7}(?![^\W\d_])"  # the rest of a word, with the space before it
    r"| ?[^\W\d_]{4}"  # the beginning of a longer one
    r"| ?\d{1,3}"
    r"| ?&#\d+;"  # a character reference in two pieces would flicker
    r"| ?[^\w\s]{1,3}\n{0,2}"  # tokenizers know the end of a sentence and its paragraph as one
    r"|\n+"
    r"| +(?= )"  # indentation, but for the space that belongs to the next word
    r"|.",
    re.DOTALL,
)


def tokens(text: str) -> Iterator[str]:
    """The pieces of `text` in order, found one at a time, so that a long text costs nothing yet."""
    return (match[0] for match in _PIECE.finditer(text))
