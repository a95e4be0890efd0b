"""A huge answer is read in steps, between which the event loop does other things."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from chatapp.events import ReasoningDelta, TextDelta
from chatapp.generation.log import Log
from chatapp.models import Status
from chatapp.page.transcript import LiveReply, element_id, finished_html
from chatapp.rendering.blocks import MAX_OPEN_CHARS


@dataclass
class Told:
    """What a finished reply has said."""

    log: Log = field(default_factory=Log)
    reply_id: UUID = field(default_factory=uuid4)
    status: Status = Status.COMPLETE
    is_saved: bool = True
    run: str = ""


def steps(reply: LiveReply) -> Iterator[int]:
    """How much each step leaves to be rendered anew."""
    reply.catch_up()
    while reply.is_behind:
        yield reply.open_size
        reply.catch_up()


@pytest.mark.parametrize(
    "text",
    [
        "<mailto:a@b> " * 50_000,
        "- a\n" * 100_000,
        "| a | b |\n|---|---|\n" + "| [x](https://example.org/) | y |\n" * 30_000,
        "see [this] " * 50_000 + "\n\n[this]: https://example.org/\n",
    ],
    ids=["addresses", "items", "rows", "definition last"],
)
def test_a_huge_block_is_read_in_steps_and_ends_as_the_saved_page_has_it(text: str) -> None:
    told = Told()
    told.log.append([ReasoningDelta("hm"), TextDelta(text[:9_000]), TextDelta(text[9_000:])])
    reply = LiveReply(told)

    sizes = list(steps(reply))

    assert len(sizes) > 1
    assert max(sizes) < MAX_OPEN_CHARS
    assert reply.documents["text"].text == text
    assert reply.documents["text"].html() == finished_html(
        element_id("text", told.reply_id), text, None
    )
    assert "hm" in reply.documents["reasoning"].html()


def test_a_reply_is_ended_in_steps_though_its_source_does_not_know_of_its_end() -> None:
    told = Told(status=Status.STREAMING)
    told.log.append([TextDelta("see [this]\n\n" * 20_000 + "[this]: https://example.org/\n")])
    reply = LiveReply(told)
    list(steps(reply))

    reply.is_over = True

    assert len(list(steps(reply))) > 1


def test_an_ordinary_answer_takes_one_step() -> None:
    told = Told()
    told.log.append([TextDelta("some *words* "), TextDelta(""), TextDelta("and more")])

    reply = LiveReply(told)

    assert list(steps(reply)) == []
    assert "<em>words</em> and more" in reply.documents["text"].html()
