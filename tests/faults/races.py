"""Races, each reached on purpose: a process is held or ended at a named point, and who wins?"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.request import Request, urlopen

from tests.bench.orders import Order
from tests.faults.figures import Figure
from tests.faults.readers import Reader, new_order
from tests.faults.rows import LIVE
from tests.faults.servers import Server
from tests.faults.setups import stage_in
from tests.faults.stage import Stage
from tests.faults.truth import answer_to

_RATE = 20
_HELD_S = 4.0  # more than another process takes to see that there is a reply
_TOKENS = 60
_TABS = 80
_SOON_S = 0.01  # some handshakes have begun, and not all have ended
_NOTICED_LIMIT_S = 40.0
_LOSS_LIMIT_S = 1.0
_STILL_ANSWERING = "The reply before is still being written."
_AFTER = re.compile(r'hx-ws:connect="[^"]*\?after=([^"&]*)')


@dataclass(frozen=True, slots=True)
class _Course:
    """One person with a tab on the server that has the failpoint, and one on another that has
    none."""

    on: Stage
    client: int
    server: Server
    held: Reader
    free: Reader

    async def until_sent(self, order: Order) -> None:
        """Returns when the model has sent its whole answer, and the row does not say so yet."""
        async with asyncio.timeout(_NOTICED_LIMIT_S):
            while not any(call.ended_at for call in self.on.upstream.calls[order.stream]):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert self.status_of(order) in LIVE, "the point was not reached"

    def status_of(self, order: Order) -> str:
        return self.on.rows.reply_to(order).status

    async def check_ended(self, order: Order, status: str, *readers: Reader) -> None:
        """The row and the pages of `readers` have this status and the same text, which is the
        whole answer if it is complete."""
        for reader in readers:
            assert await reader.until_ended(order, _NOTICED_LIMIT_S) == status
        reply = self.on.rows.reply_to(order)
        tokens = reply.answer.tokens_in(reply.text)
        assert (reply.status, tokens is None) == (status, False), reply
        assert status != "complete" or tokens == order.tokens, reply
        for reader in readers:
            assert reader.shown_of(order).rstrip() == reply.answer.shown(tokens).rstrip()


Race = Callable[[_Course], Awaitable[None]]


async def races(times: int) -> list[Figure]:
    """Every race so many times, on PostgreSQL without Redis; all of them at once."""
    failed = dict.fromkeys(_RACES, 0)
    order: list[Figure] = []
    for _ in range(times):
        async with stage_in("PostgreSQL", len(_RACES), servers=1) as on:
            courses = [_course(on, *numbered) for numbered in enumerate(_RACES.values())]
            for pair in zip(courses[::2], [*courses[1::2], None], strict=False):
                await asyncio.gather(*(course.server.start() for course in pair if course))
            outcomes = await asyncio.gather(
                *(_run(title, course) for title, course in zip(_RACES, courses, strict=True))
            )
            for title, is_right in zip(_RACES, outcomes, strict=True):
                failed[title] += not is_right
            order += on.order()
    return [*(Figure(title, count, 0) for title, count in failed.items()), *order]


def _course(on: Stage, client: int, race: tuple[str, Race]) -> _Course:
    failpoint, _ = race
    server = on.another_server(FAILPOINTS=failpoint, DRAIN_SECONDS="0.5")
    return _Course(on, client, server, on.reader(client, server.port), on.reader(client))


async def _run(title: str, course: _Course) -> bool:
    _, race = _RACES[title]
    await course.held.open()
    await course.free.open()
    try:
        await race(course)
    except (AssertionError, TimeoutError) as error:
        print(f"    {title}: {error!r}\n{course.server.log[-2000:]}")
        return False
    return True


async def _finished_between_page_and_socket(course: _Course) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await course.free.until_text(order)
    course.free.drop()
    course.free.turn_page()
    after = await asyncio.to_thread(_after_on_page, course)
    await course.held.until_ended(order)
    assert course.free.after == after != "", "the page was loaded while the reply was live"

    await course.free.open()

    await course.check_ended(order, "complete", course.held, course.free)


async def _final_frame_missed(course: _Course) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.drop()
    course.free.ask(order)
    await course.free.until_text(order)

    await course.held.open()

    await course.check_ended(order, "complete", course.free, course.held)


async def _stop_after_the_end(course: _Course) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await course.free.until_text(order)
    await course.until_sent(order)

    course.held.stop()
    course.free.stop()

    await course.check_ended(order, "complete", course.held, course.free)


async def _stop_that_comes_too_late(course: _Course) -> None:
    order = new_order(_TOKENS // 5, _RATE)  # over long before the stop, on a busy machine too
    course.free.ask(order)
    await course.held.until_text(order)

    course.held.stop()

    await course.check_ended(order, "complete", course.held, course.free)
    await asyncio.sleep(_HELD_S)
    await course.check_ended(order, "complete", course.held, course.free)


async def _stop_here_before_the_call(course: _Course) -> None:
    await _stop_before_the_call(course, course.held)


async def _stop_elsewhere_before_the_call(course: _Course) -> None:
    await _stop_before_the_call(course, course.free)


async def _stop_before_the_call(course: _Course, by: Reader) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await by.until_asked(order)

    by.stop()

    await course.check_ended(order, "stopped", course.held, course.free)
    await asyncio.sleep(_HELD_S)
    assert not course.on.upstream.calls[order.stream], "the model was asked"


async def _killed_midway(course: _Course) -> None:
    """What it had written is kept, at most a second's text is lost, and Retry completes it."""
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await course.server.exit_code()

    await course.check_ended(order, "interrupted", course.free)

    assert _lost_s(course, order) <= _LOSS_LIMIT_S
    await course.free.until_free()
    interrupted = course.free.reply_id
    course.free.retry()
    await _until_complete_again(course.free, interrupted)
    assert course.free.shown_of(order) == answer_to(order).visible


