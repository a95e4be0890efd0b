"""Files of messages: how they come, who may read them, and what goes to the endpoint."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import AsyncClient, RequestFactory

from chatapp.composing.attachments import store
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.generation import files as generation_files
from chatapp.generation.calls import prompt_for, target_of
from chatapp.generation.files import fenced
from chatapp.models import Attachment, Conversation, Endpoint, Message, Role
from chatapp.models.attachment import MAX_FILES, MAX_IMAGE_BYTES, MAX_TEXT_BYTES, MAX_UNSENT
from tests.dom import ended
from tests.images import GIF, JPEG, PNG, WEBP, png
from tests.tab import Tab

TabOf = Callable[..., Tab]


def upload(name: str, data: bytes, media_type: str = "application/x-lie") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, media_type)


async def kept(user: User, name: str = "cat.png", data: bytes = PNG) -> Attachment:
    return await write(store, user, name, data, len(data))


@pytest.fixture
def seeing(endpoint: Endpoint) -> Endpoint:
    """An endpoint that takes images."""
    endpoint.options = {"images": True}
    endpoint.save()
    return endpoint


# --- Coming in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("cat.png", PNG, "image/png"),
        ("cat.txt", JPEG, "image/jpeg"),
        ("cat", GIF, "image/gif"),
        ("cat.svg", WEBP, "image/webp"),
        ("drawing.svg", b"<svg onload=alert(1)></svg>", "text/plain"),
        ("page.png", b"<script>alert(1)</script>", "text/plain"),
    ],
)
async def test_a_file_is_what_its_bytes_are(
    browser: AsyncClient, name: str, data: bytes, media_type: str
) -> None:
    answer = await browser.post("/attachments/", {"file": upload(name, data)})

    file = await Attachment.objects.defer(None).aget()
    assert answer.status_code == 201
    assert f'value="{file.pk}"' in answer.content.decode()
    assert (file.name, file.media_type, bytes(file.data)) == (name, media_type, data)
    assert file.message_id is None


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.txt", b"", "“empty.txt” is empty."),
        ("cat.png", b"MZ\x90\0\x03", "neither a PNG, JPEG, GIF or WebP image nor plain text"),
        ("cat.png", PNG[:-3], "begins like an image, but is damaged"),
        ("cat.png", PNG + b"PK\x03\x04", "begins like an image, but is damaged"),
        ("long.txt", b"a" * (MAX_TEXT_BYTES + 1), "An image can have 5.0\xa0MB, a text file 200.0"),
        ("wide.png", png(filling=MAX_IMAGE_BYTES), "“wide.png” has 5.0\xa0MB."),
        ("huge.bin", bytes(MAX_IMAGE_BYTES + 5), "“huge.bin” has 5.0\xa0MB."),
    ],
)
async def test_a_file_that_cannot_be_sent_is_refused_in_words(
    browser: AsyncClient, name: str, data: bytes, sentence: str
) -> None:
    answer = await browser.post("/attachments/", {"file": upload(name, data, "image/png")})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert sentence in answer.content.decode()
    assert not await Attachment.objects.aexists()


async def test_an_upload_without_a_file_is_refused(browser: AsyncClient) -> None:
    answer = await browser.post("/attachments/", {"file": "text"})

    assert answer.status_code == 422
    assert "Expected a file" in answer.content.decode()


async def test_the_oldest_unsent_files_make_room_for_new_ones(alice: User, bob: User) -> None:
    first = await kept(alice)
    others = await kept(bob)
    for number in range(MAX_UNSENT):
        await kept(alice, f"{number}.txt", b"x")

    assert await Attachment.objects.filter(owner=alice).acount() == MAX_UNSENT
    assert not await Attachment.objects.filter(pk=first.pk).aexists()
    assert await Attachment.objects.filter(pk=others.pk).aexists()


async def test_a_waiting_file_can_be_taken_away_by_its_owner_alone(
    browser: AsyncClient, alice: User, bob: User
) -> None:
    mine, theirs = await kept(alice), await kept(bob)

    assert (await browser.post(f"/attachments/{mine.pk}/discard/")).status_code == 204
    assert (await browser.post(f"/attachments/{mine.pk}/discard/")).status_code == 404
    assert (await browser.post(f"/attachments/{theirs.pk}/discard/")).status_code == 404
    assert [file.pk async for file in Attachment.objects.all()] == [theirs.pk]


async def test_the_chips_of_a_draft_are_those_that_still_wait(
    browser: AsyncClient, alice: User, bob: User
) -> None:
    mine, theirs = await kept(alice, "<b>.txt", b"x"), await kept(bob)
    query = f"?attachment={mine.pk}&attachment={theirs.pk}&attachment={uuid.uuid4()}"

    page = (await browser.get(f"/attachments/unsent/{query}")).content.decode()

    assert page.count('data-chip="') == 1 and "&lt;b&gt;.txt" in page
    assert (await browser.get("/attachments/unsent/?attachment=x")).content.decode().strip() == ""


async def test_a_body_over_the_limit_gets_a_sentence(browser: AsyncClient) -> None:
    length = {"CONTENT_LENGTH": str(10**9)}

    answer = await browser.generic("POST", "/attachments/", b"", "multipart/form-data", **length)

    assert answer.status_code == 413
    assert "What was sent is larger than 21.0\xa0MB" in answer.content.decode()


# --- Reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "kept"),
    [("/attachments/", MAX_IMAGE_BYTES), ("/imports/new/", MAX_IMAGE_BYTES + 5)],
)
def test_a_file_is_kept_on_the_disk_up_to_what_is_taken_there(address: str, kept: int) -> None:
    data = b"x" * (MAX_IMAGE_BYTES + 5)
    request = RequestFactory().post(address, {"file": upload("a.png", data, "image/png")})

    with request.FILES["file"] as file:
        assert isinstance(file, TemporaryUploadedFile)
        assert (file.size, len(file.read())) == (len(data), kept)


async def test_an_image_is_shown_and_nothing_in_it_runs(browser: AsyncClient, alice: User) -> None:
    file = await kept(alice, "my cat.png")

    answer = await browser.get(f"/attachments/{file.pk}/")

    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'inline; filename="my cat.png"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_a_text_file_is_downloaded_whatever_it_holds(
    browser: AsyncClient, alice: User
) -> None:
    file = await kept(alice, "“x”\r\n.html", b"<script>alert(1)</script>")

    answer = await browser.get(f"/attachments/{file.pk}/")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=utf-8''")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


async def test_a_file_that_the_browser_has_is_not_sent_again(
    browser: AsyncClient, alice: User
) -> None:
    file = await kept(alice)
    etag = (await browser.get(f"/attachments/{file.pk}/")).headers["etag"]

    again = await browser.get(f"/attachments/{file.pk}/", headers={"if-none-match": etag})

    assert (again.status_code, again.content) == (304, b"")


async def test_a_file_is_read_by_those_who_may_read_its_message(
    browser: AsyncClient, alice: User, bob: User, conversation: Conversation
) -> None:
    unsent, sent, theirs = await kept(alice), await kept(alice), await kept(bob)
    message = await Message.objects.acreate(conversation=conversation, role=Role.USER)
    await Attachment.objects.filter(pk=sent.pk).aupdate(message=message)
    stranger = AsyncClient()

    assert (await browser.get(f"/attachments/{theirs.pk}/")).status_code == 404
    assert (await browser.get(f"/attachments/{uuid.uuid4()}/")).status_code == 404
    for file in (unsent, sent):
        assert (await stranger.get(f"/attachments/{file.pk}/")).status_code == 302
        assert (await browser.get(f"/attachments/{file.pk}/")).status_code == 200
    await stranger.aforce_login(bob)
    for file in (unsent, sent):
        assert (await stranger.get(f"/attachments/{file.pk}/")).status_code == 404
    await Conversation.objects.filter(pk=conversation.pk).aupdate(deleted_at="2026-01-01T00:00Z")
    assert (await browser.get(f"/attachments/{sent.pk}/")).status_code == 404


# --- Sending over the socket ----------------------------------------------------------------------


async def test_a_message_goes_with_its_files(
    alice: User, browser: AsyncClient, seeing: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    image, text = await kept(alice), await kept(alice, "notes.md", b"a ```fence```")
    async with tab_of(alice) as tab:
        await tab.say("what is this?", attachment=[str(image.pk), str(text.pk)])
        page = await tab.until(ended)

    mine = page.articles[0]
    assert [each.attributes["alt"] for each in mine.all("img")] == ["cat.png"]
    assert "notes.md" in mine.text and "what is this?" in mine.text
    assert "I got 1 image" in page.part("text")
    assert "image/png" in page.part("text") and str(len(PNG)) in page.part("text")
    later = (await browser.get(f"/c/{conversation.pk}/")).content.decode()
    assert f'src="/attachments/{image.pk}/"' in later and "notes.md" in later


async def test_a_file_goes_without_a_word(
    alice: User, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    text = await kept(alice, "notes.md", b"/echo from the file")
    async with tab_of(alice) as tab:
        await tab.say("", attachment=str(text.pk))
        page = await tab.until(ended)

    await conversation.arefresh_from_db()
    assert "from the file" in page.part("text")
    assert conversation.title == "notes.md"


async def test_a_file_that_cannot_go_along_keeps_the_message_back(
    alice: User, bob: User, seeing: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    mine, theirs, gone = await kept(alice), await kept(bob), str(uuid.uuid4())
    chosen = str(seeing.pk)
    message = await Message.objects.acreate(conversation=conversation, role=Role.USER, text="x")
    sent = await kept(alice)
    await Attachment.objects.filter(pk=sent.pk).aupdate(message=message)
    async with tab_of(alice) as tab:
        for wrong in (str(theirs.pk), str(sent.pk), gone):
            await tab.say("/echo hi", attachment=[str(mine.pk), wrong], endpoint=chosen)
            await tab.until(lambda page: "not here any more" in page.notice)
            tab.page.root.by_id("notice").children = []  # type: ignore[union-attr]
        for nonsense in ("x", {"a": 1}, [[]], 7):
            await tab.say("/echo hi", attachment=nonsense, endpoint=chosen)
            await tab.until(lambda page: "Expected an id" in page.notice)
            tab.page.root.by_id("notice").children = []  # type: ignore[union-attr]
        many = [str(uuid.uuid4()) for _ in range(MAX_FILES + 1)]
        await tab.say("/echo hi", attachment=many, endpoint=chosen)
        await tab.until(lambda page: "can have 8 files; this one has 9" in page.notice)

    assert await Message.objects.acount() == 1
    assert (await Attachment.objects.aget(pk=mine.pk)).message_id is None


async def test_an_endpoint_without_images_is_named_and_nothing_is_stored(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    image = await kept(alice)
    async with tab_of(alice) as tab:
        await tab.say("look", attachment=str(image.pk))
        await tab.until(lambda page: "“scripted” takes no images" in page.notice)
        assert "cat.png" in tab.page.notice

    assert not await Message.objects.aexists()
    assert (await Attachment.objects.aget()).message_id is None


async def test_the_same_message_with_the_same_files_is_stored_once(
    alice: User, seeing: Endpoint, tab_of: TabOf
) -> None:
    image, key = await kept(alice), str(uuid.uuid4())
    async with tab_of(alice) as tab:
        for _ in range(3):
            await tab.say("/echo hi", attachment=[str(image.pk)] * 2, key=key)
        await tab.until(ended)
        assert tab.page.notice == ""
        await tab.say("/echo hi", key=key)
        await tab.until(lambda page: len(page.articles) == 4 and ended(page))

    assert await Message.objects.filter(role=Role.USER).acount() == 2


async def test_a_fork_and_an_edit_have_files_of_their_own(
    alice: User, browser: AsyncClient, seeing: Endpoint, tab_of: TabOf
) -> None:
    files = [await kept(alice), await kept(alice, "notes.md", b"hi")]
    async with tab_of(alice) as tab:
        await tab.say("/echo one", attachment=[str(file.pk) for file in files])
        await tab.until(ended)
        asked = await Message.objects.filter(role=Role.USER).aget()
        await tab.send(
            action="edit", message=str(asked.pk), text="/echo two", key=str(uuid.uuid4())
        )
        page = await tab.until(lambda page: page.prompts == ["/echo two"] and ended(page))
    assert "notes.md" in page.articles[0].text and page.articles[0].all("img")
    await browser.post(f"/messages/{asked.pk}/fork/")

    assert await Attachment.objects.acount() == 6
    async for message in Message.objects.filter(role=Role.USER):
        own = [file async for file in message.attachments.defer(None)]
        assert [(file.name, bytes(file.data)) for file in own] == [
            ("cat.png", PNG),
            ("notes.md", b"hi"),
        ]


async def test_a_message_of_files_alone_can_be_edited(
    alice: User, browser: AsyncClient, endpoint: Endpoint, tab_of: TabOf
) -> None:
    text = await kept(alice, "notes.md", b"hi")
    async with tab_of(alice) as tab:
        await tab.say("", attachment=str(text.pk))
        await tab.until(ended)
        asked = await Message.objects.filter(role=Role.USER).aget()
        form = (await browser.get(f"/messages/{asked.pk}/edit-form/")).content.decode()
        assert "notes.md" in form
        await tab.send(action="edit", message=str(asked.pk), text="", key=str(uuid.uuid4()))
        await tab.until(lambda page: "2/2" in page.articles[0].text and ended(page))


# --- Sending without scripts ----------------------------------------------------------------------


async def test_a_form_without_scripts_brings_files(browser: AsyncClient, seeing: Endpoint) -> None:
    new = uuid.uuid4()
    form = send_form(file=[upload("cat.png", PNG), upload("notes.md", b"hi")], text="")

    for _ in range(2):
        assert (await browser.post(f"/c/{new}/messages/", rewound(form))).status_code == 302

    message = await Message.objects.filter(role=Role.USER).aget()
    assert [file.name async for file in message.attachments.all()] == ["cat.png", "notes.md"]
    assert (await Conversation.objects.aget()).title == "cat.png"


async def test_what_was_typed_and_the_good_files_come_back_with_the_reason(
    browser: AsyncClient, seeing: Endpoint
) -> None:
    new = uuid.uuid4()
    bad = [upload("a.exe", b"MZ\0"), upload("b.txt", b"")]
    form = send_form(file=[upload("cat.png", PNG), *bad], text="My words")

    answer = await browser.post(f"/c/{new}/messages/", form)

    page = answer.content.decode()
    file = await Attachment.objects.aget()
    assert answer.status_code == 422
    assert "“a.exe” is neither" in page and "My words" in page
    assert f'name="attachment" value="{file.pk}" checked' in page
    assert not await Message.objects.aexists()

    again = await browser.post(f"/c/{new}/messages/", send_form(attachment=[str(file.pk)]))
    assert again.status_code == 302
    assert (await Attachment.objects.aget()).message_id is not None


async def test_a_refused_first_image_leaves_no_conversation(
    browser: AsyncClient, endpoint: Endpoint
) -> None:
    form = send_form(file=upload("cat.png", PNG), text="My words")

    answer = await browser.post(f"/c/{uuid.uuid4()}/messages/", form)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "“scripted” takes no images" in page and "My words" in page and "cat.png" in page
    assert not await Conversation.objects.aexists()


def send_form(**values: Any) -> dict[str, Any]:
    return {"text": "/echo hi", "key": str(uuid.uuid4())} | values


def rewound(form: dict[str, Any]) -> dict[str, Any]:
    for file in form["file"]:
        file.seek(0)
    return form


# --- Going out ------------------------------------------------------------------------------------


async def test_text_files_stand_before_the_text_and_images_beside_it(
    alice: User, seeing: Endpoint, conversation: Conversation
) -> None:
    await message_with(conversation, "Look", await kept(alice), await kept(alice, "a.py", b"1"))

    turn = (await asked(conversation, seeing))[0]

    assert turn.text == "File “a.py”:\n```\n1\n```\n\nLook"
    assert [(image.media_type, image.data) for image in turn.images] == [("image/png", PNG)]


async def test_an_image_is_named_where_the_endpoint_takes_none(
    alice: User, endpoint: Endpoint, conversation: Conversation
) -> None:
    await message_with(conversation, "Look", await kept(alice))

    turn = (await asked(conversation, endpoint))[0]

    left_out = "[The image “cat.png” was here and is left out: this endpoint takes none.]"
    assert (turn.text, turn.images) == (f"{left_out}\n\nLook", ())


async def test_of_many_images_the_newest_go(
    alice: User, seeing: Endpoint, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_files, "MAX_REQUEST_IMAGE_BYTES", 2 * len(PNG))
    first = await message_with(conversation, "one", await kept(alice, "1.png"))
    await message_with(
        conversation, "two", await kept(alice, "2.png"), await kept(alice, "3.png"), parent=first
    )

    old, new = await asked(conversation, seeing)

    assert "“1.png” was here and is left out: newer ones fill" in old.text and not old.images
    assert len(new.images) == 2


def test_a_fence_is_longer_than_those_within() -> None:
    assert fenced("a.md", "```\n`````x\n") == "File “a.md”:\n``````\n```\n`````x\n``````"
    assert fenced("a.md", "plain").startswith("File “a.md”:\n```\nplain\n```")


async def message_with(
    conversation: Conversation, text: str, *files: Attachment, parent: Message | None = None
) -> Message:
    message = await Message.objects.acreate(
        conversation=conversation,
        role=Role.USER,
        text=text,
        parent=parent,
        file_count=len(files),
    )
    await Attachment.objects.filter(pk__in=[file.pk for file in files]).aupdate(message=message)
    return message


async def asked(conversation: Conversation, endpoint: Endpoint) -> Any:
    messages = [message async for message in conversation.messages.all()]
    prompt = await read(prompt_for, conversation, messages, await read(target_of, endpoint))
    return prompt.turns


async def test_a_retry_elsewhere_goes_without_the_image(
    alice: User, seeing: Endpoint, tab_of: TabOf
) -> None:
    blind = await Endpoint.objects.acreate(
        name="blind", protocol="openai", url=seeing.url, model="scripted"
    )
    async with tab_of(alice) as tab:
        image = str((await kept(alice)).pk)
        await tab.say("/wire", attachment=image, endpoint=str(seeing.pk))
        await tab.until(ended)
        reply = await Message.objects.filter(role=Role.ASSISTANT).aget()
        await tab.send(action="retry", message=str(reply.pk), endpoint=str(blind.pk))
        page = await tab.until(lambda page: "2/2" in page.articles[1].text and ended(page))

    assert "“cat.png” was here and is left out" in page.part("text")


def test_too_many_words_name_the_limit(alice: User) -> None:
    with pytest.raises(InvalidInput, match="a text file"):
        store(alice, "x", b"a", MAX_IMAGE_BYTES + 1)
