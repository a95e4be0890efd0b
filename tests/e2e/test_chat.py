"""A person talks to a streaming model in the browser."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Locator, Route, expect

from tests.e2e.conftest import PASSWORD, WAIT_S, Site, Visitor, watched
from tests.e2e.relay import Relay

FENCED = """\
/echo
```python
def first():
\treturn "<b>&amp;"
```

- an item

  ```
  second
    is indented

  and has two paragraphs
  ```

  text between

  ```sh
  echo third
  ```

~~~
``` fourth ``` 🌊
~~~
"""
BLOCKS = [
    'def first():\n\treturn "<b>&amp;"\n',
    "second\n  is indented\n\nand has two paragraphs\n",
    "echo third\n",
    "``` fourth ``` 🌊\n",
]


async def test_the_first_answer_streams_in_within_seconds(visitor: Visitor) -> None:
    await visitor.say("/tokens 80 /pace 60")
    await visitor.until(bool)

    seen = {await visitor.text_now()}
    while await visitor.reply.get_attribute("data-status") == "streaming":
        seen.add(await visitor.text_now())
        await asyncio.sleep(0.05)

    await visitor.until_status("complete")
    assert len(seen) > 2
    assert await visitor.reply.get_attribute("aria-busy") == "false"
    assert await visitor.box.input_value() == ""


async def test_a_name_and_a_password_sign_in(context: BrowserContext, site: Site) -> None:
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.origin)
    await visitor.page.get_by_label("Name").fill("demo")
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Sign in").click()

    await expect(visitor.box).to_be_focused()
    assert visitor.complaints == []


@pytest.mark.parametrize(
    "name", ["OpenAI-compatible", "Anthropic-compatible", "Truss", "Cerebrium"]
)
async def test_every_kind_of_endpoint_answers(name: str, visitor: Visitor) -> None:
    options = await visitor.page.get_by_label("Endpoint").locator("option").all_inner_texts()
    await visitor.choose(next(option for option in options if name in option))

    await visitor.say("/echo **héllo** 世界 🌊")
    await visitor.until_status("complete")

    assert (await visitor.text_now()).strip() == "héllo 世界 🌊"
    assert await visitor.text.locator("strong").inner_text() == "héllo"


async def test_shift_enter_breaks_the_line_and_the_box_grows(visitor: Visitor) -> None:
    low = (await visitor.box.bounding_box() or {})["height"]
    await visitor.box.press_sequentially("one")
    for line in ("two", "three", "four"):
        await visitor.box.press("Shift+Enter")
        await visitor.box.press_sequentially(line)

    assert await visitor.box.input_value() == "one\ntwo\nthree\nfour"
    assert (await visitor.box.bounding_box() or {})["height"] > low


async def test_send_becomes_stop_and_stop_keeps_the_text(visitor: Visitor) -> None:
    await visitor.say("/tokens 5000 /pace 100")
    await visitor.until(lambda text: len(text) > 40)
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()

    await visitor.until_status("stopped")
    kept = await visitor.text_now()
    await expect(visitor.page.get_by_role("button", name="Send")).to_be_visible()
    await visitor.page.reload()

    assert len(kept) > 40
    assert await visitor.text_now() == kept


async def test_stop_works_before_the_first_token(visitor: Visitor) -> None:
    await visitor.say("/fault hang")
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()

    await visitor.until_status("stopped")


async def test_a_reload_in_mid_stream_shows_the_whole_text_and_the_rest(visitor: Visitor) -> None:
    await visitor.say("/tokens 200 /pace 80")
    await visitor.until(lambda text: len(text) > 100)
    before = await visitor.text_now()
    await visitor.page.reload()
    await visitor.until(bool)
    after = await visitor.text_now()
    await visitor.until_status("complete")
    streamed = await visitor.text_now()
    await visitor.page.reload()

    assert after.startswith(before[:60])
    assert await visitor.text_now() == streamed


async def test_two_tabs_show_the_same(visitor: Visitor, context: BrowserContext) -> None:
    await visitor.say("/tokens 150 /pace 100")
    other = watched(await context.new_page())
    await other.page.goto(visitor.page.url)
    await visitor.until_status("complete")
    await other.until_status("complete")

    assert await other.text_now() == await visitor.text_now()
    assert other.complaints == []


async def test_a_page_whose_socket_script_comes_late_is_connected(visitor: Visitor) -> None:
    async def late(route: Route) -> None:
        await asyncio.sleep(0.5)
        await route.continue_()

    await visitor.page.route("**/hx-ws*.js", late)
    await visitor.say("/tokens 40 /pace 40")
    await visitor.until_status("complete")


async def test_an_error_says_what_happened_and_offers_retry(visitor: Visitor) -> None:
    await visitor.say("/fault 429")
    await visitor.until_status("error")
    failed = await visitor.reply.get_attribute("id")

    await expect(visitor.reply).to_contain_text("HTTP 429")
    await expect(visitor.reply).to_contain_text("Kind: rate_limit")
    await expect(visitor.reply).to_contain_text("Request id")
    await visitor.reply.get_by_role("button", name="Retry").click()
    await expect(visitor.page.locator(f"#{failed}")).to_have_count(0)
    await visitor.until_status("error")
    await visitor.page.reload()
    await expect(visitor.page.locator('article[data-role="assistant"]')).to_have_count(1)


async def test_text_before_a_break_is_kept(visitor: Visitor) -> None:
    await visitor.say("/fault cut")
    await visitor.until_status("incomplete")

    assert await visitor.text_now()
    await expect(visitor.reply).to_contain_text("ended early")


async def test_reasoning_is_folded_and_a_refusal_is_shown(visitor: Visitor) -> None:
    await visitor.say("/reason /tokens 30 /pace max")
    await visitor.until_status("complete")
    await expect(visitor.reply.locator("details.reasoning")).not_to_have_attribute("open", "")
    await expect(visitor.reply.locator("details.reasoning .prose")).to_be_hidden()
    await visitor.reply.get_by_text("Reasoning").first.click()
    await expect(visitor.reply.locator("details.reasoning .prose")).to_be_visible()

    await visitor.say("/fault refusal")
    await visitor.until_status("complete", "error")
    await expect(visitor.reply.locator(".refusal")).to_be_visible()


async def test_an_unfolded_reasoning_stays_unfolded_while_it_streams(visitor: Visitor) -> None:
    await visitor.say("/reason 60 /tokens 60 /pace 60")
    await visitor.reply.get_by_text("Reasoning").first.click()
    await visitor.until_status("complete")

    await expect(visitor.reply.locator("details.reasoning")).to_have_attribute("open", "")


async def test_a_message_sent_while_the_connection_is_away_stays_and_is_sent_later(
    remote: Visitor, relay: Relay
) -> None:
    await remote.say("/echo hello")
    await remote.until_status("complete")
    await relay.cut()
    await expect(remote.page.locator("#offline")).to_be_visible()
    await remote.box.fill("/echo again")
    await remote.box.press("Enter")
    await remote.page.get_by_role("button", name="Send").click()

    await expect(remote.box).to_have_value("/echo again")
    await expect(remote.articles).to_have_count(2)
    await relay.start()
    await expect(remote.page.locator("#offline")).to_be_hidden()
    await expect(remote.box).to_have_value("/echo again")
    await remote.say("/echo again")
    await remote.until(lambda text: text.strip() == "again")
    await expect(remote.box).to_have_value("")
    await remote.page.reload()
    await expect(remote.articles).to_have_count(4)


async def test_a_message_sent_before_the_page_is_connected_waits_for_it(
    remote: Visitor, relay: Relay
) -> None:
    await remote.say("/echo hello")
    await remote.until_status("complete")
    relay.hold_sockets()
    await remote.page.reload()
    await remote.box.fill("/echo again")
    await remote.box.press("Enter")
    await remote.box.press("End")
    await remote.box.press_sequentially(" and more")
    await expect(remote.page.locator("#offline")).to_be_hidden()
    relay.let_sockets_open()

    await remote.until(lambda text: text.strip() == "again")
    await expect(remote.box).to_have_value(" and more")
    await expect(remote.articles).to_have_count(4)


async def test_a_message_that_waits_for_a_page_that_cannot_connect_stays(
    remote: Visitor, relay: Relay
) -> None:
    await remote.say("/echo hello")
    await remote.until_status("complete")
    relay.hold_sockets()
    await remote.page.reload()
    await remote.box.fill("/echo again")
    await remote.box.press("Enter")
    await relay.cut()
    await expect(remote.page.locator("#offline")).to_be_visible()
    relay.let_sockets_open()
    await relay.start()

    await expect(remote.page.locator("#offline")).to_be_hidden()
    await expect(remote.box).to_have_value("/echo again")
    await remote.say("/echo again")
    await remote.until(lambda text: text.strip() == "again")
    await expect(remote.box).to_have_value("")
    await expect(remote.articles).to_have_count(4)


async def test_a_message_whose_echo_is_lost_stays_and_is_answered_once(
    remote: Visitor, relay: Relay, visitor: Visitor, site: Site
) -> None:
    await remote.say("/echo hello")
    await remote.until_status("complete")
    relay.lose_answers()
    await remote.box.fill("/echo again")
    await remote.box.press("Enter")
    await visitor.page.goto(f"{site.origin}{urlsplit(remote.page.url).path}")
    await visitor.until(lambda text: text.strip() == "again")
    await relay.cut()

    await expect(remote.page.locator("#offline")).to_be_visible()
    await expect(remote.box).to_have_value("/echo again")
    await remote.box.press("End")
    await remote.box.press_sequentially(" and more")
    await relay.start()
    await remote.until(lambda text: text.strip() == "again")
    await expect(remote.box).to_have_value(" and more")
    await remote.page.reload()
    await expect(remote.articles).to_have_count(4)


async def test_white_space_is_refused_with_a_sentence_and_kept(visitor: Visitor) -> None:
    await visitor.say("/echo hello")
    await visitor.until_status("complete")
    await visitor.box.fill("   ")
    await visitor.box.press("Enter")

    await expect(visitor.page.get_by_role("alert").filter(has_text="empty")).to_be_visible()
    assert await visitor.box.input_value() == "   "
    await visitor.say("/echo again")
    await visitor.until(lambda text: "again" in text)
    await expect(visitor.page.locator("#notice")).to_be_empty()


async def test_what_is_typed_while_the_echo_is_under_way_stays(visitor: Visitor) -> None:
    await visitor.say("/echo one")
    await visitor.until_status("complete")
    await visitor.box.fill("/echo two")
    await visitor.page.keyboard.press("Enter")
    await visitor.page.keyboard.type(" and more")

    await visitor.until(lambda text: "two" in text)
    await expect(visitor.box).to_have_value(re.compile("and more$"))
    assert "two" not in await visitor.box.input_value()


@pytest.mark.parametrize("pause_ms", [0, 40, 150])
async def test_a_double_click_on_send_asks_once_and_stops_nothing(
    pause_ms: int, visitor: Visitor
) -> None:
    for asked in (1, 2):  # The first message goes by form, the second by socket.
        await visitor.box.fill("/tokens 40 /pace 40")
        await double_click(visitor, visitor.page.get_by_role("button", name="Send"), pause_ms)
        await visitor.articles.nth(2 * asked - 1).wait_for()
        await visitor.until_status("complete")

        await expect(visitor.box).to_have_value("")
        await visitor.page.reload()
        await expect(visitor.articles).to_have_count(2 * asked)


async def double_click(visitor: Visitor, button: Locator, pause_ms: int) -> None:
    """Two clicks on the place where the button is, whatever is there by the second."""
    async with asyncio.timeout(WAIT_S):
        while (box := await button.bounding_box()) is None:  # a frame has just put another there
            await asyncio.sleep(0.01)
    await visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for click_count in (1, 2):
        await visitor.page.mouse.down(click_count=click_count)
        await visitor.page.mouse.up(click_count=click_count)
        await asyncio.sleep(pause_ms / 1000)


async def test_enter_pressed_twice_asks_once(visitor: Visitor) -> None:
    for asked in (1, 2):  # The first message goes by form, the second by socket.
        await visitor.box.fill("/echo once")
        await visitor.box.focus()
        await asyncio.gather(*(visitor.page.keyboard.press("Enter") for _ in range(2)))
        await visitor.articles.nth(2 * asked - 1).wait_for()
        await visitor.until_status("complete")

        await expect(visitor.box).to_have_value("")
        await visitor.page.reload()
        await expect(visitor.articles).to_have_count(2 * asked)


async def test_what_is_sent_before_the_echo_of_the_last_message_goes_behind_it(
    visitor: Visitor,
) -> None:
    await visitor.say("/echo one")
    await visitor.until_status("complete")

    await visitor.box.evaluate(
        """box => {
            for (const text of ["/echo two", "/echo three"]) {
                box.value += text;
                box.form.requestSubmit();
            }
        }"""
    )

    await expect(visitor.articles).to_have_count(6)
    await visitor.until(lambda text: text.strip() == "three")
    await expect(visitor.box).to_have_value("")


async def test_the_view_follows_only_a_reader_who_is_at_the_bottom(visitor: Visitor) -> None:
    await visitor.say("/tokens 1500 /pace 300")
    scroller = visitor.page.locator("[data-scroller]")
    distance = "e => e.scrollHeight - e.clientHeight - e.scrollTop"
    await visitor.until(lambda text: len(text) > 2500)
    assert await scroller.evaluate(distance) < 50

    await scroller.hover()
    await visitor.page.mouse.wheel(0, -600)
    jump = visitor.page.get_by_role("button", name="Jump to latest")
    await expect(jump).to_be_visible()
    top = await scroller.evaluate("e => e.scrollTop")
    await asyncio.sleep(0.5)
    assert abs(await scroller.evaluate("e => e.scrollTop") - top) < 2

    await jump.click()
    await expect(jump).to_be_hidden()
    await visitor.until_status("complete")
    assert await scroller.evaluate(distance) < 50


async def test_each_copy_button_copies_its_own_block(
    visitor: Visitor, context: BrowserContext
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.say(FENCED)
    await visitor.until_status("complete")
    assert await copied(visitor) == BLOCKS

    await visitor.page.reload()
    assert await copied(visitor) == BLOCKS


async def copied(visitor: Visitor) -> list[str]:
    """What a paste into the box brings after each Copy button."""
    pasted = []
    for button in await visitor.text.locator("[data-copy]").all():
        await button.click()
        await expect(button).to_have_text("Copied")
        await visitor.box.fill("")
        await visitor.box.press("ControlOrMeta+V")
        pasted.append(await visitor.box.input_value())
    return pasted


async def test_a_copy_button_pressed_again_says_copy_in_the_end(
    visitor: Visitor, context: BrowserContext
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.say("/echo\n```\ntext\n```")
    await visitor.until_status("complete")
    await visitor.page.clock.install()
    button = visitor.text.locator("[data-copy]")
    for _ in range(2):
        await button.click()
        await expect(button).to_have_text("Copied")
        await visitor.page.clock.run_for(100)

    await visitor.page.clock.run_for(5000)
    await expect(button).to_have_text("Copy")


async def test_links_open_elsewhere_and_images_are_links(visitor: Visitor) -> None:
    requests: list[str] = []
    visitor.page.on("request", lambda request: requests.append(request.url))
    await visitor.say("/echo [site](https://example.com/a) ![pic](https://tracker.example/x.png)")
    await visitor.until_status("complete")

    link = visitor.text.locator("a").first
    assert await link.get_attribute("target") == "_blank"
    assert "noopener" in (await link.get_attribute("rel") or "")
    await expect(visitor.text).to_contain_text("example.com")
    assert await visitor.text.locator("img").count() == 0
    assert not any("tracker.example" in url for url in requests)


async def test_formulas_are_mathml_and_code_is_coloured(visitor: Visitor) -> None:
    await visitor.say("/echo Euler: $e^{i\\pi}+1=0$\n\n```python\ndef f(): return 'x'\n```\n")
    await visitor.until_status("complete")

    assert await visitor.text.locator("math").count() == 1
    assert await visitor.text.locator("pre code span").count() > 1
    assert (await visitor.text.locator("pre code").inner_text()).strip() == "def f(): return 'x'"


async def test_the_admin_runs_under_the_same_policy(context: BrowserContext, site: Site) -> None:
    visitor = watched(await context.new_page())
    await visitor.page.goto(f"{site.origin}/admin/")
    await visitor.page.get_by_label("Username").fill("admin")
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Log in").click()
    for path in ("chatapp/conversation/", "chatapp/endpoint/", "chatapp/endpoint/add/"):
        await visitor.page.goto(f"{site.origin}/admin/{path}")
        await expect(visitor.page.locator("#content")).to_be_visible()

    assert visitor.complaints == []
