"""What the model sent is what the page shows and the database keeps, to the last character."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.e2e.conftest import Site, Visitor
from tests.e2e.raw_model import RawModel, random_cuts

FENCE = "~" * 12
ODD = [
    '{"content":"x","target":"#tail"}',
    '{"a":1}',
    "[1,2]",
    "42",
    "true",
    "null",
    '"q"',
    " ",
    "\n",
    "\t",
    "\r",
    "\r\n",
    "   ",
    "<",
    ">",
    "</code></pre>",
    "<hx-partial>",
    "<script>",
    "&",
    "&amp;",
    "&#0;",
    "&lt;b&gt;",
    "\x01",
    "\x0b",
    "\x0c",
    "\x1b[0m",
    "\x7f",
    "\x85",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffd",
    "\u202e",
    "\u200d",
    "שלום",
    "مرحبا",
    "日本語",
    "🌊",
    "🧑\u200d🚀",
    "é",
    "e\u0301",
    "`",
    "```",
    "**",
    "$x$",
    "def ",
    "return",
    "/*",
    "*/",
    '"""',
    "'",
    "//",
]
WORDS = ["word", " the", "ing", "0x1f", ".", ", ", "(", ")"]
HALVES = ["\ud83d", "\ude42", "\udbff", "\udc00", "\ud83d\ude42", "\ude42\ud83d"]
CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
MARKS = [*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069\ufffe\uffff"]
SURROGATE = re.compile("[\ud800-\udfff]")
NEVER_SHOWN = re.compile("[\0\ud800-\udfff]")


async def test_100_000_random_tokens_reach_page_and_database_unchanged(
    visitor: Visitor, site: Site
) -> None:
    text = "".join(random_tokens(7, [*ODD, *WORDS], 100_000))
    model = RawModel(lambda prompt: random_cuts(fenced(text).encode(), 11))

    async with endpoint(site, "truss", model):
        await assert_exact(visitor, site, text)


async def test_halves_of_pairs_in_json_are_joined_and_only_lone_ones_and_nul_replaced(
    visitor: Visitor, site: Site
) -> None:
    tokens = random_tokens(13, [*HALVES * 9, *CONTROLS, *MARKS, *ODD, *WORDS, ""], 3_000)
    # Python's reader of JSON joins the pairs too, and leaves the lone halves.
    joined = json.loads(json.dumps("".join(tokens)))
    text = NEVER_SHOWN.sub("\ufffd", joined)
    body = openai_stream([f"{FENCE}python\n", *tokens, f"\n{FENCE}\n"])
    model = RawModel(lambda prompt: random_cuts(body, 17), "text/event-stream", 0.001)

    assert "🙂" in text
    assert SURROGATE.search(joined)
    async with endpoint(site, "openai", model):
        await assert_exact(visitor, site, text)


def random_tokens(seed: int, tokens: list[str], count: int) -> list[str]:
    choose = random.Random(seed)
    return [choose.choice(tokens) for _ in range(count)]


def fenced(text: str) -> str:
    return f"{FENCE}python\n{text}\n{FENCE}\n"


def openai_stream(tokens: list[str]) -> bytes:
    """A chunk a token; every other one is written as ASCII, and all that UTF-8 cannot hold."""
    events = []
    for number, token in enumerate(tokens):
        chunk = {"choices": [{"index": 0, "delta": {"content": token}}]}
        is_ascii = number % 2 == 0 or SURROGATE.search(token) is not None
        events.append(json.dumps(chunk, ensure_ascii=is_ascii))
    events += [json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]}), "[DONE]"]
    return "".join(f"data: {event}\n\n" for event in events).encode()


@asynccontextmanager
async def endpoint(site: Site, protocol: str, model: RawModel) -> AsyncIterator[None]:
    """An endpoint “exact” in front of `model`."""
    url = await model.start()
    arguments = ("--protocol", protocol, "--url", url, "--model", "raw")
    await asyncio.to_thread(site.manage, "endpoint", "set", "exact", *arguments)
    try:
        yield
    finally:
        await asyncio.to_thread(site.manage, "endpoint", "remove", "exact")
        await model.stop()


async def assert_exact(visitor: Visitor, site: Site, text: str) -> None:
    """Asks “exact”, whose answer is `text` in a fence, and compares all that is left of it."""
    await visitor.page.goto(site.origin)
    await visitor.choose("exact")
    await visitor.say("go")
    visitor.page.set_default_timeout(120_000)
    await visitor.until_status("complete", seconds=120)

    streamed = await code_of(visitor)
    await visitor.page.reload()
    reloaded = await code_of(visitor)
    stored = await asyncio.to_thread(
        site.manage,
        "shell",
        "-v0",
        "-c",
        "import sys; from chatapp.models import Message;"
        "sys.stdout.buffer.write(Message.objects.filter(role='assistant')"
        ".latest('asked_at').text.encode().hex().encode())",
    )

    assert streamed == text + "\n"
    assert reloaded == text + "\n"
    assert bytes.fromhex(stored).decode() == fenced(text)


async def code_of(visitor: Visitor) -> str:
    return str(
        await visitor.page.evaluate(
            """() => [...document.querySelectorAll('article[data-role="assistant"]')].at(-1)
                .querySelector('pre code').textContent"""
        )
    )
