"""A short form of every scenario: outcomes within their bars; how long they take is not asked."""

from tests.faults.cancels import cancels
from tests.faults.drops import drops
from tests.faults.endings import endings
from tests.faults.figures import check
from tests.faults.idle import idle
from tests.faults.kills import kills
from tests.faults.locked import locked
from tests.faults.malformed import malformed, oversized
from tests.faults.repeats import repeats
from tests.faults.slow_readers import slow_readers
from tests.faults.stops import stops
from tests.faults.termination import termination


async def test_a_dropped_connection_loses_and_doubles_nothing() -> None:
    check(await drops(1000))


async def test_a_terminated_server_ends_its_replies_and_says_when_to_come_back() -> None:
    check(await termination(50))


async def test_a_killed_server_keeps_what_was_written_and_interrupts_the_rest() -> None:
    check(await kills(3))


async def test_stop_reaches_the_model_and_ends_the_reply_once() -> None:
    check(await stops(50))


async def test_a_message_sent_twice_is_stored_once_and_asked_once() -> None:
    check(await repeats(100))


async def test_slow_readers_cost_neither_memory_nor_anybody_elses_time() -> None:
    check(await slow_readers(4, slow=20, never=5))


async def test_tokens_go_on_while_the_database_is_locked() -> None:
    check(await locked(2))


async def test_calls_given_up_leave_no_connection_open() -> None:
    check(await cancels(200))


async def test_idle_sockets_stay_and_cost_little() -> None:
    check(await idle(2, sockets=50, streaming=10))


async def test_malformed_frames_harm_nobody() -> None:
    check(await malformed(500))


async def test_a_frame_that_is_too_big_is_refused_as_such() -> None:
    check(await oversized(2))


async def test_a_reply_is_shown_as_ended_only_with_all_of_its_text() -> None:
    check(await endings(100))
