"""The adapters of chatapp and the scripted model understand each other, faults included."""

from contextlib import aclosing

import pytest

from chatapp.demo.faults import FAULTS, Fault, Outcome
from chatapp.demo.server import DemoServer
from chatapp.events import Completed, Event, Failed, TextDelta, Truncated
from chatapp.upstream.contract import Prompt, Target, Turn
from chatapp.upstream.http import close_client, stream
from chatapp.upstream.retries import RetryPolicy
from tests.demo.wires import PROTOCOLS, until_nobody_listens

NEVER = RetryPolicy(delays_s=())


async def events_of(server: DemoServer, protocol: str, prompt: str) -> list[Event]:
    """The events of one answer; an endless one is left after the first text."""
    target = Target(
        protocol,
        server.url(protocol),
        "scripted",
        first_byte_timeout_s=0.2 if "hang" in prompt else 60,
        silence_timeout_s=0.2 if "stall" in prompt else 60,
    )
    events: list[Event] = []
    question = Prompt((Turn("user", f"/pace max /delay 0 {prompt}"),))
    async with aclosing(stream(target, question, retries=NEVER)) as batches:
        async for batch in batches:
            events += batch
            if "endless" in prompt and any(isinstance(event, TextDelta) for event in batch):
                break
    await close_client()
    return events


def outcome_of(last: Event) -> Outcome:
    if isinstance(last, Completed):
        return Outcome("complete")
    if isinstance(last, Failed):
        return Outcome("error", str(last.problem.kind))
    if isinstance(last, Truncated):
        return Outcome("incomplete", str(last.problem.kind))
    return Outcome("stopped")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_arrives_whole(server: DemoServer, protocol: str) -> None:
    events = await events_of(server, protocol, "/echo naïve 風 🌊\n\n| a |\n")

    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == "naïve 風 🌊\n\n| a |\n"
    assert outcome_of(events[-1]) == Outcome("complete")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
async def test_a_fault_has_the_outcome_that_help_promises(
    server: DemoServer, protocol: str, fault: Fault
) -> None:
    events = await events_of(server, protocol, f"/fault {fault.name}")

    assert outcome_of(events[-1]) == fault.outcome_on(protocol)
    await until_nobody_listens(server)
