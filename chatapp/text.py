"""Text → one line of it that can stand beside others, a fence around it, its tokens by estimate."""

import re

# Controls, and marks of writing direction, which would turn the words around it.
_TURNING = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# What is not seen and yet does something: controls, marks of direction, characters of no width,
# fillers, tags, and the selectors of variants that can carry a hidden text. Joiners within a script
# that needs them, and in emoji, are a part of what is seen.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]"
)

_FENCE = re.compile("`{3,}")
_BYTES_A_TOKEN = 4


def one_line(text: str) -> str:
    """`text` with its white space as single spaces, and without what turns it."""
    return " ".join(_TURNING.sub("", text).split())


def spelled_out(text: str) -> str:
    """`text` with the number of each character that is not seen in its place."""
    return UNSEEN.sub(lambda found: number_of(found.group()), text)


def fence_around(text: str) -> str:
    """Markdown's mark before and after `text`: longer than any within."""
    return "`" * (max(map(len, _FENCE.findall(text)), default=2) + 1)


def tokens_in(text: str) -> int:
    """About how many tokens it is: one for four bytes of UTF-8, which are four letters of English
    or a little more than one character of Chinese. Rounded up, so that only no text is no token."""
    return -(-len(text.encode()) // _BYTES_A_TOKEN)


def number_of(char: str) -> str:
    """Its place in Unicode: “U+202E”."""
    return f"U+{ord(char):04X}"
