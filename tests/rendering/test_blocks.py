from random import Random

import pytest

from chatapp.rendering.blocks import Document
from chatapp.rendering.markdown import render
from tests.dom import tree
from tests.rendering.documents import cuts, document
from tests.rendering.page import Page


class Reader:
    """Someone who was given the whole once, and patches since."""

    def __init__(self, answer: Document) -> None:
        self._answer = answer
        self._cursor = answer.cursor()
        self.page = Page("m", answer.html())

    def look(self) -> None:
        patches, self._cursor = self._answer.patches(self._cursor)
        self.page.apply(patches)

    def sees(self, html: str) -> bool:
        return self.page.container.html == Page("m", html).container.html


def whole(text: str) -> Document:
    answer = Document("m")
    answer.append(text)
    answer.finish()
    return answer


def closed(answer: Document) -> str:
    """The text of the blocks that can change no more."""
    return next(e for e in tree(answer.html()).walk() if e.attributes.get("id") == "m-closed").text


@pytest.mark.parametrize("seed", range(20))
def test_a_text_cut_anywhere_ends_as_the_same_html(seed: int) -> None:
    random = Random(seed)
    for _ in range(150):
        text = document(random)
        answer = Document("m")

        for piece in cuts(random, text):
            answer.append(piece)
            if random.random() < 0.8:
                answer.cursor()
        answer.finish()

        assert answer.html() == whole(text).html(), text


@pytest.mark.parametrize("seed", range(10))
def test_patches_lead_every_reader_to_the_html_of_that_moment(seed: int) -> None:
    random = Random(seed)
    for _ in range(40):
        answer = Document("m")
        readers = [Reader(answer)]
        for piece in cuts(random, document(random)):
            answer.append(piece)
            if random.random() < 0.1:
                readers.append(Reader(answer))
            for reader in readers:
                if random.random() < 0.5:
                    reader.look()
                    assert reader.sees(answer.html())
        answer.finish()

        for reader in readers:
            reader.look()
            assert reader.sees(answer.html())


@pytest.mark.parametrize("seed", range(5))
def test_no_word_is_ever_lost(seed: int) -> None:
    random = Random(seed)
    words = iter(f"w{number}w" for number in range(10**6))
    starts = [
        "",
        "",
        "- ",
        "1. ",
        "> ",
        "# ",
        "    ",
        "<b>",
        "| a | ",
        "**",
        "`",
        "$$\n",
        "\\[",
        "$",
    ]
    for _ in range(150):
        wanted = []
        text = ""
        for _ in range(random.randint(1, 12)):
            word = next(words)
            wanted.append(word)
            text += random.choice(starts) + word + random.choice([" ", "\n", "\n\n", "\r\n"])

        shown = tree(whole(text).html()).text

        position = 0
        for word in wanted:
            position = "".join(shown.split()).find(word, position)
            assert position >= 0, (word, text, shown)


def test_random_tokens_in_a_fence_arrive_exactly() -> None:
    random = Random(1)
    parts = [
        *'{"a": 1}',
        "<",
        "&amp;",
        "&#13;",
        "\r",
        "\r\n",
        "\n",
        "\t",
        " ",
        "\x0c",
        "\x01",
        "\x7f",
    ]
    parts += [
        "null",
        "42",
        "</code>",
        "<hx-partial>",
        "\u2028",
        "\u0085",
        "\u202eabc",
        "é",
        "漢",
        "😀",
    ]
    parts += [
        "```",
        "$$",
        "\\",
        "\ufdd0",
        "\ufeff",
        "[x]: y",
        "    ",
        "# ",
        "\u200d",
        "\xa0",
        "word ",
    ]
    tokens = [random.choice(parts) for _ in range(100_000)]
    answer = Document("m")
    reader = Reader(answer)

    answer.append("~~~~~~\n")
    for position, token in enumerate(tokens):
        answer.append(token)
        if position % 7 == 0:
            reader.look()
    answer.finish()
    reader.look()

    code = next(element for element in reader.page.container.walk() if element.tag == "code")
    assert code.text == "".join(tokens)
    assert answer.text == "~~~~~~\n" + "".join(tokens)


