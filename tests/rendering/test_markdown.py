import pytest

from chatapp.rendering.markdown import plain, references_in, render
from tests.dom import tree


def hrefs(html: str) -> list[str | None]:
    return [element.attributes["href"] for element in tree(html).walk() if element.tag == "a"]


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>"),
        ("# a\n\nb\nc  \nd", "<h1>a</h1>\n<p>b\nc<br>\nd</p>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("- [ ] a\n- [x] b", "<ul>\n<li>☐\na</li>\n<li>☑\nb</li>\n</ul>"),
        ("> a\n\n---", "<blockquote>\n<p>a</p>\n</blockquote>\n<hr>"),
        ("a&nbsp;&copy; &lt;b&gt;", "<p>a&nbsp;© &lt;b&gt;</p>"),
        ("a[^1] {#id}\n\n[[wiki]]", "<p>a[^1] {#id}</p>\n<p>[[wiki]]</p>"),
    ],
)
def test_prose_becomes_html(markdown: str, html: str) -> None:
    assert render(markdown) == f"{html}\n"


def test_a_table_is_in_a_box_and_aligned_by_classes() -> None:
    assert render("| a | b |\n|:-|-:|\n| 1 | 2 |") == (
        '<div class="table"><table><thead><tr><th class="left">a</th><th class="right">b</th></tr>'
        '</thead><tbody>\n<tr><td class="left">1</td><td class="right">2</td></tr>\n'
        "</tbody></table></div>\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<div>",
        "<b>x</b>",
        "a <!-- b -->",
        "</p>",
        "<pre>\n\n<x y='z'>",
        "\\<i>",
        "1 < 2 > 0",
        "<a@b",
    ],
)
def test_raw_html_is_shown_as_text(text: str) -> None:
    shown = tree(render(text)).text

    assert shown.split() == text.replace("\\", "").split()


def test_raw_html_does_not_swallow_the_markdown_behind_it() -> None:
    assert "<h2>b</h2>" in render("<pre>\na\n\n## b")


def test_text_that_looks_like_our_own_markup_is_left_alone() -> None:
    text = 'style="text-align: left"> class="math math-inline" <input disabled="" type="checkbox"/>'

    assert text in tree(render(f"| a |\n|---|\n| {text} |")).text


def test_links_lead_out_and_tell_the_other_side_nothing() -> None:
    assert render("[a](https://example.org/b)") == (
        '<p><a href="https://example.org/b" target="_blank" rel="noopener noreferrer nofollow">'
        'a<small class="host"> example.org</small></a></p>\n'
    )


def test_code_within_a_list_gets_its_box() -> None:
    html = render("- a\n\n  ```python\n  x = 1\n  ```")

    assert '<pre><code class="language-python">x = <span class="n">1</span>\n</code></pre>' in html
    assert '<button type="button" class="copy" data-copy>Copy</button>' in html


@pytest.mark.parametrize("info", ['"><script>', "<b>", "é", "\\", "   "])
def test_an_odd_info_string_names_no_language(info: str) -> None:
    html = render(f"> ```{info}\n> x\n> ```")

    assert "<pre><code>x\n</code></pre>" in html
    assert '<span class="language">text</span>' in html


def test_references_are_found_by_their_label_however_written() -> None:
    references = references_in("[The  Label]: https://example.org 'Title'\n[the label]: /second")

    assert references == {"the label": ("https://example.org", "Title")}
    assert hrefs(render("[x][THE label], [the\nlabel]", references)) == ["https://example.org"] * 2


@pytest.mark.parametrize("marker", ["> ", ">", "- ", "1. ", "> - "])
def test_nesting_beyond_reason_is_shown_as_written(marker: str) -> None:
    assert render(marker * 60 + "x") == f"<p>{plain(marker * 60 + 'x')}</p>"
    assert "<p>" not in render("-" * 200) and "<hr>" in render("-" * 200)


def test_a_prompt_keeps_every_character() -> None:
    text = " <b>&amp;\r\n\t\"'\x0c\r\u2028 "

    assert tree(plain(text)).text == text
    assert "&#13;" in plain(text)


@pytest.mark.parametrize(
    "character", "\t\x01\x0b\x0c\x7f\x85\xa0\u200d\u2028\u202e\u2066\ufeff\U0001f600"
)
def test_unusual_characters_are_kept(character: str) -> None:
    assert character in tree(render(f"a{character}b")).text


def test_of_very_many_formulas_in_one_block_the_last_stay_as_written() -> None:
    html = render("".join(f"$x_{{{number}}}$ " for number in range(1_000)))

    assert html.index("<math") < html.index('<code class="math">')
    assert html.rindex("<math") < html.index('<code class="math">')
    assert '<code class="math">x_{999}</code>' in html
