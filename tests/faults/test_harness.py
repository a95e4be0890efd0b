"""What the scenarios stand on: readers that notice what is wrong, servers that can be hurt."""

import asyncio

from tests.bench.sockets import Door
from tests.faults.balancer import Balancer
from tests.faults.readers import Reader, new_order
from tests.faults.stage import stage
from tests.faults.truth import answer_to


def _page(text: str, status: str = "streaming") -> str:
    order = new_order(3)
    return (
        '<hx-partial hx-target="#tail" hx-swap="innerHTML"><article id="message-1" '
        f'data-role="user" data-status="complete"><div>{order.text()}</div></article><article '
        f'id="message-2" data-role="assistant" data-status="{status}"><div id="text-2"><p>'
        f"{text.format(order.stream)}</p></div></article></hx-partial>"
    )


def _reader() -> Reader:
    return Reader(Door(0))


async def test_a_reader_notices_text_that_was_not_sent() -> None:
    true, false = _reader(), _reader()

    true.take(0.0, _page("Answer{}"))
    false.take(0.0, _page("Answer{0}Answer{0}"))

    assert not true.wrong
    assert len(false.wrong) == 1


async def test_a_reader_survives_a_pause_a_cut_and_a_restart_behind_a_balancer() -> None:
    async with stage(1) as on, Balancer([on.server.port]) as balancer:
        reader = on.reader(0, balancer.port)
        order = new_order(40)
        await reader.open()
        reader.ask(order)
        await reader.until_text(order)

        on.server.pause()
        await asyncio.sleep(0.3)
        on.server.resume()
        balancer.cut()
        await reader.reopen()
        status = await reader.until_ended(order)

        on.server.terminate()
        await on.server.restart()
        await reader.reopen()
        await reader.until(lambda: len(reader.page.articles) == 2)

    assert status == "complete"
    assert reader.shown_of(order) == answer_to(order).visible
    assert not reader.wrong