def test_a_closed_block_is_sent_once() -> None:
    answer = Document("m")
    answer.append("first\n\nsecond")
    patches, cursor = answer.patches(Document("m").cursor())

    answer.append(" and more")
    later, _ = answer.patches(cursor)

    assert [(patch.target, patch.swap) for patch in patches] == [
        ("m-closed", "beforeend"),
        ("m-closed-0", "beforeend"),
        ("m-open", "innerHTML"),
    ]
    assert [(patch.target, patch.html) for patch in later] == [
        ("m-open", "<p>second and more</p>\n")
    ]


def test_a_reader_who_has_everything_gets_nothing() -> None:
    answer = whole("text")

    assert answer.patches(answer.cursor()) == ([], answer.cursor())


def test_a_long_fence_costs_the_same_at_its_end_as_at_its_start() -> None:
    answer = Document("m")
    answer.append("```python\n")
    _, cursor = answer.patches(answer.cursor())

    sizes = []
    for number in range(2_000):
        answer.append(f"x_{number % 10} = f(y)  # why\n")
        patches, cursor = answer.patches(cursor)
        sizes.append(sum(len(patch.html) for patch in patches))

    assert answer.open_size == 0
    assert max(sizes[1_000:]) <= max(sizes[:1_000]) + 10


def test_the_lines_of_a_fence_go_in_chunks_of_fifty() -> None:
    answer = whole("```\n" + "line\n" * 120 + "```\n")

    chunks = [e for e in tree(answer.html()).walk() if e.attributes.get("class") == "chunk"]

    assert [chunk.text.count("\n") for chunk in chunks] == [50, 50, 20]


def test_what_may_become_a_closing_fence_is_not_yet_shown() -> None:
    answer = Document("m")
    answer.append("```\ncode\n``")

    assert "``" not in tree(answer.html()).text

    answer.finish()
    assert tree(answer.html()).text.endswith("code\n``")


def test_a_line_too_long_to_be_highlighted_is_appended_not_replaced() -> None:
    answer = Document("m")
    answer.append("```json\n" + "1," * 5_000)
    _, cursor = answer.patches(answer.cursor())

    answer.append("2,\r")
    patches, _ = answer.patches(cursor)

    assert answer.open_size == 1
    assert patches[0].swap == "beforeend"
    answer.append("\n3\n```\n")
    answer.finish()
    assert answer.html() == whole("```json\n" + "1," * 5_000 + "2,\r\n3\n```\n").html()


@pytest.mark.parametrize(
    "open_text",
    [
        "heading or not\n",
        "- item\n\n",
        "1. one\n\n2",
        "> quote\n",
        "| a | b |\n",
        "    code\n\n",
        "- list\n\n-",
        "text\n```py",
        "text\r",
        "$$\na\n- b\n",
        "\\[\na\n=\n",
    ],
)
def test_what_may_still_change_is_open(open_text: str) -> None:
    answer = Document("m")
    answer.append("before\n\n")
    answer.append(open_text)

    assert closed(answer) == "before\n"


@pytest.mark.parametrize(
    "closed_text",
    ["# heading\n", "---\n", "text\n\n", "text\n===\n", "| a |\n|---|\n| b |\n\n", "- list\n\nN"],
)
def test_what_cannot_change_is_closed(closed_text: str) -> None:
    answer = Document("m")
    answer.append(closed_text)
    answer.cursor()

    assert answer.open_size <= 1


def test_a_definition_that_follows_its_use_changes_the_text_at_the_end() -> None:
    answer = Document("m")
    answer.append("see [this][1]\n\n[1]: https://example.org/x\n")
    page, cursor = Page("m", answer.html()), answer.cursor()
    assert "<a " not in answer.html()

    answer.finish()
    patches, _ = answer.patches(cursor)
    page.apply(patches)

    assert answer.changed_at_finish
    assert [patch.target for patch in patches] == ["m"]
    assert [e.attributes["href"] for e in page.container.walk() if e.tag == "a"] == [
        "https://example.org/x"
    ]


def test_a_definition_serves_the_blocks_after_it() -> None:
    answer = Document("m")
    answer.append("[1]: https://example.org/x\n\nfirst\n\nsee [this][1] and [THIS][ 1 ]")

    assert answer.html().count('href="https://example.org/x"') == 2
    answer.finish()
    assert not answer.changed_at_finish


