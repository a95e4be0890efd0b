"""One reply's life, as far as its row tells of it."""

import uuid

from chatapp.events import Usage
from chatapp.generation.calls import Call
from chatapp.generation.generation import Generation
from chatapp.limits.counters import Reservation
from chatapp.upstream.answer import MAX_TOKENS
from chatapp.upstream.contract import Prompt, Target


def test_a_continued_reply_counts_no_more_tokens_than_its_row_can_hold() -> None:
    generation = Generation(
        Call(
            uuid.uuid4(),
            uuid.uuid4(),
            Target("openai", "https://x.test"),
            Prompt(()),
            Reservation(1, 0, None),
            spent=Usage(7, MAX_TOKENS),
        )
    )

    generation._take([Usage(5, MAX_TOKENS)])

    fields = generation.snapshot().fields
    assert (fields["input_tokens"], fields["output_tokens"]) == (12, MAX_TOKENS)
