import re
from html import unescape
from pathlib import Path

import pytest

from chatapp.rendering import code
from chatapp.rendering.code import MAX_LINE_CHARS, Highlighter, box, language_of

LANGUAGES = sorted(code.LANGUAGES)
SAMPLE = """/* comment
 over lines */ int x = 1; // rest
'''text''' \"\"\"doc
still\"\"\" `a ${b /* c */}` <!-- d
--> <a href="e">f</a> # g
key: [1, "two", true] -- h
#!/bin/sh
\tdef f(x): return {x: "\\"", y: '\\n'}
$x = <<<EOT\r
=begin\f
%{ ( [ < \x01 é 漢 😀
"""


def lines(language: str, source: str) -> list[str]:
    line = Highlighter(language).line
    return [line(text) for text in source.splitlines(keepends=True)]


def text_of(html: str) -> str:
    assert "\r" not in html
    return unescape(re.sub("<[^>]*>", "", html))


@pytest.mark.parametrize("language", [*LANGUAGES, "no such language", ""])
def test_the_text_of_the_html_is_the_code(language: str) -> None:
    assert text_of("".join(lines(language, SAMPLE))) == SAMPLE


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_html_stands_on_its_own(language: str) -> None:
    for html in lines(language, SAMPLE):
        assert re.fullmatch(r'(?:[^<>]|<span class="[a-z]">[^<>]+</span>)*', html)


@pytest.mark.parametrize(
    ("language", "source", "html"),
    [
        ("python", "def f():\n", '<span class="k">def</span> <span class="f">f</span>():\n'),
        ("py", '"""a\nb"""\n', '<span class="s">"""a</span>\n<span class="s">b"""</span>\n'),
        (
            "js",
            "/* a\nb */ 1\n",
            '<span class="c">/* a</span>\n<span class="c">b */</span> <span class="n">1</span>\n',
        ),
        ("c", "/* a */ /* b\n", '<span class="c">/* a */</span> <span class="c">/* b</span>\n'),
        (
            "rust",
            "/* /* */\n*/ 1",
            '<span class="c">/* /* */</span>\n<span class="c">*/</span> <span class="n">1</span>',
        ),
        (
            "html",
            "<!-- a\nb -->",
            '<span class="c">&lt;!-- a</span>\n<span class="c">b --&gt;</span>',
        ),
        ("json", '{"a": 1}', '{<span class="k">"a"</span>: <span class="n">1</span>}'),
        ("yml", 'a: "b"', '<span class="k">a</span>: <span class="s">"b"</span>'),
        ("php", "$a = 1;", '<span class="v">$a</span> = <span class="n">1</span>;'),
        ("diff", "+a\n-b\n", '<span class="i">+a</span>\n<span class="x">-b</span>\n'),
    ],
)
def test_state_is_carried_from_line_to_line(language: str, source: str, html: str) -> None:
    assert "".join(lines(language, source)) == html


def test_a_growing_line_is_shown_without_being_taken() -> None:
    highlighter = Highlighter("python")

    assert highlighter.peek('x = """') == highlighter.peek('x = """')
    assert highlighter.line("if 1\n") == Highlighter("python").line("if 1\n")


@pytest.mark.parametrize(
    "unit", ["a", "(", '"', "'", "\\", "/*", '"\\', "<a ", "{", "a.", "1_", " "]
)
def test_a_very_long_line_is_only_escaped(unit: str) -> None:
    line = unit * MAX_LINE_CHARS + "\n"

    assert Highlighter("python").line(line) == code.verbatim(line)


def test_brackets_without_end_do_not_pile_up() -> None:
    highlighter = Highlighter("js")

    html = "".join(highlighter.line("`${" * 20 + "\n") for _ in range(50))

    assert text_of(html) == ("`${" * 20 + "\n") * 50


@pytest.mark.parametrize(
    ("info", "language"),
    [("Python", "python"), ("c++ x", "c++"), ("js{1,2}", "js"), ('"><b', ""), ("", ""), ("é", "")],
)
def test_an_info_string_names_a_language(info: str, language: str) -> None:
    assert language_of(info) == language


def test_a_box_has_the_code_and_nothing_but_the_code_in_pre() -> None:
    source = Path(__file__).read_text()

    html = box("python", source)

    assert text_of(html[html.index("<pre>") : html.index("</pre>")]) == source


def test_code_of_very_many_lines_is_not_highlighted() -> None:
    assert "<span class" not in box("python", "x = 1\n" * 1_001).partition("<pre>")[2]
    assert "<span class" in box("python", "x = 1\n" * 1_000).partition("<pre>")[2]


def test_a_language_nobody_knows_is_named_but_not_highlighted() -> None:
    html = box("brainfog", "x < 1\n")

    assert '<span class="language">brainfog</span>' in html
    assert '<code class="language-brainfog">x &lt; 1\n</code>' in html
