"""A number of tokens → an answer of that many, in Markdown, each with a marker of its own.

A marker is a word such as `w17e`: its letters keep it apart from its neighbours even where a
renderer leaves nothing between two table cells.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import count, islice

MARKER = re.compile(r"w(\d+)e")


@lru_cache(maxsize=32)
def answer(kind: str, tokens: int) -> tuple[str, ...]:
    """`kind` is "mixed" for varied Markdown or "code" for one block of code."""
    pieces = _mixed() if kind == "mixed" else _code()
    return tuple(islice(pieces, tokens))


def marker(number: int) -> str:
    return f"w{number}e"


def _mixed() -> Iterator[str]:
    words = map(marker, count())
    yield next(words)
    while True:
        yield from _paragraph(words)
        yield from _list(words, "- ")
        yield from _paragraph(words)
        yield from _fence(words)
        yield from _paragraph(words)
        yield from _table(words)
        yield from _list(words, "1. ")
        yield f"\n\n### {next(words)}"
        yield f" {next(words)}"


def _paragraph(words: Iterator[str]) -> Iterator[str]:
    yield f"\n\n{next(words)}"
    for place in range(1, 48):
        word = next(words)
        match place % 12:
            case 3:
                yield f" **{word}"
            case 5:
                yield f" {word}**"
            case 8:
                yield f" `{word}()`"
            case 11:
                yield f", {word}."
            case _:
                yield f" {word}"


def _list(words: Iterator[str], bullet: str) -> Iterator[str]:
    yield f"\n\n{bullet}{next(words)}"
    for place in range(1, 32):
        yield f"\n{bullet}**{next(words)}**:" if place % 8 == 0 else f" {next(words)}"


def _fence(words: Iterator[str]) -> Iterator[str]:
    yield f"\n\n```python\n# {next(words)}"
    for _ in range(8):
        yield from _code_line(words)
    yield f"\n```\n\n{next(words)}"


def _table(words: Iterator[str]) -> Iterator[str]:
    yield f"\n\n| {next(words)}"
    yield f" | {next(words)}"
    yield f" | {next(words)} |\n|---|--:|---|"
    for _ in range(5):
        yield f"\n| {next(words)}"
        yield f" | {next(words)}"
        yield f" | **{next(words)}** |"


def _code() -> Iterator[str]:
    words = map(marker, count())
    yield f"```python\n# {next(words)}"
    while True:
        yield from _code_line(words)


def _code_line(words: Iterator[str]) -> Iterator[str]:
    yield f"\n    {next(words)}"
    yield f" = {next(words)}"
    yield f'("{next(words)}'
    yield f'", {next(words)}'
    yield f", 42)  # {next(words)}"