async def _killed_after_the_end(course: _Course) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await course.server.exit_code()

    await course.check_ended(order, "complete", course.free)


async def _retry_while_the_old_one_ends(course: _Course) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await course.free.until_text(order)
    await course.until_sent(order)

    course.free.retry()
    await course.free.until(lambda: _STILL_ANSWERING in course.free.page.notice)
    await course.check_ended(order, "complete", course.held, course.free)
    old = course.free.reply_id
    course.held.retry()
    course.free.retry()

    for reader in (course.held, course.free):
        await _until_complete_again(reader, old)
    assert len(course.on.upstream.calls[order.stream]) == 2, "asked once, and once again"


async def _ended_while_the_last_row_is_written(course: _Course) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await course.until_sent(order)

    course.server.terminate()

    assert await course.server.exit_code() == 0
    assert course.status_of(order) == "complete"
    await course.check_ended(order, "complete", course.free)


async def _ended_while_a_reply_is_begun(course: _Course) -> None:
    order = new_order(200, _RATE)
    course.held.ask(order)
    await course.free.until_asked(order)

    course.server.terminate()

    assert await course.server.exit_code() == 0
    assert course.status_of(order) == "interrupted"
    await course.check_ended(order, "interrupted", course.free)


async def _until_complete_again(reader: Reader, old: str) -> None:
    await reader.until(lambda: reader.reply_id != old and reader.page.status == "complete")


async def _ended_amid_handshakes(course: _Course) -> None:
    order = new_order(_TOKENS, _RATE)
    course.held.ask(order)
    await course.free.until_text(order)
    tabs = [course.on.reader(course.client, course.server.port) for _ in range(_TABS)]
    course.server.pause()
    opening = [asyncio.create_task(tab.open()) for tab in tabs]
    await asyncio.sleep(0.2)

    course.server.resume()
    await asyncio.sleep(_SOON_S)
    course.server.terminate()

    assert await course.server.exit_code() == 0
    await asyncio.gather(*opening, return_exceptions=True)
    assert course.status_of(order) == "interrupted"
    await course.check_ended(order, "interrupted", course.free)


def _lost_s(course: _Course, order: Order) -> float:
    """How old the first token was that the row lacks when its process was killed."""
    calls = course.on.upstream.calls[order.stream]
    tokens = answer_to(order).tokens_in(course.on.rows.reply_to(order).text) or 0
    if not calls or tokens == len(calls[0].sent_at):
        return 0.0
    return (calls[0].closed_at or calls[0].ended_at or 0.0) - calls[0].sent_at[tokens]


def _after_on_page(course: _Course) -> str:
    """The last message of the page's history, as the real page says it."""
    installation, port = course.on.installation, course.on.server.port
    url = f"http://127.0.0.1:{port}/c/{installation.clients[course.client]['conversation']}/"
    request = Request(url, headers={"Cookie": installation.door(course.client, port).cookie})
    with urlopen(request, timeout=10) as page:
        found = _AFTER.search(page.read().decode())
    assert found, "the page opens a socket"
    return found[1]


_HOLD = f"sleep:{_HELD_S}"
_RACES: dict[str, tuple[str, Race]] = {
    "finished between page and socket": ("", _finished_between_page_and_socket),
    "finished between rows and log": (f"rows.read={_HOLD}", _final_frame_missed),
    "Stop after the end": (f"final.write={_HOLD}", _stop_after_the_end),
    "Stop elsewhere that comes too late": (f"stop.requested={_HOLD}", _stop_that_comes_too_late),
    "Stop before the call": (f"reply.called={_HOLD}", _stop_here_before_the_call),
    "Stop elsewhere before the call": (f"reply.called={_HOLD}", _stop_elsewhere_before_the_call),
    "killed before its reply began": ("reply.stored=kill", _killed_midway),
    "killed at a checkpoint": ("checkpoint.write=kill", _killed_midway),
    "killed before its last row": ("final.write=kill", _killed_midway),
    "killed after its last row": ("final.written=kill", _killed_after_the_end),
    "Retry while the old one ends": (f"final.write={_HOLD}", _retry_while_the_old_one_ends),
    "ended during a last row": (f"final.write={_HOLD}", _ended_while_the_last_row_is_written),
    "ended while a reply begins": (f"reply.stored={_HOLD}", _ended_while_a_reply_is_begun),
    "ended amid handshakes": ("", _ended_amid_handshakes),
}
