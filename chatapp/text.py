"""Text that people type → one line that can stand beside others."""

import re

# Controls, and marks of writing direction, which would turn the words around it.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """`text` with its white space as single spaces, and without what is not seen."""
    return " ".join(_UNSEEN.sub("", text).split())
