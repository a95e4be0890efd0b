import pytest

from chatapp.rendering.blocks import Document
from chatapp.rendering.markdown import plain, render
from tests.dom import tree
from tests.rendering.corpus import PAYLOADS
from tests.rendering.page import assert_harmless

SHORT = [payload for payload in PAYLOADS if len(payload) <= 80]


def test_the_corpus_is_large() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 120


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_markdown_comes_out_harmless(payload: str) -> None:
    assert_harmless(render(payload))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_markdown_amid_prose_comes_out_harmless(payload: str) -> None:
    assert_harmless(render(f"- before {payload}\n\n  {payload}\n\n> {payload} `after`"))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_prompt_is_its_own_text(payload: str) -> None:
    assert_harmless(plain(payload))
    assert tree(plain(payload)).text == payload


@pytest.mark.parametrize("payload", SHORT)
def test_no_cut_makes_markdown_harmful(payload: str) -> None:
    for position in range(len(payload) + 1):
        answer = Document("m")
        cursor = answer.cursor()
        for piece in (payload[:position], payload[position:], "\n\nafter"):
            answer.append(piece)
            patches, cursor = answer.patches(cursor)
            for patch in patches:
                assert_harmless(patch.html)
        answer.finish()
        assert_harmless(answer.html())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_code_is_its_own_text(payload: str) -> None:
    answer = Document("m")
    answer.append(f"~~~~~~html\n{payload}\n~~~~~~\n")
    answer.finish()

    assert_harmless(answer.html())
    code = next(element for element in tree(answer.html()).walk() if element.tag == "code")
    assert code.text == f"{payload}\n"
