"""The four protocols as these tests understand them: prompt → request, body → what it told.

Written from PROTOCOLS.md alone and sharing no code with what it checks.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx2

from chatapp.demo.server import DemoServer

PROTOCOLS = ("openai", "anthropic", "truss", "cerebrium")
PATHS = {
    "openai": "/openai/v1/chat/completions",
    "anthropic": "/anthropic/v1/messages",
    "truss": "/truss/environments/production/predict",
    "cerebrium": "/cerebrium/v4/p-demo/scripted/run",
}


@dataclass
class Told:
    """What a body said."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    finish: str | None = None
    usage: dict[str, int] | None = None
    error: str | None = None
    is_ended: bool = False


def question(protocol: str, prompt: str, **more: object) -> dict[str, Any]:
    """The JSON of a request that asks `prompt`."""
    if protocol in ("truss", "cerebrium"):
        return {"prompt": prompt, "stream": True, **more}
    return {"messages": [{"role": "user", "content": prompt}], "stream": True, **more}


def url(server: DemoServer, protocol: str) -> str:
    return f"http://127.0.0.1:{server.port}{PATHS[protocol]}"


async def ask(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str, prompt: str, **more: object
) -> httpx2.Response:
    """The whole response to `prompt`, told as fast as it goes."""
    body = question(protocol, f"/pace max /delay 0 {prompt}", **more)
    return await client.post(url(server, protocol), json=body)


async def tell(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str, prompt: str, **more: object
) -> Told:
    response = await ask(client, server, protocol, prompt, **more)
    assert response.status_code == 200
    return told(protocol, response.text)


def told(protocol: str, body: str) -> Told:
    return {"openai": _openai, "anthropic": _anthropic, "truss": _truss, "cerebrium": _cerebrium}[
        protocol
    ](body)


def events(body: str) -> list[tuple[str, str]]:
    """The name and data of each event; the body must hold nothing else."""
    *blocks, rest = body.split("\n\n")
    assert rest == ""
    return [_event(block) for block in blocks]


def colophon_removed(text: str) -> str:
    """The answer without its last line, the only one that may differ between protocols."""
    said, _, colophon = text.rpartition("\n")
    assert "scripted demo, not an AI" in colophon
    return said


async def until_nobody_listens(server: DemoServer) -> None:
    async with asyncio.timeout(30):
        while server.playing:
            await asyncio.sleep(0.005)


def _event(block: str) -> tuple[str, str]:
    name, data = "", []
    for line in block.split("\n"):
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        else:
            assert field == "data"
            data.append(value)
    return name, "\n".join(data)


def _openai(body: str) -> Told:
    said = Told()
    for _, data in events(body):
        if data == "[DONE]":
            said.is_ended = True
            continue
        chunk = json.loads(data)
        said.usage = chunk.get("usage") or said.usage
        said.error = chunk.get("error", {}).get("message", said.error)
        for choice in chunk.get("choices", []):
            said.text += choice["delta"].get("content", "")
            said.reasoning += choice["delta"].get("reasoning_content", "")
            said.refusal += choice["delta"].get("refusal", "")
            said.finish = choice["finish_reason"] or said.finish
    return said


def _anthropic(body: str) -> Told:
    said = Told()
    for name, data in events(body):
        value = json.loads(data)
        assert value["type"] == name
        match name:
            case "content_block_delta":
                said.text += value["delta"].get("text", "")
                said.reasoning += value["delta"].get("thinking", "")
            case "message_delta":
                said.finish = value["delta"]["stop_reason"]
                said.usage = value["usage"]
            case "error":
                said.error = value["error"]["message"]
            case "message_stop":
                said.is_ended = True
    return said


def _truss(body: str) -> Told:
    return Told(text=body, is_ended=True)


def _cerebrium(body: str) -> Told:
    said = Told(is_ended=True)
    for _, data in events(body):
        if data.startswith('{"token"'):
            said.text += json.loads(data)["token"]
        elif data.startswith('{"error"'):
            said.error = json.loads(data)["error"]
        else:
            said.text += data
    return said
