"""The library of prompts: whose they are, what they may be called, which of them match."""

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from chatapp.composing import prompts
from chatapp.errors import InvalidInput
from chatapp.models import Prompt

HOSTILE = '<script>x</script>"><hx-partial hx-target="#tail">'


def prompt_of(user: User, name: str, text: str = "Do it.", *, is_shared: bool = False) -> Prompt:
    return prompts.create(user, name, text, is_shared=is_shared)


def names(user: User, typed: str) -> list[str]:
    return [prompt.name for prompt in prompts.matching(user, typed)]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("review", "review"),
        (" /Code-Review ", "code-review"),
        ("Übung_2", "übung_2"),
        ("u\u0308bung", "übung"),
        ("日本語", "日本語"),
        ("ｗｉｄｅ", "wide"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_name_is_a_slug_in_any_script(typed: str, kept: str, alice: User) -> None:
    assert prompt_of(alice, typed).name == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "letters, digits"),
        ("two words", "letters, digits"),
        ("../../etc", "letters, digits"),
        (HOSTILE, "letters, digits"),
        ("a\0b", "letters, digits"),
        ("a\u202eb", "letters, digits"),
        ("a\u200bb", "letters, digits"),
        ("a\ud800b", "letters, digits"),
        ("//", "letters, digits"),
        ("🌊", "letters, digits"),
        ("x" * 41, "40 characters; this one has 41"),
        ("ﷺ" * 40, "letters, digits"),
        ("ﬃ" * 14, "40 characters; this one has 42"),
    ],
)
def test_another_name_gets_a_sentence(typed: str, sentence: str, alice: User) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        prompt_of(alice, typed)

    assert not Prompt.objects.exists()


@pytest.mark.parametrize(
    ("text", "sentence"), [(" \n", "empty"), ("x" * 32_001, "32,000 characters; this one has")]
)
def test_a_text_that_cannot_be_sent_gets_a_sentence(text: str, sentence: str, alice: User) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        prompt_of(alice, "review", text)


def test_a_name_is_ones_own_only_once_but_others_may_have_it_too(alice: User, bob: User) -> None:
    prompt_of(alice, "review")
    other = prompt_of(alice, "other")
    prompt_of(bob, "review", is_shared=True)

    with pytest.raises(InvalidInput, match="“review” already"):
        prompt_of(alice, "Review")
    with pytest.raises(InvalidInput, match="“review” already"):
        prompts.change(alice, other.pk, "review", "Do it.", is_shared=False)

    assert names(alice, "review") == ["review", "review"]


def test_five_hundred_prompts_and_no_more(alice: User, bob: User) -> None:
    Prompt.objects.bulk_create(
        Prompt(owner=alice, name=f"p{i}", text="x") for i in range(prompts.MOST)
    )

    with pytest.raises(InvalidInput, match="500 prompts"):
        prompt_of(alice, "one-too-many")
    prompt_of(bob, "his-first")


def test_own_ones_come_first_then_those_that_begin_with_what_was_typed(
    alice: User, bob: User
) -> None:
    for name in ("re", "my-review", "review", "plan"):
        prompt_of(alice, name)
    prompt_of(bob, "a-review", is_shared=True)
    prompt_of(bob, "review-his", is_shared=True)
    prompt_of(bob, "review-secret")

    assert names(alice, "REV") == ["review", "my-review", "review-his", "a-review"]
    assert names(alice, "") == ["my-review", "plan", "re", "review", "a-review", "review-his"]
    assert names(alice, "%") == names(alice, "_") == names(alice, "x" * 10_000) == []


def test_at_most_twenty_match(alice: User) -> None:
    for i in range(25):
        prompt_of(alice, f"p{i:02}")

    assert names(alice, "p") == [f"p{i:02}" for i in range(20)]


