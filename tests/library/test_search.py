"""Search over titles and texts: only one's own, every word, with its place."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from chatapp.errors import InvalidInput
from chatapp.library.search import search
from chatapp.models import Conversation, Message, Role
from chatapp.models.search import index


def said(owner: User, text: str, title: str = "A title", role: Role = Role.USER) -> Conversation:
    conversation = Conversation.objects.create(owner=owner, title=title)
    message = Message.objects.create(conversation=conversation, role=role, text=text)
    index({message.pk: text})
    return conversation


def test_every_word_must_be_there_the_last_as_a_beginning(alice: User, bob: User) -> None:
    both = said(alice, "The quick brown fox. Café über naïve.")
    said(alice, "The quick hare.")
    said(bob, "The quick brown fox.")

    assert [hit.conversation for hit in search(alice, "quick bro")] == [both]
    assert [hit.conversation for hit in search(alice, "BROWN the")] == [both]
    assert search(alice, "quick purple") == []
    assert search(alice, " ") == []


def test_one_that_says_a_word_a_thousand_times_hides_no_other(alice: User) -> None:
    pie, often = said(alice, "apple pie"), said(alice, "an apple")
    messages = Message.objects.bulk_create(
        Message(conversation=often, role=Role.USER, text="apple") for _ in range(1_100)
    )
    index({message.pk: "apple" for message in messages})

    assert [hit.conversation for hit in search(alice, "apple")] == [often, pie]


@pytest.mark.parametrize("words", ["ärger", "arger buro", "BÜRO"])
def test_titles_are_found_as_texts_are(words: str, alice: User) -> None:
    named = said(alice, "nothing", title="Ärger im Büro")

    assert [hit.conversation for hit in search(alice, words)] == [named]


@pytest.mark.parametrize(
    ("words", "matching"),
    [
        ("a deadlock", ["a", "deadlock"]),
        ("deadl", ["deadl"]),
        ("postg", ["postg"]),
    ],
)
def test_what_is_marked_are_words_and_the_place_is_that_of_the_telling_one(
    words: str, matching: list[str], alice: User
) -> None:
    said(alice, "Explain the planner in general. " * 20 + "Then a deadlock arose in postgres.")

    (hit,) = search(alice, words)

    assert hit.pieces[1::2] == matching
    assert "deadlock arose" in "".join(hit.pieces)


def test_a_character_is_a_word_where_nothing_stands_between_words(alice: User) -> None:
    said(alice, "私は東京に住んでいます")

    (hit,) = search(alice, "東京")

    assert hit.pieces[1::2] == ["東京"]


def test_the_place_is_shown_with_its_match(alice: User) -> None:
    said(alice, "a " * 100 + "needle" + " b" * 100)

    (hit,) = search(alice, "needle")

    assert hit.pieces[1::2] == ["needle"]
    assert "".join(hit.pieces).startswith("…") and "".join(hit.pieces).endswith("…")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("## A **needle** in [hay](http://farm.example)\n\nend", "A needle in hay end"),
        ("| a | needle |\n|---|---|\n| `c<d` | \\*e |", "a needle c<d *e"),
        ("- one\n- the *needle*\n\n> two", "one the needle two"),
        ("```py\nneedle = a * b * c\n```", "needle = a * b * c"),
        ("a cost of $5 and needle", "a cost of $5 and needle"),
        ("[hay](http://needle.example)", "hay"),
        ("line\n" * 3000 + "**needle**", "…" + "line " * 14 + "needle"),
    ],
)
def test_of_a_reply_the_place_is_shown_as_it_reads(alice: User, text: str, shown: str) -> None:
    said(alice, text, role=Role.ASSISTANT)

    (hit,) = search(alice, "needle")

    assert "".join(hit.pieces) == shown


def test_of_a_prompt_the_place_is_shown_as_it_was_typed(alice: User) -> None:
    said(alice, "**needle** _x_")

    (hit,) = search(alice, "needle")

    assert hit.pieces == ["**", "needle", "** _x_"]


def test_what_is_removed_for_good_meanwhile_is_not_found(alice: User) -> None:
    kept, doomed = said(alice, "needle"), said(alice, "needle")

    def meanwhile(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "IN (" in sql and "FROM chatapp_conversation" in sql.replace('"', "") and doomed.pk:
            gone, doomed.pk = doomed.pk, None
            Conversation.objects.filter(pk=gone).delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(meanwhile):
        hits = search(alice, "needle")

    assert [hit.conversation for hit in hits] == [kept]


def test_titles_are_found_and_deleted_ones_are_not(alice: User) -> None:
    titled = said(alice, "x", title="On whales")
    gone = said(alice, "whales", title="Gone")
    gone.deleted_at = gone.created_at
    gone.save()

    assert [hit.conversation for hit in search(alice, "whales")] == [titled]


def test_a_text_is_found_anew_after_it_changed(alice: User) -> None:
    conversation = said(alice, "before")
    index({conversation.messages.get().pk: "after"})

    assert search(alice, "before") == []
    assert len(search(alice, "after")) == 1
    conversation.delete()
    assert search(alice, "after") == []


@pytest.mark.parametrize(
    "query",
    ['"', "a AND OR NOT", "NEAR(x", "a' b", "* : ^ -", "\\ ! & |", "<b>", "a\0b", "x" * 200],
)
def test_operators_and_quotes_are_only_words(alice: User, query: str) -> None:
    client = Client()
    client.force_login(alice)
    said(alice, "harmless <b>")

    answer = client.get("/search/", {"q": query})

    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode()


def test_a_search_that_is_too_long_is_refused(alice: User) -> None:
    with pytest.raises(InvalidInput, match="200 characters"):
        search(alice, "x" * 201)


def test_words_are_found_whatever_their_case_and_accents(alice: User) -> None:
    cafe = said(alice, "A NAÏVE question in the Cafe\u0301 of Ångström")

    for query in ("naive cafe", "Café", "angstrom", "ANGSTRÖ"):
        assert [hit.conversation for hit in search(alice, query)] == [cafe], query
    (hit,) = search(alice, "cafe")
    assert hit.pieces[1::2] == ["Café"]


def test_words_are_found_within_scripts_without_spaces(alice: User) -> None:
    chinese = said(alice, "我们用机器学习的模型。")
    said(alice, "机会与器具学")

    assert [hit.conversation for hit in search(alice, "机器学习")] == [chinese]
    assert search(alice, "机器学习")[0].pieces == ["我们用", "机器学习", "的模型。"]
    assert search(alice, "学机") == []


def test_a_hit_names_the_newest_message_and_each_conversation_once(alice: User) -> None:
    conversation = said(alice, "whales once")
    newer = Message.objects.create(conversation=conversation, role="user", text="whales again")
    index({newer.pk: newer.text})

    (hit,) = search(alice, "whales")

    assert (hit.message_id, "".join(hit.pieces)) == (newer.pk, "whales again")


def test_a_text_that_is_indexed_anew_keeps_its_place(alice: User) -> None:
    first, second = said(alice, "whales"), said(alice, "whales")
    index({first.messages.get().pk: "whales and more"})

    assert [hit.conversation for hit in search(alice, "whales")] == [second, first]
