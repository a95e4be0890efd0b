"""A process is killed between a reply's final row and the next queued message → that is sent."""

from uuid import uuid4

from tests.faults.figures import check
from tests.faults.readers import new_order
from tests.faults.stage import stage


async def test_what_waits_outlives_the_process_that_should_have_sent_it() -> None:
    first, second = new_order(60, rate=40), new_order(20)
    async with stage(1, servers=0) as on:
        dying = on.another_server(FAILPOINTS="queue.next=kill")
        await dying.start()
        reader = on.reader(0)
        await reader.open()
        reader.ask(first)
        await reader.until_asked(first)
        reader.send(
            action="queue",
            text=second.text(),
            key=str(uuid4()),
            endpoint=on.installation.endpoint,
        )
        assert await dying.exit_code() == -9
        assert on.rows.prompts() == [first.text()]

        heir = on.another_server()
        await heir.start()
        reader.go_to(heir.port)
        await reader.open()
        assert await reader.until_ended(second) == "complete"
        assert on.rows.prompts() == [first.text(), second.text()]
        check(on.truth([first, second]))