def test_a_shared_one_is_used_by_everyone_and_changed_by_its_owner_and_staff(
    alice: User, bob: User
) -> None:
    shared = prompt_of(alice, "shared", is_shared=True)
    private = prompt_of(alice, "private")
    root = User.objects.create_user("root", is_staff=True)

    assert [prompt.name for prompt in prompts.usable_by(bob)] == ["shared"]
    for user, prompt in ((bob, shared), (bob, private), (root, private)):
        with pytest.raises(Prompt.DoesNotExist):
            prompts.change(user, prompt.pk, "mine", "Mine now.", is_shared=True)
        with pytest.raises(Prompt.DoesNotExist):
            prompts.delete(user, prompt.pk)
    changed = prompts.change(root, shared.pk, "better", "Do it well.", is_shared=True)

    assert (changed.owner, changed.name) == (alice, "better")


# --- The pages -----------------------------------------------------------------------------------


async def test_a_prompt_is_written_changed_shared_and_deleted(
    browser: AsyncClient, alice: User
) -> None:
    empty = (await browser.get("/prompts/")).content.decode()
    await browser.post("/prompts/create/", {"name": "review", "text": "One\r\ntwo"})
    prompt = await Prompt.objects.aget()
    assert "None yet" in empty and (prompt.text, prompt.is_shared) == ("One\ntwo", False)
    assert "/review" in (await browser.get("/prompts/")).content.decode()

    form = {"name": "review", "text": "Three", "is_shared": "on"}
    await browser.post(f"/prompts/{prompt.pk}/change/", form)
    await prompt.arefresh_from_db()
    assert (prompt.text, prompt.is_shared) == ("Three", True)
    answer = await browser.get(f"/prompts/{prompt.pk}/text/")
    assert answer.content.decode() == "Three"
    assert answer.headers["content-type"].startswith("text/plain")

    await browser.post(f"/prompts/{prompt.pk}/delete/")
    assert not await Prompt.objects.aexists()


@pytest.mark.parametrize("is_new", [True, False])
async def test_what_is_refused_comes_back_in_the_form_with_the_reason(
    is_new: bool, browser: AsyncClient, alice: User
) -> None:
    prompt = await Prompt.objects.acreate(owner=alice, name="review", text="Old")
    address = "/prompts/create/" if is_new else f"/prompts/{prompt.pk}/change/"

    typed = {"name": HOSTILE, "text": "New & kept", "is_shared": "on"}
    answer = await browser.post(address, typed)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "letters, digits" in page and "New &amp; kept" in page and " checked" in page
    assert "<script>x" not in page and 'value="&lt;script&gt;' in page
    await prompt.arefresh_from_db()
    assert prompt.text == "Old"


def test_someone_elses_prompt_is_read_only_or_not_found(alice: User, bob: User) -> None:
    shared = prompt_of(alice, "shared", HOSTILE, is_shared=True)
    private = prompt_of(alice, "private")
    client = Client()
    client.force_login(bob)

    page = client.get(f"/prompts/{shared.pk}/").content.decode()
    assert "<textarea" not in page and "<script>x" not in page and "alice" in page
    assert client.get(f"/prompts/{shared.pk}/text/").content.decode() == HOSTILE
    for path in (f"{private.pk}/", f"{private.pk}/text/", f"{'9' * 30}/", "0/"):
        assert client.get(f"/prompts/{path}").status_code == 404
    for path in ("change", "delete"):
        for prompt in (shared, private):
            assert client.post(f"/prompts/{prompt.pk}/{path}/").status_code == 404
    assert Prompt.objects.count() == 2


def test_the_list_for_the_composer_is_a_fragment_of_options(alice: User, bob: User) -> None:
    prompt_of(alice, "review", HOSTILE)
    prompt_of(bob, "rewrite", is_shared=True)
    client = Client()
    client.force_login(alice)

    html = client.get("/prompts/matching/", {"q": "re"}).content.decode()
    assert html.count('role="option"') == 2 and "<html" not in html
    assert "<script>x" not in html and "by bob" in html and "2 prompts" in html
    assert client.get("/prompts/matching/", {"q": "nothing\0"}).content.strip() == b""
    assert Client().get("/prompts/matching/").status_code == 302
