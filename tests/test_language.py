"""Everything a person reads is in their language, wherever and whenever it is made."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient
from django.utils import timezone, translation

from chatapp.composing.chat_settings import SettingsForm
from chatapp.database import read, write
from chatapp.errors import Kind
from chatapp.locales import carried, counted
from chatapp.models import Conversation, Endpoint, Import, Message, Role, Status
from tests.tab import Tab
from tests.views.test_preferences import CHOICES, root_of

TabOf = Callable[..., Tab]

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
FENCE = "/echo\n```python\nprint(1)\n```"


async def test_the_browser_decides_while_nobody_chose(transactional_db: None) -> None:
    german = await AsyncClient().get("/login/", headers=GERMAN)
    other = await AsyncClient().get("/login/", headers={"accept-language": "fr"})

    assert '<html lang="de"' in root_of(german.content)
    assert "<h1>Anmelden</h1>" in german.content.decode()
    assert german.headers["Content-Language"] == "de"
    assert "Accept-Language" in german.headers["Vary"]
    assert "<h1>Sign in</h1>" in other.content.decode()


async def test_a_choice_goes_before_the_browser_until_it_is_taken_back(
    transactional_db: None,
) -> None:
    client = AsyncClient()

    await client.post("/preferences/", CHOICES | {"language": "en"})
    chosen = await client.get("/login/", headers=GERMAN)
    await client.post("/preferences/", CHOICES | {"language": ""})
    given_back = await client.get("/login/", headers=GERMAN)

    assert client.cookies["language"]["max-age"] == 31536000
    assert "<h1>Sign in</h1>" in chosen.content.decode()
    assert "<h1>Anmelden</h1>" in given_back.content.decode()


async def test_each_language_is_named_in_its_own_words(transactional_db: None) -> None:
    client = AsyncClient()
    client.cookies.load({"language": "de"})

    page = (await client.get("/preferences/", headers=GERMAN)).content.decode()

    assert '<option value="en" lang="en">English</option>' in page
    assert '<option value="de" selected lang="de">Deutsch</option>' in page


@pytest.mark.parametrize("hostile", ["fr", "de\x00", "../en", '"><script>', "d" * 3000])
async def test_a_language_that_nobody_offers_counts_for_nothing(
    hostile: str, transactional_db: None
) -> None:
    client = AsyncClient()
    client.cookies.load({"language": hostile})

    refused = await client.post("/preferences/", CHOICES | {"language": hostile}, headers=GERMAN)

    assert refused.status_code == 422
    assert '<html lang="de"' in root_of(refused.content)


@pytest.mark.parametrize(
    ("path", "words"),
    [("/nowhere/", "Nicht gefunden"), ("/broken/", "Etwas ist schiefgegangen")],
)
@pytest.mark.urls("tests.views.broken")
async def test_error_pages_are_in_the_readers_language(
    path: str, words: str, transactional_db: None
) -> None:
    answer = await AsyncClient(raise_request_exception=False).get(path, headers=GERMAN)

    assert words in answer.content.decode()


async def test_what_is_too_large_is_refused_in_the_readers_language(
    transactional_db: None,
) -> None:
    length: dict[str, Any] = {"CONTENT_LENGTH": str(10**9)}

    answer = await AsyncClient().generic("POST", "/preferences/", b"", headers=GERMAN, **length)

    assert answer.status_code == 413
    assert "21,0\xa0MB" in answer.content.decode()
    assert '<html lang="de"' in root_of(answer.content)


async def test_days_and_dates_are_told_in_the_readers_language(
    alice: User, browser: AsyncClient
) -> None:
    at = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
    await Conversation.objects.acreate(owner=alice, title="old", active_at=at)
    await Conversation.objects.acreate(owner=alice, title="new")

    page = (await browser.get("/conversations/", headers=GERMAN)).content.decode()

    assert "<h2>Heute</h2>" in page
    assert "<h2>März 2025</h2>" in page
    assert "1. März 2025 UTC</time>" in page
    assert 'title="Samstag, 1. März 2025, 12:30 UTC"' in page


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "Die Unterhaltung wurde gelöscht."), (2, "2 Unterhaltungen wurden gelöscht.")],
)
async def test_plurals_are_right(
    number: int, words: str, alice: User, browser: AsyncClient
) -> None:
    made = [await Conversation.objects.acreate(owner=alice) for _ in range(number)]
    deleted = ",".join(str(conversation.pk) for conversation in made)

    page = await browser.get(f"/conversations/?deleted={deleted}", headers=GERMAN)

    assert words in page.content.decode()


def test_numbers_are_written_as_the_reader_does() -> None:
    with translation.override("de"):
        assert (counted(32000), counted(0.5)) == ("32.000", "0,5")
    assert (counted(32000), counted(0.5)) == ("32,000", "0.5")


@pytest.mark.parametrize("typed", ["0,7", "0.7"])
def test_numbers_are_read_as_the_reader_writes_them(typed: str, alice: User) -> None:
    with translation.override("de"):
        form = SettingsForm(alice, {"temperature": typed})

        assert form.is_valid(), form.errors
        assert form.cleaned_data["temperature"] == 0.7
        assert 'value="0,7"' in str(
            SettingsForm(alice, kept=Conversation(parameters={"temperature": 0.7}))
        )


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_number_that_could_be_two_is_not_taken(language: str, alice: User) -> None:
    with translation.override(language):
        assert "max_tokens" in SettingsForm(alice, {"max_tokens": "2.000"}).errors


async def test_database_threads_know_the_language(transactional_db: None) -> None:
    with translation.override("de"):
        within = await read(translation.get_language), await write(translation.get_language)

    assert within == ("de", "de")
    assert await read(translation.get_language) == "en"


async def test_requests_at_once_keep_their_languages_apart(transactional_db: None) -> None:
    async def heading(language: str) -> str:
        page = await AsyncClient().get("/login/", headers={"accept-language": language})
        return re.findall(r"<h1>(.*?)</h1>", page.content.decode())[0]

    headings = await asyncio.gather(*map(heading, ["de", "en"] * 8))

    assert headings == ["Anmelden", "Sign in"] * 8
    assert translation.get_language() == "en"


async def test_work_that_is_carried_keeps_language_and_zone() -> None:
    def where() -> tuple[str | None, str]:
        return translation.get_language(), timezone.get_current_timezone_name()

    with translation.override("de"), timezone.override("Asia/Tokyo"):
        work = carried(where)

    assert await asyncio.to_thread(work) == ("de", "Asia/Tokyo")
    assert where() == ("en", "UTC")


async def test_a_page_tells_its_socket_what_it_is_written_in(
    browser: AsyncClient, conversation: Conversation
) -> None:
    address = f"/c/{conversation.pk}/"

    german = (await browser.get(address, headers=GERMAN)).content.decode()
    english = (await browser.get(address)).content.decode()

    assert "&amp;language=de&amp;" in re.sub(r"\s", "", german)
    assert "&amp;language=en&amp;" in re.sub(r"\s", "", english)


async def test_two_readers_of_one_reply_each_read_it_in_their_language(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice, language="de") as german, tab_of(alice) as english:
        await german.say("/pace 50 " + FENCE)
        for tab in (german, english):
            await tab.until(lambda page: page.status == "complete")
    async with tab_of(alice, language="de") as later, tab_of(alice) as later_still:
        for tab in (later, later_still):
            await tab.until(lambda page: page.status == "complete")

    assert words_of(german) == words_of(later) == ("Kopieren", "gesamt")
    assert words_of(english) == words_of(later_still) == ("Copy", "in all")


def words_of(tab: Tab) -> tuple[str, str]:
    """What a box of code, and the line under a reply, say in one of the languages."""
    shown = "".join(tab.page.frames)
    boxes = re.findall(r"data-copy>(\w+)<", shown)
    lines = re.findall(r"\b(gesamt|in all)\b", shown)
    assert boxes and lines
    assert len({*boxes}) == len({*lines}) == 1, "two languages on one page"
    return boxes[0], lines[0]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"action": "dance"}, "Die Aktion „dance“ ist unbekannt"),
        ({"action": "stop", "message": "?"}, "Erwartet wird eine ID als „message“."),
        ({"action": "send", "text": " "}, "Schreib erst eine Nachricht"),
        ({"action": "send", "text": "x" * 32_001}, "32.000 Zeichen haben; diese hat 32.001."),
        ({"action": "queue", "text": "x" * 32_001}, "32.000 Zeichen haben; diese hat 32.001."),
    ],
)
async def test_a_notice_is_in_the_language_of_its_reader(
    frame: dict[str, str], words: str, alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    """Those of `send` are raised by a task that outlives the socket, on a database thread."""
    async with tab_of(alice, language="de") as tab:
        await tab.send(key=str(uuid4()), **frame)
        page = await tab.until(lambda page: page.notice)

    assert words in page.notice


async def test_who_is_signed_out_reads_so_in_their_language(
    conversation: Conversation,
) -> None:
    async with Tab(conversation.pk, "nobody", language="de") as tab:
        assert await tab.until_closed() == 4401

    assert "Du bist abgemeldet." in tab.page.notice
    assert "Anmelden" in tab.page.notice


async def test_a_language_that_nobody_has_leaves_the_socket_english(
    alice: User, tab_of: TabOf
) -> None:
    async with tab_of(alice, language="../de") as tab:
        await tab.send(action="dance")
        page = await tab.until(lambda page: page.notice)

    assert "The action “dance” is unknown" in page.notice


async def test_the_list_that_a_socket_brings_is_in_the_readers_language(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice, language="de", lists=True) as tab:
        await tab.say("/echo hi")
        await tab.until(lambda page: any("<h2>" in frame for frame in page.frames))

    assert any("<h2>Heute</h2>" in frame for frame in tab.page.frames)


async def test_what_went_wrong_is_kept_by_kind_and_told_in_the_readers_language(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice, language="de") as german, tab_of(alice) as english:
        await german.say("/fault 429")
        for tab in (german, english):
            await tab.until(lambda page: page.status == "error")

    reply = await Message.objects.aget(role=Role.ASSISTANT)
    assert reply.error_kind == Kind.RATE_LIMIT
    assert "Das Anfragelimit des Endpunkts ist erreicht" in "".join(german.page.frames)
    assert "The endpoint&#x27;s rate limit was reached" in "".join(english.page.frames)
    assert reply.error_message in german.page.articles[-1].text


async def test_an_import_reports_in_the_language_of_whoever_began_it(
    alice: User, browser: AsyncClient
) -> None:
    file = SimpleUploadedFile("talks.json", b'[{"title": "odd"}, {"mapping": {}}] oops')

    answer = await browser.post("/imports/new/", {"file": file}, headers=GERMAN)
    async with asyncio.timeout(30):
        while (await Import.objects.aget()).finished_at is None:
            await asyncio.sleep(0.02)
    page = await browser.get(answer.headers["location"], headers=GERMAN)

    assert "Das ist keine Unterhaltung von chatapp oder ChatGPT." in page.content.decode()
    assert "Unterhaltung 2" in page.content.decode()


@pytest.mark.parametrize(
    ("language", "words"), [("de", ("Du", "1. März 2025, 21:30")), ("en", ("You", "1 March 2025"))]
)
async def test_a_download_is_in_the_readers_language_and_zone(
    language: str, words: tuple[str, ...], alice: User, browser: AsyncClient
) -> None:
    at = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
    talk = await Conversation.objects.acreate(owner=alice, created_at=at)
    await Message.objects.acreate(conversation=talk, role=Role.USER, text="hi")
    browser.cookies.load({"timezone": "Asia/Tokyo"})

    answer: Any = await browser.get(
        f"/c/{talk.pk}/export.md", headers={"accept-language": language}
    )
    text = b"".join([piece async for piece in answer.streaming_content]).decode()

    assert all(each in text for each in words)


async def test_the_statuses_of_the_admin_are_translated(alice: User) -> None:
    with translation.override("de"):
        assert [str(Status.STOPPED.label), str(Role.USER.label)] == ["Angehalten", "Person"]
