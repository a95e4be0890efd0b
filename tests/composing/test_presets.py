"""Presets: kept, applied, shared, and changed by those who may."""

import html
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.models import Conversation, Endpoint, Preset

HOSTILE = "<script>x</script>\u202e evil\x07\nname"
SHOWN = "<script>x</script> evil name"


@pytest.fixture
async def stranger(bob: User) -> AsyncClient:
    """Bob, signed in."""
    client = AsyncClient()
    await client.aforce_login(bob)
    return client


@pytest.fixture
async def staff(transactional_db: None) -> AsyncClient:
    client = AsyncClient()
    user = await User.objects.acreate_user("root", password="x", is_staff=True)
    await client.aforce_login(user)
    return client


def form(**values: Any) -> dict[str, Any]:
    return {"name": "Brief", "system_prompt": "Be brief.", "temperature": "0.2"} | values


async def preset_of(owner: User, **fields: Any) -> Preset:
    values = {"name": "Brief", "system_prompt": "Be brief.", "parameters": {"temperature": 0.2}}
    return await Preset.objects.acreate(owner=owner, **values | fields)


async def test_a_preset_is_written_changed_and_deleted(
    browser: AsyncClient, endpoint: Endpoint
) -> None:
    made = await browser.post("/presets/new/save/", form(endpoint=endpoint.pk))
    preset = await Preset.objects.aget()
    assert made.headers["location"] == "/presets/"
    assert (preset.name, preset.system_prompt) == ("Brief", "Be brief.")
    assert (preset.parameters, preset.endpoint_id) == ({"temperature": 0.2}, endpoint.pk)

    page = (await browser.get(f"/presets/{preset.pk}/")).content.decode()
    assert 'value="Brief"' in page and 'value="0.2"' in page

    changed = form(name="Short", temperature="", is_shared="on")
    await browser.post(f"/presets/{preset.pk}/save/", changed)
    preset = await Preset.objects.aget()
    assert (preset.name, preset.parameters, preset.is_shared) == ("Short", {}, True)
    assert (preset.endpoint_id, preset.endpoint_name) == (None, "")

    await browser.post(f"/presets/{preset.pk}/delete/")
    assert not await Preset.objects.aexists()


async def test_settings_are_kept_as_a_preset_while_they_are_saved(
    browser: AsyncClient, endpoint: Endpoint, conversation: Conversation
) -> None:
    address = f"/c/{conversation.pk}/settings/"
    await browser.post(address, form(endpoint=endpoint.pk))
    again = await browser.post(address, form(temperature="1"))

    preset = await Preset.objects.aget()
    kept = await Conversation.objects.aget()
    assert (preset.name, preset.parameters, preset.endpoint_name) == (
        "Brief",
        {"temperature": 0.2},
        "scripted",
    )
    assert kept.parameters == {"temperature": 0.2}
    assert again.status_code == 422
    assert "There is a preset “Brief” already." in again.content.decode()
    assert 'value="1"' in again.content.decode()


async def test_settings_of_a_conversation_that_has_not_begun_can_be_kept(
    browser: AsyncClient, endpoint: Endpoint
) -> None:
    address = f"/c/{uuid.uuid4()}/settings/"
    typed = form(endpoint=endpoint.pk, text="half a thou")

    kept = await browser.post(address, typed)
    refused = [
        await browser.post(address, typed),
        await browser.post(address, form(name="", text="half a thou")),
        await browser.post(address, form(name="Hot", temperature="hot", text="half a thou")),
    ]

    preset = await Preset.objects.aget()
    assert kept.status_code == 200 and [answer.status_code for answer in refused] == [422] * 3
    assert (preset.parameters, preset.endpoint_id) == ({"temperature": 0.2}, endpoint.pk)
    for answer in (kept, *refused):
        page = answer.content.decode()
        assert "half a thou" in page and "Be brief." in page
    assert 'value="hot"' in page and 'value="Hot"' in page
    assert not await Conversation.objects.aexists()


async def test_one_person_has_a_name_once_and_two_may_share_it(
    browser: AsyncClient, alice: User, bob: User
) -> None:
    await preset_of(bob)
    mine = await browser.post("/presets/new/save/", form())
    twice = await browser.post("/presets/new/save/", form(name=" Brief ", temperature="1"))

    assert (mine.status_code, twice.status_code) == (302, 422)
    assert "There is a preset “Brief” already." in twice.content.decode()
    assert 'value="1"' in twice.content.decode()
    assert await Preset.objects.acount() == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "needs a name"),
        ("\u202e \x07\n", "needs a name"),
        ("x" * 81, "can have 80 characters; this one has 81"),
    ],
)
async def test_a_name_that_cannot_be_is_refused_in_words(
    name: str, sentence: str, browser: AsyncClient
) -> None:
    answer = await browser.post("/presets/new/save/", form(name=name))

    assert answer.status_code == 422
    assert sentence in answer.content.decode() and "Be brief." in answer.content.decode()


async def test_bad_settings_are_not_kept_and_come_back(browser: AsyncClient) -> None:
    answer = await browser.post("/presets/new/save/", form(temperature="hot"))

    assert answer.status_code == 422
    assert 'value="hot"' in answer.content.decode()
    assert not await Preset.objects.aexists()