def test_blocks_are_rendered_as_the_whole_would_be() -> None:
    text = "# a\n\nb *c*\n\n- d\n  e\n- f\n\n> g\n\n| h |\n|---|\n| i |\n\n1. j\n\n   k\n"

    blocks = whole(text).html()

    assert tree(render(text)).text.split() == " ".join(tree(blocks).texts()).split()
    assert [e.tag for e in tree(render(text)).walk() if e.tag != "div"] == [
        e.tag for e in tree(whole(text).html()).walk() if e.tag != "div"
    ]


def test_finishing_twice_is_finishing_once() -> None:
    answer = whole("- text\n\n[a]: https://example.org")
    html = answer.html()

    answer.finish()

    assert answer.html() == html


def test_an_empty_document_is_two_empty_elements() -> None:
    assert whole("").html() == '<div id="m-closed"></div><div id="m-open" class="block"></div>'


@pytest.mark.parametrize("marker", ["-", "   - ", "=", "1", "  2. ", "*", "+ ", "> -", "--"])
def test_the_beginning_of_a_line_changes_nothing_above_it(marker: str) -> None:
    answer = Document("m")
    answer.append("1. **Title**")
    before = answer.html()

    answer.append(f"\n{marker}")
    assert answer.html() == before

    answer.append("word")
    assert "word" in answer.html()
    assert "<h" not in answer.html()


def test_what_a_text_ends_with_is_shown_when_it_ends() -> None:
    answer = Document("m")
    answer.append("The answer is\n42")

    answer.finish()

    assert "42" in answer.html()


@pytest.mark.parametrize("seed", range(10))
def test_a_block_is_cut_at_the_same_place_however_its_text_comes(seed: int) -> None:
    random = Random(seed)
    for _ in range(50):
        text = document(random) + document(random)
        answer, once = Document("m", 40), Document("m", 40)
        reader = Reader(answer)

        for piece in cuts(random, text):
            answer.append(piece)
            if random.random() < 0.5:
                reader.look()
                assert reader.sees(answer.html())
        once.append(text)
        for each in (answer, once):
            each.finish()
        reader.look()

        assert answer.html() == once.html(), text
        assert reader.sees(answer.html())


def test_no_word_of_a_block_that_is_cut_is_lost_or_shown_twice() -> None:
    for start, end in [("", " "), ("- ", "\n"), ("1. ", "\n"), ("> ", "\n"), ("    ", "\n")]:
        text = "".join(f"{start}w{number}w{end}" for number in range(200))
        answer = Document("m", 100)

        answer.append(text)
        answer.cursor()

        assert answer.open_size < 100
        answer.finish()
        shown = "".join(tree(answer.html()).text.split()).replace("textCopy", "")
        assert shown == "".join(f"w{number}w" for number in range(200))


def test_a_list_is_cut_between_its_items() -> None:
    answer = Document("m", 60)

    answer.append("".join(f"{number}. one\n\n   two\n\n" for number in range(1, 9)))
    answer.finish()

    starts = [e.attributes.get("start", "1") for e in tree(answer.html()).walk() if e.tag == "ol"]
    assert starts == ["1", "4", "7"]


def test_code_in_an_item_goes_on_as_code_where_the_item_is_cut() -> None:
    answer = Document("m", 60)

    answer.append("- see\n\n  ```py\n" + "  x = 1\n\n" * 20 + "  ```\n\nafter *it*\n")
    answer.finish()

    codes = [e.text for e in tree(answer.html()).walk() if e.tag == "code"]
    assert codes == ["x = 1\n\n" * 20]
    assert "<em>it</em>" in answer.html()


def test_a_table_that_is_cut_has_its_heading_again() -> None:
    answer = Document("m", 60)

    answer.append("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20 + "\nafter\n")
    answer.finish()

    cells = [e.text for e in tree(answer.html()).walk() if e.tag in ("td", "th")]
    assert cells.count("a") == cells.count("b") > 1
    assert (cells.count("1"), cells.count("2")) == (20, 20)


def test_text_without_any_place_for_a_cut_is_cut_as_well() -> None:
    answer = Document("m", 60)

    answer.append("漢" * 200)
    answer.finish()

    assert "".join(tree(answer.html()).text.split()) == "漢" * 200
