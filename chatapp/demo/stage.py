"""A script and a wire → an HTTP response, told in time.

When the client leaves, its handler is cancelled wherever it waits, and the script ends with it.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from aiohttp import web

from chatapp.demo.sabotage import INSTEAD, STRIKES
from chatapp.demo.script import Channel, Piece, Reel, Script
from chatapp.demo.stream import Stream, request_id
from chatapp.demo.wire import Wire

RETRY_AFTER_S = 20
MOST_TOKENS_IN_ONE_PIECE = 100_000

_PIECES_A_TURN = 1_000


async def perform(request: web.Request, wire: Wire, script: Script) -> web.StreamResponse:
    """The response to `request`, finished or failed as the script says."""
    fault = script.fault
    if not wire.can_reason:
        script = _without_reasoning(script)
    if fault and fault.http_status:
        return failed(type(wire), fault.http_status, f"{fault.message} (scripted fault)")
    if fault and fault.name in INSTEAD:
        return await INSTEAD[fault.name](request, wire)
    if not wire.ask.is_streamed or (fault and fault.name == "whole"):
        return await _whole(wire, script)
    return await _streamed(request, wire, script)


def failed(wire: type[Wire], status: int, message: str) -> web.Response:
    """An HTTP error in the protocol's own shape."""
    headers = {wire.request_id_header: request_id(), **wire.error_headers(status)}
    if status == web.HTTPTooManyRequests.status_code:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return _json(wire.error(status, message), status, headers)


def _without_reasoning(script: Script) -> Script:
    said = (piece for piece in script.pieces if piece.channel is not Channel.REASONING)
    return replace(script, pieces=said)


async def _whole(wire: Wire, script: Script) -> web.Response:
    reel = Reel(script, limit=MOST_TOKENS_IN_ONE_PIECE)
    pieces: list[Piece] = []
    await asyncio.sleep(script.first_token_delay_s)
    while more := reel.take(_PIECES_A_TURN):
        pieces += more
        await asyncio.sleep(0)
    wire.output_tokens = reel.played
    return _json(wire.whole(pieces, reel.finish))


async def _streamed(request: web.Request, wire: Wire, script: Script) -> web.StreamResponse:
    response = Stream(wire, script.fault)
    with suppress(ConnectionResetError):  # the client has left, or a fault has broken the line
        await response.prepare(request)
        await _play(request, response, wire, script)
        await response.finish()
    return response


async def _play(request: web.Request, response: Stream, wire: Wire, script: Script) -> None:
    await asyncio.sleep(script.first_token_delay_s)
    await response.say(wire.opening())
    strike = STRIKES.get(script.fault.name) if script.fault else None
    reel = Reel(script, limit=script.tokens_before_fault if strike else None)
    await _tell(response, wire, script, reel)
    if strike:
        await strike(request, response, wire)
    else:
        await response.say(wire.closing(reel.finish))


async def _tell(response: Stream, wire: Wire, script: Script, reel: Reel) -> None:
    now = asyncio.get_running_loop().time
    started = now()
    while pieces := reel.take(script.pace.due(reel.played, now() - started)):
        await response.say(wire.tell(pieces))
        await asyncio.sleep(script.pace.wait_s(reel.played, now() - started))


def _json(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, status=status, headers=headers, content_type="application/json")
