"""A tab of a real browser → what it showed and when, laid beside what the model sent."""

import json
import re
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page

from tests.bench.orders import Order, order_in
from tests.faults.truth import answer_to
from tests.faults.upstream import Call

# Tells of every socket that opens, of pages out of memory, and of what a person sees of the last
# reply, as what was added to it or else as a whole.
_NOTES = """(() => {
  const tell = (kind, ...values) => console.debug(JSON.stringify([kind, Date.now(), ...values]));
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...values) {
      super(...values);
      this.addEventListener("open", () => tell("open"));
    }
  };
  tell("loaded");
  window.addEventListener("pageshow", (event) => event.persisted && tell("restored"));
  let before = null, said = "";
  const look = () => {
    if (document.readyState === "loading") return; // the parser is still in the midst of it
    const [prompt, reply] = [...document.querySelectorAll("article")].slice(-2);
    if (reply?.dataset.role !== "assistant" || prompt.dataset.role !== "user") return;
    const parts = reply.querySelectorAll('[id^="text-"] :is(p, code)');
    const text = [...parts].map((part) => part.textContent).join("");
    const added = before !== null && text.startsWith(before) ? text.slice(before.length) : null;
    const what = JSON.stringify([prompt.textContent, reply.dataset.status]);
    if (added === "" && what === said) return;
    tell("state", prompt.textContent, reply.dataset.status, added, added === null ? text : null);
    [before, said] = [text, what];
  };
  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    const then = () => { due = false; look(); };
    if (document.hidden) setTimeout(then); else requestAnimationFrame(then);
  };
  document.addEventListener("readystatechange", soon);
  const all = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(soon).observe(document, all);
})()"""
_REPLIES = """() => {
  const articles = [...document.querySelectorAll("article")];
  const replies = articles.filter((article) => article.dataset.role === "assistant");
  const prompt = (reply) => articles[articles.indexOf(reply) - 1].textContent.trim();
  const parts = (reply) => [...reply.querySelectorAll('[id^="text-"] :is(p, code)')];
  const text = (reply) => parts(reply).map((part) => part.textContent).join("");
  return replies.map((reply) => [prompt(reply), text(reply)]);
}"""
_UNREST = """() => {
  const one = (selector) => document.querySelector(selector);
  const busy = [...document.querySelectorAll('[aria-busy="true"]')];
  return [
    ...busy.map((element) => `busy: ${element.id}`),
    one("#act").textContent === "Send" ? "" : "no Send",
    one("#offline").hidden ? "" : "a notice of being offline",
    "sent" in one("#composer").dataset ? "still sending" : "",
    one("#notice").textContent.trim(),
  ].filter(Boolean);
}"""
_LOST = re.compile("^WebSocket connection to|^htmx: htmx:ws:error|net::ERR_")


@dataclass(frozen=True, slots=True)
class State:
    """What the page showed of the reply to `order` from the moment `at` on."""

    at: float
    order: Order
    status: str
    length: int


@dataclass(slots=True)
class Tab:
    """`wrong` tells of every state of the page that was not true, and of what its console said.

    Times are those of CLOCK_MONOTONIC.
    """

    page: Page
    states: list[State] = field(default_factory=list)
    loaded_at: list[float] = field(default_factory=list)
    opened_at: list[float] = field(default_factory=list)
    dropped_at: list[float] = field(default_factory=list)
    restored: int = 0
    wrong: list[str] = field(default_factory=list)
    _text: str = ""

    @property
    def box(self) -> Locator:
        return self.page.locator("#text")

    def is_connected(self) -> bool:
        """Whether a socket has opened since the last drop."""
        return self.opened_at[-1:] > self.dropped_at[-1:]

    async def typed(self) -> str:
        return await self.box.input_value()

    async def replies(self) -> list[tuple[str, str]]:
        """The prompt and the text of every reply, as the page shows them."""
        found = await self.page.evaluate(_REPLIES)
        return [(prompt, text) for prompt, text in found]

    async def unrest(self) -> list[str]:
        """What does not look as if every reply had ended and the person could send."""
        found: list[str] = await self.page.evaluate(_UNREST)
        return found

    def catching_up_s(self, calls: Sequence[Call]) -> list[float]:
        """How long after each opening the page showed all that had been sent until then of the
        last reply; `calls` are all there were, in the order of asking."""
        found = []
        for opened_at in self.opened_at:
            until = next((at for at in self.dropped_at if at > opened_at), float("inf"))
            loaded_at = max(at for at in self.loaded_at if at <= opened_at)
            shown = [state for state in self.states if loaded_at <= state.at < until]
            call = next((c for c in reversed(calls) if c.asked_at <= opened_at), None)
            if call is None:
                continue
            needed = call.answer.shown(bisect_right(call.sent_at, opened_at)).rstrip()
            fit = [s.at for s in shown if s.order == call.order and s.length >= len(needed)]
            if fit:
                found.append(max(0.0, fit[0] - opened_at))
            elif until - opened_at > 1:
                found.append(until - opened_at)
        return found

    def note(self, message: ConsoleMessage) -> None:
        if message.type == "debug":
            kind, at_ms, *values = json.loads(message.text)
            self._take(kind, at_ms / 1000 - time.time() + time.monotonic(), values)
        elif message.type in ("error", "warning") and not _LOST.search(message.text):
            self.wrong.append(f"the console says: {message.text}")

    def _take(self, kind: str, at: float, values: list[Any]) -> None:
        if kind == "loaded":
            self.loaded_at.append(at)
        elif kind == "open":
            self.opened_at.append(at)
        elif kind == "restored":
            self.restored += 1
        else:
            self._look(at, *values)

    def _look(self, at: float, prompt: str, status: str, added: str | None, whole: str) -> None:
        order = order_in(prompt.encode())
        assert order is not None, prompt
        self._text = whole if added is None else self._text + added
        visible = answer_to(order).visible
        if not visible.startswith(self._text):
            how = "as a whole" if added is None else f"with {added!r} added"
            self.wrong.append(f"no beginning of {order}, {how}: {_apart(self._text, visible)}")
        if status == "complete" and self._text != visible:
            self.wrong.append(f"complete with {len(self._text)} of {len(visible)} characters")
        self.states.append(State(at, order, status, len(self._text)))


def _apart(shown: str, visible: str) -> str:
    pairs = enumerate(zip(shown, visible, strict=False))
    at = next((i for i, (one, other) in pairs if one != other), len(visible))
    part = slice(max(0, at - 20), at + 40)
    return f"at {at} {shown[part]!r} instead of {visible[part]!r}"


async def observed(context: BrowserContext) -> None:
    """Every page that is loaded from now on tells what it shows."""
    await context.add_init_script(_NOTES)


def tab(page: Page) -> Tab:
    made = Tab(page)
    page.on("console", lambda message: made.note(message))
    page.on("pageerror", lambda error: made.wrong.append(str(error)))
    return made
