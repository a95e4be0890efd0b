"""An administrator in Chromium: describes an endpoint, sees its request, tries it out."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, ViewportSize, expect

from chatapp.demo.server import PROTOCOLS, WIRES
from tests.e2e import axe
from tests.e2e.conftest import PASSWORD, Site, Visitor, watched
from tests.upstream.scripted import DONE, TOKEN, Peer, Upstream, answering, upstream

ADD = "/admin/chatapp/endpoint/add/"
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 844}


@pytest_asyncio.fixture(loop_scope="session")
async def administrator(context: BrowserContext, site: Site) -> AsyncIterator[Visitor]:
    """Signed in to the admin; the test fails if the console complained."""
    visitor = watched(await context.new_page())
    await visitor.page.goto(f"{site.origin}/admin/login/?next={ADD}")
    await visitor.page.get_by_label("Username").fill("admin")
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Log in").click()
    await visitor.page.wait_for_url(f"{site.origin}{ADD}")
    yield visitor
    assert visitor.complaints == []


def model_url(site: Site, protocol: str) -> str:
    return f"http://127.0.0.1:{site.environment['DEMO_MODEL_PORT']}{WIRES[protocol].base}"


def at(server: Upstream) -> str:
    return f"http://127.0.0.1:{server.port}"


async def describe(page: Page, **values: str) -> None:
    """Types into the form, by the names of its fields."""
    for name, value in values.items():
        if name == "protocol":
            await page.locator("#id_protocol").select_option(value)
        else:
            await page.locator(f"#id_{name}").fill(value)


async def tried_out(page: Page, complaints: list[str]) -> Page:
    """Presses the button and returns the page that opens, watched as the first is."""
    async with page.context.expect_page() as opened:
        await page.get_by_role("button", name="Test it").click()
    trial = watched(await opened.value)
    trial.complaints = complaints
    return trial.page


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_endpoint_is_described_seen_tested_and_added(
    protocol: str, administrator: Visitor, site: Site
) -> None:
    page, url = administrator.page, model_url(site, protocol)
    guides = page.locator(".guide:visible")

    await describe(page, protocol=protocol)
    await expect(guides).to_have_count(2)
    assert await guides.first.get_attribute("data-protocol") == protocol

    await describe(page, name=f"typed {protocol}", url=url, model="scripted")
    await describe(page, api_key_env="UNSET_API_KEY")
    request = page.locator("#request")
    await expect(request).to_contain_text(f"POST {url}")
    await expect(request).to_contain_text("$UNSET_API_KEY")
    await expect(request).to_contain_text("UNSET_API_KEY is not set on this server")
    await describe(page, api_key_env="")
    await expect(request).not_to_contain_text("$UNSET_API_KEY")

    trial = await tried_out(page, administrator.complaints)
    await expect(trial.locator(".facts")).to_contain_text("200 OK")
    await expect(trial.locator('[data-fact="FirstToken"]')).to_be_visible()
    await expect(trial.get_by_role("heading", name="It works")).to_be_visible(timeout=20_000)
    await expect(trial.locator(".running")).to_be_hidden()
    await expect(trial.locator(".result")).to_contain_text(re.compile(r"[\d.]+ tokens/s"))
    assert await trial.locator('[data-fact="Piece"]').count() > 2
    await trial.close()

    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".messagelist")).to_contain_text("was added successfully")
    listed = await asyncio.to_thread(site.manage, "endpoint", "list")
    assert f"typed {protocol}  {url}" in listed
    await asyncio.to_thread(site.manage, "endpoint", "remove", f"typed {protocol}")


async def test_facts_show_before_the_end(administrator: Visitor) -> None:
    may_end = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await may_end.wait()
        await peer.chunk(TOKEN + DONE)
        await peer.chunk(b"")

    page = administrator.page
    async with upstream(script) as server:
        await describe(page, name="slow", protocol="openai", url=at(server))
        trial = await tried_out(page, administrator.complaints)
        await expect(trial.locator('[data-fact="FirstToken"]')).to_be_visible()
        await expect(trial.locator('[data-fact="Piece"]')).to_have_count(1)
        await expect(trial.locator(".running")).to_be_visible()
        assert await trial.locator(".result").count() == 0

        may_end.set()
        await expect(trial.locator(".result")).to_contain_text("tok tok")
    await trial.close()


async def test_closing_the_page_ends_the_trial(administrator: Visitor) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await peer.until_closed()

    page = administrator.page
    async with upstream(script) as server:
        await describe(page, name="slow", protocol="openai", url=at(server))
        trial = await tried_out(page, administrator.complaints)
        await expect(trial.locator('[data-fact="FirstToken"]')).to_be_visible()
        await trial.close()

        await asyncio.wait_for(server.all_closed.wait(), 20)


async def test_an_error_is_told_in_the_upstreams_words(administrator: Visitor) -> None:
    async def script(peer: Peer) -> None:
        await peer.respond(402, b'{"error": {"message": "You owe us <b>money</b>."}}')

    page = administrator.page
    async with upstream(script) as server:
        await describe(page, name="wrong", protocol="openai", url=at(server))
        trial = await tried_out(page, administrator.complaints)
        result = trial.locator(".result")
        await expect(result).to_contain_text("The endpoint's account has no credit")
        await expect(result).to_contain_text("402 You owe us <b>money</b>.")
    await trial.close()


async def test_a_change_of_the_url_asks_for_the_keys_variable(
    administrator: Visitor, site: Site
) -> None:
    page = administrator.page
    described = ["--protocol", "openai", "--url", "https://one.example.com/v1"]
    described += ["--api-key-env", "EXAMPLE_API_KEY", "--disable"]
    await asyncio.to_thread(site.manage, "endpoint", "set", "bound", *described)
    await page.goto(f"{site.origin}/admin/chatapp/endpoint/?q=bound")
    await page.get_by_role("link", name="bound", exact=True).click()

    await describe(page, url="https://two.example.com/v1")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".field-key_again")).to_contain_text(
        "the key in EXAMPLE_API_KEY would go elsewhere"
    )
    assert "one.example.com" in await asyncio.to_thread(site.manage, "endpoint", "list")

    await describe(page, key_again="EXAMPLE_API_KEY")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    assert "two.example.com" in await asyncio.to_thread(site.manage, "endpoint", "list")
    await asyncio.to_thread(site.manage, "endpoint", "remove", "bound")


async def test_without_scripts_the_request_and_the_test_are_pages(
    browser_without_scripts: Page,
) -> None:
    page = browser_without_scripts
    async with upstream(answering(TOKEN + DONE)) as server:
        await describe(page, name="plain", protocol="openai", url=at(server))
        async with page.context.expect_page() as opened:
            await page.get_by_role("button", name="Show request").click()
        await expect((await opened.value).locator(".wire")).to_contain_text(f"POST {at(server)}")
        async with page.context.expect_page() as opened:
            await page.get_by_role("button", name="Test it").click()
        await expect((await opened.value).locator(".result")).to_contain_text("It works")


async def test_nothing_breaks_the_rules(administrator: Visitor) -> None:
    page = administrator.page
    async with upstream(answering(TOKEN + DONE)) as server:
        await describe(page, name="seen", protocol="openai", url=at(server))
        await expect(page.locator("#request")).to_contain_text("POST")
        trial = await tried_out(page, administrator.complaints)
        await expect(trial.locator(".result")).to_be_visible()

    assert administrator.complaints == []
    found = [await broken(each) for each in (page, trial)]
    administrator.complaints.clear()  # axe's own: our policy allows none of its styles
    await trial.close()

    assert found == [[], []]


async def broken(page: Page) -> list[str]:
    """What breaks the rules in light and dark, wide and narrow."""
    found = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for size in (WIDE, NARROW):
            await page.set_viewport_size(size)
            found += [f"{scheme} {size['width']}: {told}" for told in await axe.violations(page)]
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{size['width']}: scrolls sideways")
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def browser_without_scripts(
    administrator: Visitor, context: BrowserContext, site: Site
) -> AsyncIterator[Page]:
    """The form in a browser that runs no script, signed in already."""
    assert context.browser is not None
    plain = await context.browser.new_context(
        java_script_enabled=False, storage_state=await context.storage_state()
    )
    page = await plain.new_page()
    await page.goto(f"{site.origin}{ADD}")
    yield page
    await plain.close()
