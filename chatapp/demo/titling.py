"""A wish for a title → a few of the question's own words, without what people say around them."""

import re

from chatapp.demo.commands import COMMANDS, read_orders

_MOST_WORDS = 6
_MOST_CHARS = 40
_WISH = re.compile(
    r"\A[^\n]*\btitle\b[^\n]*\n\nQuestion:\n(?P<question>.*?)\n\nAnswer:\n", re.DOTALL
)
_OPENING = re.compile(
    r"\A(?:(?:please|bitte|hello|hi|hey|can|could|would|will|you|i|we|want|like|to|tell|show|give|"
    r"write|explain|draw|make|me|us|what|which|is|are|the|an?|about)\b[\s,]*)+",
    re.IGNORECASE,
)
_COMMAND = re.compile(rf"(?<!\S)/(?:{'|'.join(COMMANDS)})\b")


def title_for(prompt: str) -> str | None:
    """The title, if `prompt` is one: a line about a title, then a question and its answer."""
    wish = _WISH.match(prompt)
    if wish is None:
        return None
    question = wish["question"]
    orders = read_orders(question)
    text = " ".join(f"{orders.words} {orders.echo or ''}".split())
    sentence = re.split(r"(?<=[.!?。？！])\s", text, maxsplit=1)[0].rstrip(".!?。？！,;: ")
    bare = _OPENING.sub("", sentence) or sentence
    words = " ".join(bare.split()[:_MOST_WORDS])[:_MOST_CHARS].strip()
    return words[:1].upper() + words[1:] or _of_commands(question)


def _of_commands(question: str) -> str:
    return f"Trying {' '.join(dict.fromkeys(_COMMAND.findall(question)))}".strip()
