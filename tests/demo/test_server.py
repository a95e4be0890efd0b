"""The server's life: where it listens, who has left, how it stops."""

import ast
import asyncio
import socket
import sys
from pathlib import Path

import httpx2
import pytest
import uvloop

from chatapp.demo.server import PROTOCOLS, DemoServer, start
from tests.demo.wires import question, tell, until_nobody_listens, url

MODULES = Path(__file__).parents[2].glob("chatapp/demo/*.py")
LIKE_ANY_OTHER_ENDPOINT = sorted(path for path in MODULES if path.stem != "endpoints")


@pytest.mark.parametrize("path", LIKE_ANY_OTHER_ENDPOINT, ids=lambda path: path.stem)
def test_the_model_knows_nothing_of_the_application_that_asks_it(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    for module in (name for node in ast.walk(tree) for name in _imported(node)):
        own = module.startswith("chatapp.demo")
        assert own or module.split(".")[0] in {"aiohttp", *sys.stdlib_module_names}, module


async def test_health_says_what_this_is(client: httpx2.AsyncClient, server: DemoServer) -> None:
    response = await client.get(f"http://127.0.0.1:{server.port}/health")

    assert response.json() == {"model": "scripted demo, not an AI"}


async def test_urls_are_what_an_endpoint_stores(server: DemoServer) -> None:
    at = f"http://127.0.0.1:{server.port}"

    assert {protocol: server.url(protocol) for protocol in PROTOCOLS} == {
        "openai": f"{at}/openai/v1",
        "anthropic": f"{at}/anthropic",
        "truss": f"{at}/truss/environments/production/predict",
        "cerebrium": f"{at}/cerebrium/v4/p-demo/scripted/run",
    }


async def test_it_listens_where_it_is_told_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    server = await start(port=port)

    assert server.port == port
    await server.stop()


async def test_a_port_that_is_taken_is_an_error(server: DemoServer) -> None:
    with pytest.raises(OSError, match="address"):
        await start(port=server.port)


async def test_a_client_that_leaves_ends_its_script(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    body = question("openai", "/tokens 100000 /delay 0")

    async with client.stream("POST", url(server, "openai"), json=body) as response:
        await anext(response.aiter_raw())
        assert server.playing == 1

    await until_nobody_listens(server)


async def test_a_client_that_leaves_before_the_first_token_ends_its_script(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    body = question("openai", "/delay 600 hello")

    async with client.stream("POST", url(server, "openai"), json=body):
        assert server.playing == 1

    await until_nobody_listens(server)


async def test_a_reader_that_does_not_read_holds_only_its_own_answer(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    body = question("openai", "/fault endless /pace max /delay 0")

    async with client.stream("POST", url(server, "openai"), json=body):
        said = await tell(client, server, "openai", "/echo still here")

    assert said.text == "still here"


async def test_stop_breaks_off_what_is_being_told(client: httpx2.AsyncClient) -> None:
    server = await start()
    body = question("truss", "/fault stall /delay 0 /pace max")

    with pytest.raises(httpx2.RemoteProtocolError):
        async with client.stream("POST", url(server, "truss"), json=body) as response:
            async for _ in response.aiter_raw():
                await server.stop()

    assert server.playing == 0


async def test_many_can_listen_at_once(client: httpx2.AsyncClient, server: DemoServer) -> None:
    prompts = [f"/echo this is number {number}" for number in range(50)]

    told = await asyncio.gather(*(tell(client, server, "openai", p) for p in prompts))

    assert [said.text for said in told] == [f"this is number {number}" for number in range(50)]


def test_it_lives_in_uvloop_as_well() -> None:
    async def converse() -> str:
        server = await start()
        async with httpx2.AsyncClient() as client:
            said = await tell(client, server, "cerebrium", "/echo hello")
            with pytest.raises(httpx2.NetworkError):
                await tell(client, server, "cerebrium", "/fault reset")
        await server.stop()
        return said.text

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(converse()) == "hello"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
