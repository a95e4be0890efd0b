"""Frames consist of partials alone, and no partial can do what only ours may do."""

import pytest

from chatapp.rendering.blocks import Patch
from chatapp.rendering.fragments import Fragment, fragment, frames, inert


def test_fragments_go_together_in_one_frame() -> None:
    found = list(frames([Fragment("a", "beforeend", "x"), Fragment("b", "delete")]))

    assert found == [
        '<hx-partial hx-target="#a" hx-swap="beforeend">x</hx-partial>'
        '<hx-partial hx-target="#b" hx-swap="delete"></hx-partial>'
    ]


def test_what_a_fragment_brings_along_is_a_target_of_the_next_frame() -> None:
    box = Fragment("tail", "beforeend", '<div id="box"></div>')
    line = Fragment("box", "beforeend", "line")

    assert list(frames([box, line])) == [str(box), str(line)]
    assert list(frames([])) == []


@pytest.mark.parametrize(
    "html",
    [
        '<hx-partial hx-target="#tail">x</hx-partial>',
        "<template hx>",
        "<title>x</title>",
        '<p hx-get="/x">',
        '<p class="a" data-hx-get="/x">',
        "<SCRIPT>",
    ],
)
def test_what_htmx_would_act_on_is_shown_as_text(html: str) -> None:
    assert "<" not in inert(html)
    assert "<p" not in fragment(Patch("a", "beforeend", html)).html


@pytest.mark.parametrize(
    "html",
    [
        "<p>an hx-get=attribute in text, &lt;hx-partial&gt;</p>",
        '<a href="https://htmx.org/attributes/hx-get/">hx-get</a>',
        "<thead><tr><th>x</th></tr></thead>",
    ],
)
def test_ordinary_html_passes_as_it_is(html: str) -> None:
    assert inert(html) == html
