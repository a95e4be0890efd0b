import pytest

from chatapp.rendering.markdown import render
from chatapp.rendering.math import MAX_FORMULA_CHARS, mathml
from tests.dom import tree
from tests.rendering.page import assert_harmless


def formulas(markdown: str) -> list[str]:
    return ["".join(e.text.split()) for e in tree(render(markdown)).walk() if e.tag == "math"]


@pytest.mark.parametrize(
    ("markdown", "texts"),
    [
        ("$x^2$ and $$y$$", ["x2", "y"]),
        (r"\(x\) and \[y\]", ["x", "y"]),
        (r"\( x \)", ["x"]),
        (r"complexity ($2^n$)", ["2n"]),
        ("$$\na\n=\n- b\n+ c\n$$", ["a=−b+c"]),
        ("\\[\na\n=\n- b\n\\]", ["a=−b"]),
        ("\\[\na \\\\[2pt]\n\\]", ["a"]),
        ("1. one\n\n   $$\n   a\n   - b\n   $$", ["a−b"]),
        ("$a < b$", ["a<b"]),
        (r"costs $5 and $10", []),
        ("$7-$9, **$5**-**$10**, US$ or $6 in US$", []),
        ("`$x$` and `\\(x\\)`", []),
        ("- ```\n  \\(x\\) $y$\n  ```", []),
        (r"\$x\$ and \\(x\\)", []),
        ("$$\na\n\nb\n$$", []),
        (r"\(open", []),
    ],
)
def test_formulas_are_found_and_prices_are_not(markdown: str, texts: list[str]) -> None:
    assert formulas(markdown) == texts


def test_a_price_is_shown_as_written() -> None:
    text = "costs $5 and $10, $7-$9 or $6 in US$"

    assert tree(render(text)).text == f"{text}\n"


def test_a_display_formula_has_a_box_that_scrolls() -> None:
    assert mathml("x", is_display=True).startswith(
        '<span class="math display"><math display="block"'
    )


@pytest.mark.parametrize("environment", ["aligned", "align", "gathered", "gather*", "dcases"])
def test_common_environments_have_rows(environment: str) -> None:
    latex = rf"\begin{{{environment}}} a &= b \\ c &= d \label{{x}} \end{{{environment}}}"

    rows = [e.text for e in tree(mathml(latex, is_display=True)).walk() if e.tag == "mtr"]

    assert rows == ["a=b", "c=d"]


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{a}",
        r"a^b^c",
        r"\left( x",
        "{" * 1_000 + "}" * 1_000,
        r"\sqrt" * 300,
        "x" * (MAX_FORMULA_CHARS + 1),
        r"\newcommand{\a}{xx}\a",
        r"\def\a{xx}\a",
        r"\unicode{110000000}",
        "",
    ],
)
def test_what_cannot_be_converted_is_shown_as_written(latex: str) -> None:
    html = mathml(latex, is_display=False)

    assert html == f'<code class="math">{latex}</code>' or html.endswith("</math></span>")
    assert_harmless(html)


def test_a_formula_cannot_be_drawn_over_the_page() -> None:
    html = mathml(r"\hspace{999em}\raise{500px}{x}\rule{99em}{99em}", is_display=False)

    assert "99" not in html
    assert "500" not in html


@pytest.mark.parametrize(
    "latex",
    [r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}", r"\class{hx-get}{x}"],
)
def test_what_latex_says_about_html_is_dropped(latex: str) -> None:
    assert mathml(latex, is_display=False) in (
        mathml("{{x}}", is_display=False),
        mathml("{x}", is_display=False),
    )


def test_text_in_a_formula_is_text() -> None:
    assert (
        tree(mathml(r"\text{<b> &amp; c}", is_display=False)).text.replace("\xa0", " ") == "<b> & c"
    )