async def test_applying_one_takes_its_settings_over(
    browser: AsyncClient, alice: User, endpoint: Endpoint, conversation: Conversation
) -> None:
    conversation.parameters = {"top_p": 0.5}
    await conversation.asave()
    preset = await preset_of(alice, endpoint=endpoint, endpoint_name="scripted")

    answer = await browser.post(f"/c/{conversation.pk}/preset/", {"preset": preset.pk}, follow=True)

    kept = await Conversation.objects.aget()
    assert (kept.system_prompt, kept.parameters) == ("Be brief.", {"temperature": 0.2})
    assert kept.endpoint_id == endpoint.pk
    assert "no longer exists" not in answer.content.decode()


async def test_a_preset_whose_endpoint_is_gone_applies_the_rest_and_says_so(
    browser: AsyncClient, alice: User, endpoint: Endpoint, conversation: Conversation
) -> None:
    conversation.endpoint = endpoint
    await conversation.asave()
    gone = await Endpoint.objects.acreate(name="gone", protocol="openai", url="http://x.test")
    off = await Endpoint.objects.acreate(
        name="off", protocol="openai", url="http://x.test", enabled=False
    )
    of_gone = await preset_of(alice, name="one", endpoint=gone, endpoint_name="gone")
    of_off = await preset_of(alice, name="two", endpoint=off, endpoint_name="off")
    await gone.adelete()

    for preset, says in ((of_gone, "“gone” of the preset “one” no longer"), (of_off, "disabled")):
        await Conversation.objects.aupdate(system_prompt="", parameters={})
        values = {"preset": preset.pk}
        answer = await browser.post(f"/c/{conversation.pk}/preset/", values, follow=True)
        fresh = await browser.get(f"/?preset={preset.pk}")

        kept = await Conversation.objects.aget()
        assert (kept.endpoint_id, kept.parameters) == (endpoint.pk, {"temperature": 0.2})
        for page in (answer, fresh):
            assert page.status_code == 200
            assert says in html.unescape(page.content.decode())
        assert "Be brief." in fresh.content.decode()


async def test_one_fills_a_conversation_that_has_not_begun_and_what_was_typed_stays(
    browser: AsyncClient, alice: User, endpoint: Endpoint
) -> None:
    preset = await preset_of(alice, endpoint=endpoint)
    typed = {"text": "half a thou", "endpoint": endpoint.pk, "preset": preset.pk}

    answer = await browser.post(f"/c/{uuid.uuid4()}/preset/", typed)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "half a thou" in page and "Be brief." in page and 'value="0.2"' in page
    assert not await Conversation.objects.aexists()


@pytest.mark.parametrize("preset", ["", "x", "-1", "9" * 30, "12345"])
async def test_no_preset_is_applied_that_is_none(
    preset: str, browser: AsyncClient, endpoint: Endpoint, conversation: Conversation
) -> None:
    there = await browser.post(f"/c/{conversation.pk}/preset/", {"preset": preset})
    new = await browser.post(f"/c/{uuid.uuid4()}/preset/", {"preset": preset, "text": "mine"})
    address = await browser.get(f"/?preset={preset}")

    assert (there.status_code, new.status_code, address.status_code) == (302, 200, 200)
    assert "mine" in new.content.decode()


async def test_a_shared_one_is_used_by_all_and_changed_by_its_owner(
    browser: AsyncClient, stranger: AsyncClient, alice: User, endpoint: Endpoint
) -> None:
    own, shared = await preset_of(alice), await preset_of(alice, name="Team", is_shared=True)

    listed = (await stranger.get("/presets/")).content.decode()
    used = (await stranger.get(f"/?preset={shared.pk}")).content.decode()
    assert "Team (alice)" in used
    refused = [
        await stranger.get(f"/presets/{shared.pk}/"),
        await stranger.post(f"/presets/{shared.pk}/save/", form(name="Mine")),
        await stranger.post(f"/presets/{shared.pk}/delete/"),
        await stranger.get(f"/presets/{own.pk}/"),
        await stranger.post(f"/presets/{own.pk}/delete/"),
    ]
    peeped = (await stranger.get(f"/?preset={own.pk}")).content.decode()

    assert "Team" in listed and "shared by alice" in listed and "Brief" not in listed
    assert "Change" not in listed
    assert "Be brief." in used and "Be brief." not in peeped
    assert [answer.status_code for answer in refused] == [404] * 5
    assert await Preset.objects.acount() == 2
    assert "Change Team" in (await browser.get("/presets/")).content.decode()


async def test_the_staff_changes_shared_ones_and_sees_no_others(
    staff: AsyncClient, alice: User
) -> None:
    own, shared = await preset_of(alice), await preset_of(alice, name="Team", is_shared=True)

    changed = await staff.post(f"/presets/{shared.pk}/save/", form(name="Ours", is_shared="on"))
    hidden = await staff.get(f"/presets/{own.pk}/")

    await shared.arefresh_from_db()
    assert (changed.status_code, hidden.status_code) == (302, 404)
    assert (shared.name, shared.owner_id) == ("Ours", alice.pk)


async def test_a_hostile_name_stays_text_and_loses_what_is_not_seen(
    browser: AsyncClient, stranger: AsyncClient, endpoint: Endpoint
) -> None:
    await browser.post("/presets/new/save/", form(name=HOSTILE, is_shared="on"))

    assert (await Preset.objects.aget()).name == SHOWN
    for path in ("/presets/", "/"):
        page = (await stranger.get(path)).content.decode()
        assert "<script>x" not in page and html.escape(SHOWN) in page


async def test_presets_need_someone_signed_in(db: None) -> None:
    for path in ("/presets/", "/presets/new/", "/presets/1/"):
        assert (await AsyncClient().get(path)).headers["location"].startswith("/login/")
