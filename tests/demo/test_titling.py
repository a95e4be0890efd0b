"""The scripted model answers a wish for a title with words of the question."""

import pytest

from chatapp.demo.titling import title_for


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Please tell me about the whales of the north.", "Whales of the north"),
        ("What is a walrus? And what does it eat?", "Walrus"),
        ("/tokens 500 /pace 100", "Trying /tokens /pace"),
        ("/fault 500 on the way", "On the way"),
        ("/echo the very text", "Very text"),
        ("机器学习是什么？", "机器学习是什么"),
        ("please", "Please"),
    ],
)
def test_a_title_is_made_of_the_question(question: str, title: str) -> None:
    wish = f"Give it a title.\n\nQuestion:\n{question}\n\nAnswer:\nWell."

    assert title_for(wish) == title


@pytest.mark.parametrize("prompt", ["Give it a title.", "Question:\nx\n\nAnswer:\ny", "title"])
def test_anything_else_is_no_wish_for_a_title(prompt: str) -> None:
    assert title_for(prompt) is None
