"""A budget for three replies, and many who ask at once on two processes → how many are made."""

import asyncio
import re
from collections.abc import Sequence
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

from tests.bench.sockets import Door
from tests.faults.figures import Figure
from tests.faults.readers import Reader, new_order
from tests.faults.setups import stage_in, under
from tests.faults.stage import Stage

_REPLY_TOKENS = 4000
_FITTING = 3
_BUDGET = _REPLY_TOKENS * _FITTING + _REPLY_TOKENS // 2
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


async def budget(
    count: int, setups: Sequence[str] = ("SQLite+Redis", "PostgreSQL")
) -> list[Figure]:
    """One person sends `count` forms against what they have left of their day; then `count` people
    a message each over their sockets, against what everybody has left of the month."""
    return [figure for setup in setups for figure in under(setup, await _budget(setup, count))]


async def _budget(setup: str, count: int) -> list[Figure]:
    limits = {
        "LIMIT_TOKENS_A_DAY": str(_BUDGET),
        "LIMIT_SERVICE_TOKENS_A_MONTH": str(2 * _BUDGET),
        "LIMIT_RESERVED_TOKENS": str(_REPLY_TOKENS),
    }
    async with stage_in(setup, count + 1, **limits) as on:
        codes = await _send_forms(on, count)
        by_forms = len(on.upstream.calls)
        readers = [on.reader(1 + n, on.servers[n % 2].port) for n in range(count)]
        await asyncio.gather(*(reader.open() for reader in readers))
        await asyncio.gather(*map(_ask, readers))
        by_sockets = len(on.upstream.calls) - by_forms
        return [
            Figure("forms", count),
            Figure("calls beyond the day's", by_forms - _FITTING, 0),
            Figure("forms neither taken nor refused", len(set(codes) - {302, 422}), 0),
            Figure("taken forms without a call", abs(codes.count(302) - by_forms), 0),
            Figure("sockets", count),
            Figure("calls beyond the month's", by_sockets - _FITTING, 0),
            Figure("calls that were not made", 2 * _FITTING - by_forms - by_sockets, 0),
            *on.order(),
        ]


async def _send_forms(on: Stage, count: int) -> list[int]:
    doors = [on.installation.door(0, server.port) for server in on.servers]
    token = await asyncio.to_thread(_form_token, doors[0])
    sent = (asyncio.to_thread(_send, doors[n % len(doors)], token) for n in range(count))
    return list(await asyncio.gather(*sent))


def _form_token(door: Door) -> str:
    with urlopen(_request(door, "/"), timeout=60) as page:
        found = _TOKEN.search(page.read().decode())
    assert found is not None
    return found[1]


def _send(door: Door, token: str) -> int:
    """The answer's status; a page that was sent on to is the conversation's."""
    text = new_order(10_000, rate=1).text()
    form = {"text": text, "key": str(uuid4()), "csrfmiddlewaretoken": token}
    try:
        with urlopen(_request(door, f"/c/{uuid4()}/messages/", urlencode(form)), timeout=60):
            return 302
    except HTTPError as refusal:
        return refusal.code


def _request(door: Door, path: str, form: str | None = None) -> Request:
    body = form.encode() if form is not None else None
    return Request(f"http://127.0.0.1:{door.port}{path}", body, {"Cookie": door.cookie})


async def _ask(reader: Reader) -> None:
    """Until the page shows a reply whose call was made, or why there is none."""
    reader.ask(new_order(10_000, rate=1))
    await reader.until(
        lambda: reader.page.status not in ("", "queued") or reader.page.notice != "", 60
    )
