"""Every page, by axe-core: WCAG 2.0 to 2.2, A and AA, light and dark, wide and phone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e.axe import FADED, violations
from tests.e2e.conftest import PASSWORD, Site, Visitor, watched

VARIED = r"""/echo
# A heading

A [link](https://example.org), `code`, ~~no~~ and **bold**.

> quoted

```python
@cache
def f(x: int = 1) -> str:
    "a string"  # a comment
    return None if x > 0xFF else print(f"{x}")
```

```diff
- old
+ new
```

| a | b |
| --- | ---: |
| 1 | 2 |

$$\int_0^1 x^2\,dx = \frac{1}{3}$$
"""


async def nothing_more(page: Page) -> None: ...


async def the_sheet(page: Page) -> None:
    await page.keyboard.press("Control+/")
    await page.get_by_role("dialog", name="Shortcuts").wait_for()


async def the_menu(page: Page) -> None:
    await page.get_by_role("button", name="This conversation").click()
    await page.locator("#menu").wait_for()


async def the_settings(page: Page) -> None:
    await page.locator(".gear").click()
    await page.locator("#settings").wait_for()


async def the_sidebar(page: Page) -> None:
    button = page.get_by_role("button", name="Conversations")
    if await button.is_visible():
        await button.click()


async def an_edit(page: Page) -> None:
    await page.get_by_role("link", name="Edit and send again").first.click()
    await page.get_by_role("button", name="Send again").wait_for()


async def a_question(page: Page) -> None:
    await page.get_by_role("button", name="Delete from here on").first.click()
    await page.get_by_role("dialog").get_by_role("button", name="Keep").wait_for()


# A name → the address and what is done there first. A page more is a line more; {varied} and
# {message} are a conversation with a bit of everything and the first message in it.
Prepare = Callable[[Page], Awaitable[None]]
PAGES: dict[str, tuple[str, Prepare]] = {
    "login": ("/login/", nothing_more),
    "not found": ("/nowhere/", nothing_more),
    "home": ("/", nothing_more),
    "conversation": ("/c/{varied}/", nothing_more),
    "sidebar": ("/c/{varied}/", the_sidebar),
    "menu": ("/c/{varied}/", the_menu),
    "settings": ("/c/{varied}/", the_settings),
    "edit in place": ("/c/{varied}/", an_edit),
    "question": ("/c/{varied}/", a_question),
    "shortcuts": ("/c/{varied}/", the_sheet),
    "long": ("/c/{long}/", nothing_more),
    "failed": ("/c/{failed}/", nothing_more),
    "conversations": ("/conversations/", nothing_more),
    "archive": ("/conversations/?archived", nothing_more),
    "results": ("/search/?q=heading", nothing_more),
    "no results": ("/search/?q=nowhere-at-all", nothing_more),
    "edit": ("/messages/{message}/edit-form/", nothing_more),
    "reason": ("/messages/{reply}/reason/", nothing_more),
    "preferences": ("/preferences/?saved", nothing_more),
    "own data": ("/your-data/", nothing_more),
    "left": ("/your-data/left/", nothing_more),
    "oversight": ("/oversight/", nothing_more),
    "endpoints": ("/admin/chatapp/endpoint/", nothing_more),
}
# Once more by those who speak German: what is longer, and marked as another language.
IN_GERMAN = [
    *("login", "home", "conversation", "settings", "failed", "conversations", "results"),
    *("preferences", "endpoints"),
]
SIZES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@dataclass(frozen=True)
class Talks:
    """What somebody said, the session they said it in, and an administrator's."""

    ids: dict[str, str]
    session: Any
    administrator: Any

    def session_for(self, name: str) -> Any:
        """What the page of this name is looked at with."""
        others = {"login": None, "endpoints": self.administrator}
        return others.get(name, self.session)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def talks(browser: Browser, site: Site) -> AsyncIterator[Talks]:
    context = await browser.new_context()
    visitor = watched(await context.new_page())
    page = visitor.page
    await page.goto(site.link)
    ids = {"failed": await begun(visitor, "/fault 429")}
    ids["long"] = await begun(visitor, "/tokens 2500 /pace max")
    ids["varied"] = await begun(visitor, VARIED)
    await page.get_by_role("button", name="Bad reply").click()
    await page.get_by_role("button", name="Say why").wait_for()
    articles = await visitor.articles.evaluate_all("all => all.map((one) => one.id)")
    ids["message"], ids["reply"] = (name.removeprefix("message-") for name in articles)
    await visitor.say("Think first /tokens 5000 /pace 100")
    await visitor.until(lambda text: len(text) > 20)
    await page.get_by_role("button", name="Stop", exact=True).click()
    await page.get_by_role("button", name="Send", exact=True).wait_for()
    await begun(visitor, "/echo put away")
    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("button", name="Archive").click()
    yield Talks(ids, await context.storage_state(), await signed_in(browser, site))
    await context.close()


async def signed_in(browser: Browser, site: Site) -> Any:
    """The administrator's session."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{site.origin}/admin/login/")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("link", name="Running replies").wait_for()
    session = await context.storage_state()
    await context.close()
    return session


async def begun(visitor: Visitor, text: str) -> str:
    """Says it in a new conversation; returns its id once the reply has ended."""
    await visitor.page.goto(visitor.page.url.partition("/c/")[0])
    await visitor.say(text)
    await visitor.until_status("complete", "error")
    await visitor.page.get_by_role("button", name="Send", exact=True).wait_for()
    return visitor.page.url.rstrip("/").rpartition("/")[2]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
async def test_no_rule_is_broken(
    name: str, size: str, talks: Talks, browser: Browser, site: Site
) -> None:
    context = await browser.new_context(storage_state=talks.session_for(name), **SIZES[size])
    page = await shown(name, context, site, talks)

    found: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.evaluate(FADED)
        found[scheme] = await violations(page)
    await context.close()

    assert not any(found.values()), "\n\n".join([*found["light"], *found["dark"]])


@pytest.mark.parametrize("name", IN_GERMAN)
async def test_no_rule_is_broken_in_german(
    name: str, talks: Talks, browser: Browser, site: Site
) -> None:
    session = talks.session_for(name)
    context = await browser.new_context(storage_state=session, locale="de-DE", **SIZES["phone"])
    page = await shown(name, context, site, talks)

    found = await violations(page)
    await page.set_viewport_size(SIZES["wide"]["viewport"])
    found += await violations(page)
    language = await page.locator("html").get_attribute("lang")
    await context.close()

    assert language == "de"
    assert not found, "\n\n".join(found)


async def shown(name: str, context: BrowserContext, site: Site, talks: Talks) -> Page:
    """The page of this name, ready to be looked at."""
    address, prepare = PAGES[name]
    page = await context.new_page()
    await page.goto(site.origin + address.format(**talks.ids))
    assert page.url == site.origin + address.format(**talks.ids), "the session has ended"
    await prepare(page)
    await page.keyboard.press("Tab")  # from here on boxes that scroll are stops
    # The link that skips the list lies over what stands there, for as long as it has the focus.
    await page.evaluate("document.activeElement.matches('.skip') && document.activeElement.blur()")
    return page
