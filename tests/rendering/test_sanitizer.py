from random import Random

import pyromark
import pytest

from chatapp.rendering import source
from chatapp.rendering.markdown import OPTIONS
from chatapp.rendering.sanitizer import CLEANER, sanitized
from tests.dom import Element, tree
from tests.rendering.corpus import PAYLOADS
from tests.rendering.documents import document


def assert_as_the_cleaner_has_it(text: str) -> None:
    html = pyromark.html(source.neutral(text), options=OPTIONS)

    assert outline(tree(sanitized(html))) == outline(tree(CLEANER.clean(html))), text


def outline(node: Element | str) -> object:
    if isinstance(node, str):
        return node
    return node.tag, node.attributes, [outline(child) for child in node.children]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_html_is_what_the_cleaner_leaves_of_it(payload: str) -> None:
    for text in (payload, f"before {payload}", f"- {payload}\n\n> {payload}"):
        assert_as_the_cleaner_has_it(text)


@pytest.mark.parametrize("seed", range(10))
def test_what_needs_no_cleaning_is_what_the_cleaner_leaves_alone(seed: int) -> None:
    random = Random(seed)

    for _ in range(200):
        assert_as_the_cleaner_has_it(document(random))


@pytest.mark.parametrize(
    "html",
    [
        "<p>a<b>",
        "<P>a</P>",
        "<p >a</p>",
        "<p/>",
        "<p><script>",
        "<a href=x>",
        "<p>&#60;",
        "a\0b",
        "<!--a",
        "</p",
    ],
)
def test_all_else_is_cleaned(html: str) -> None:
    assert sanitized(html) == CLEANER.clean(html)
