"""Random Markdown, cut at random: everything that begins, ends or almost begins a block."""

from collections.abc import Iterator
from random import Random

LINES = [
    *(
        "# head",
        "## **h** `c`",
        "#",
        "#h",
        "===",
        "=",
        "---",
        "***",
        "-",
        "--",
        "*",
        "+",
        "1",
        "1.",
    ),
    *(
        "some words here",
        "*em* **strong** `code` ~~gone~~",
        "**open",
        "`open",
        "``",
        "_",
        "\\",
        "a\\",
    ),
    *("- item", "  - nested", "   - a", "* star", "+ plus", "1. one", "2) two", "10. ten", "- - b"),
    *("> quote", "> > deep", "> - in quote", ">", "> ```", ">```", "> $$", "- $$", "  $$", "- ```"),
    *("```python", "```", "````", "~~~", "~~~~ js", "``` x`", "  ```", "   ~~~", '```a b"c'),
    *("1. ```py", "   x = 1", "   ```", "    indented", "\ttab", "      deep", "  two", "     ~~~"),
    *(
        "$$",
        "$$ x = 1 $$",
        "\\[",
        "\\]",
        "= b",
        "- b",
        "+ c",
        "\\( a \\)",
        "x $a$ $5 or $6",
        "$7-$9",
    ),
    *("| a | b |", "|---|---|", "|:-|", "| 1 | 2 |", "a | b", "-|-", "- [x] done", "[ ] t"),
    *("<div>", "<!-- c", "-->", "<pre>", "</pre>", "<script>", "<b", "</", "<https://e.org>"),
    *("[x]: /url", '[y]: https://e.org "t"', "[z]:", '"title', "'t'", "[x] and [y][z]", "[^1]: f"),
    *(
        "![i](https://e.org)",
        "https://e.org/a_b_",
        "&amp; &lt;",
        "\u2028x",
        "é ü",
        "漢字",
        "😀",
        "\x0b",
    ),
    *("", "", "", "", "", "  ", "\t", "\u00a0", "\ufdd0"),
]
PREFIXES = ["", "", "", "", " ", "  ", "- ", "> "]
ENDS = [*["\n"] * 12, "\n\n", "\n\n", "\r\n", "\r", "\r\r\n", ""]


def document(random: Random) -> str:
    """A few lines of anything."""
    return "".join(
        random.choice(PREFIXES) + random.choice(LINES) + random.choice(ENDS)
        for _ in range(random.choice([2, 4, 8, 16]))
    )


def cuts(random: Random, text: str) -> Iterator[str]:
    """`text` in pieces of random sizes, often single characters."""
    longest = random.choice([1, 1, 3, 20])
    while text:
        size = random.randint(1, longest)
        yield text[:size]
        text = text[size:]
