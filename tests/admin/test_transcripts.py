"""One conversation as an administrator reads it: all that was said, as text, and noted."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chatapp.models import Attachment, AuditEvent, Conversation, Message, Role, Status
from tests.admin.talks import said, talk, timed
from tests.bench.administering import BAR_QUERIES, queries_of
from tests.growing import grow


def address(conversation: Conversation, query: str = "") -> str:
    return f"/admin/chatapp/conversation/{conversation.pk}/change/{query}"


def page(client: Client, conversation: Conversation, query: str = "") -> str:
    answer = client.get(address(conversation, query))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_everything_is_text(auditor: Client, alice: User) -> None:
    hostile = "<script>x</script> **bold** {{ x }}"
    conversation = talk(
        alice,
        hostile,
        prompt=hostile,
        text=hostile,
        endpoint_name=hostile,
        model=hostile,
        finish_reason=hostile,
        request_id=hostile,
        system_prompt=hostile,
        parameters={hostile: [hostile]},
        rating=-1,
        rating_reason=hostile,
        error_kind=hostile[:16],
        error_message=hostile,
    )

    shown = page(auditor, conversation)

    assert "<script>x" not in shown
    assert shown.count("&lt;script&gt;x&lt;/script&gt; **bold** {{ x }}") >= 10


def test_a_failure_is_told_in_the_administrators_language(auditor: Client, alice: User) -> None:
    conversation = talk(alice, error_kind="rate_limit", error_message="Slow down", status="error")

    answer = auditor.get(address(conversation), headers={"accept-language": "de"})

    assert "Das Anfragelimit des Endpunkts ist erreicht" in answer.content.decode()
    assert "Slow down" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", 'title="RIGHT-TO-LEFT OVERRIDE">U+202E</span>b'),
        ("a\x1b[31mb", ">U+001B</span>[31mb"),
        ("a\u200bb", ">U+200B</span>b"),
        ("a\U000e0041b", ">U+E0041</span>b"),
        ("a\u200db", ">U+200D</span>b"),
        ("👩\u200d👩", "👩\u200d👩"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\r\nb", "a b"),
        ("a\rb", ">U+000D</span>b"),
    ],
)
def test_what_is_not_seen_is_made_visible(
    text: str, shown: str, auditor: Client, alice: User
) -> None:
    assert shown in page(auditor, talk(alice, text=text))


def test_a_reply_tells_how_it_was_made(auditor: Client, alice: User) -> None:
    conversation = talk(
        alice,
        endpoint_name="vllm",
        model="qwen",
        finish_reason="stop",
        input_tokens=12,
        attempts=2,
        system_prompt="Be brief.",
        parameters={"temperature": 0.2},
        arrivals={"bucket_ms": 10.0, "counts": [1, 4, 0, 2]},
        rating=-1,
        rating_reason="Too long",
        **timed(0.5, total_s=4, tokens=80),
    )

    shown = page(auditor, conversation)

    for words in (
        *("vllm", "qwen", "Be brief.", "Too long", "👎"),
        *("first token</dt><dd>0.50 s", "tokens/s</dt><dd>40<", "in all</dt><dd>4.0 s"),
        *("tokens in</dt><dd>12", "tokens out</dt><dd>80", "attempts</dt><dd>2"),
        *("finish reason</dt><dd><code>stop", "temperature</dt><dd>0.2"),
        'd="M1 20v-5.0M3 20v-20.0M7 20v-10.0"',
    ):
        assert words in shown


def test_an_error_is_told_in_the_upstreams_words(auditor: Client, alice: User) -> None:
    conversation = talk(
        alice,
        text="",
        status=Status.ERROR,
        error_kind="rate_limit",
        error_status=429,
        error_message="slow down, friend",
    )

    shown = page(auditor, conversation)

    assert "The endpoint's rate limit was reached".replace("'", "&#x27;") in shown
    assert "HTTP 429" in shown
    assert "slow down, friend" in shown


def test_every_version_is_there_and_the_chosen_one_is_marked(auditor: Client, alice: User) -> None:
    conversation = talk(alice, text="First try")
    prompt = conversation.messages.get(role=Role.USER)
    said(conversation, prompt, Role.ASSISTANT, text="Second try")
    first = conversation.messages.get(text="First try")
    Message.objects.filter(pk=first.pk).update(chosen_at=timezone.now() + timedelta(seconds=1))

    everything = page(auditor, conversation)
    path = page(auditor, conversation, "?show=path")

    assert "version 1 of 2:" in everything
    assert '<b aria-current="true">#2</b> <span class="tag">chosen</span>' in everything
    assert everything.count("not shown to the user") == 1
    assert "Second try" in everything
    assert "Second try" not in path
    assert "First try" in path


def test_files_seams_and_settings_are_shown(auditor: Client, alice: User) -> None:
    conversation = talk(alice, text="onetwo", seams=[3])
    prompt = conversation.messages.get(role=Role.USER)
    Attachment.objects.create(
        owner=alice,
        message=prompt,
        name="a\u202e.png",
        media_type="image/png",
        size=2048,
        data=b"x",
    )
    Message.objects.filter(pk=prompt.pk).update(file_count=1)
    Conversation.objects.filter(pk=conversation.pk).update(system_prompt="Now be long.")

    shown = page(auditor, conversation)

    assert "U+202E</span>.png" in shown
    assert "image/png" in shown
    assert "<pre>one</pre>" in shown
    assert "<pre>two</pre>" in shown
    assert "Now be long." in shown


def test_a_thousand_messages_come_in_pages_for_the_same_queries(
    auditor: Client, conversation: Conversation
) -> None:
    grow(conversation, 1000)

    for query in ("", "?page=10", "?show=path&page=20"):
        status, queries = queries_of(auditor, address(conversation, query))
        assert status == 200
        assert queries <= BAR_QUERIES
        assert page(auditor, conversation, query).count('class="entry"') == 50
    assert 'id="m451"' in page(auditor, conversation, "?page=10")


@pytest.mark.parametrize("query", ["?page=9", "?page=0", "?page=x", "?page=%00", "?show=nothing"])
def test_a_page_that_is_not_there_is_refused(query: str, auditor: Client, alice: User) -> None:
    answer = auditor.get(address(talk(alice), query))

    assert answer.status_code == 400
    assert "errornote" in answer.content.decode()


def test_each_reading_is_noted_once_and_before_it_is_shown(
    auditor: Client, alice: User, bob: User
) -> None:
    conversation = talk(alice, "Plans")

    page(auditor, conversation)

    event = AuditEvent.objects.get()
    assert (event.actor_name, event.action, event.object_id) == (
        "auditor",
        "read",
        str(conversation.pk),
    )


def test_what_is_not_shown_is_not_noted(auditor: Client, alice: User) -> None:
    auditor.get(address(talk(alice), "?page=99"))

    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("who", ["admin", "auditor"])
def test_nobody_can_alter_what_was_said(
    who: str, alice: User, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(who)
    conversation = talk(alice, "Plans")
    before = list(Message.objects.order_by("pk").values())

    for path in (
        address(conversation),
        address(conversation, "?_popup=1"),
        f"/admin/chatapp/conversation/{conversation.pk}/",
        "/admin/chatapp/conversation/add/",
        "/admin/chatapp/message/add/",
        f"/admin/chatapp/message/{before[0]['id']}/change/",
        "/admin/chatapp/summary/",
    ):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)(path, {"title": "Changed", "text": "Changed"})
            assert answer.status_code in (301, 302, 403, 404, 405)
    client.post("/admin/chatapp/conversation/", {"form-0-title": "Changed", "_save": "Save"})

    conversation.refresh_from_db()
    assert conversation.title == "Plans"
    assert list(Message.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("wrong", ["nonsense", "0" * 32, "0" * 35, "%00", "..%2F"])
def test_a_conversation_that_is_not_there_leads_back(wrong: str, auditor: Client) -> None:
    answer: Any = auditor.get(f"/admin/chatapp/conversation/{wrong}/change/")

    assert answer.status_code in (302, 404)
