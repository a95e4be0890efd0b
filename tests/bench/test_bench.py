"""The benchmark itself: it sees what was lost and doubled, and its own parts work together."""

from pathlib import Path

import pytest

from chatapp.transfer.collection import FORMATS
from tests.bench import exporting, servers
from tests.bench.answers import MARKER, answer
from tests.bench.figures import figures, read
from tests.bench.orders import Order, order_in
from tests.bench.page import Page
from tests.bench.sockets import Door, Recording
from tests.bench.swarm import round_of


def _partial(target: str, swap: str, html: str = "") -> str:
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'


@pytest.mark.parametrize("kind", ["mixed", "code"])
def test_every_token_carries_one_marker_of_its_own(kind: str) -> None:
    tokens = answer(kind, 500)

    assert [MARKER.findall(token) for token in tokens] == [[str(i)] for i in range(500)]


def test_the_last_order_of_a_conversation_counts() -> None:
    orders = [Order(1, 10), Order(2, 20, rate=0, kind="code")]

    body = " ".join(order.text() for order in orders).encode()

    assert order_in(body) == orders[1]


def test_every_kind_of_export_is_measured() -> None:
    assert set(exporting.KINDS) == set(FORMATS)


def test_a_page_keeps_what_later_frames_preserve() -> None:
    page = Page()
    page.apply(_partial("tail", "innerHTML", '<p id="m"><b id="t">one</b></p>'))
    page.apply(_partial("t", "beforeend", "<i>, two</i>"))

    page.apply(_partial("m", "outerHTML", '<p id="m"><b id="t" hx-preserve></b>!</p>'))

    assert page.text() == "one, two!"
    assert page.strays == 0


def test_a_part_for_an_element_that_comes_with_the_same_frame_is_a_stray() -> None:
    page = Page()

    page.apply(_partial("tail", "beforeend", '<p id="m"></p>') + _partial("m", "beforeend", "x"))

    assert page.strays == 1


def test_lost_and_doubled_tokens_are_seen() -> None:
    recording = Recording(stream=0)
    recording.frames = [
        (1.0, _partial("tail", "beforeend", "<code><b>w</b>0e</code>").encode()),
        (2.0, _partial("tail", "beforeend", "w2e w2e").encode()),
    ]

    reading = read(recording, tokens=3)

    assert reading.seen_at == {0: 1.0, 2: 2.0}
    assert (reading.lost, reading.doubled) == (1, 1)


async def test_the_clients_get_every_token_of_the_model(tmp_path: Path) -> None:
    orders = [Order(stream, tokens=20, rate=500, wait_ms=10) for stream in range(3)]

    with servers.model(tmp_path) as port:
        session = await round_of([Door(port)] * 3, orders, stagger_s=0.0, pid=None, model_port=port)

    measured = figures([session], idle=None)
    assert (measured.lost, measured.doubled, measured.failed) == (0, 0, 0)
    assert measured.latency_p50 is not None
