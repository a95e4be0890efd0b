"""What a newcomer reads: honest, well-formed, and complete about what can be asked."""

import re

import pytest

from chatapp.demo.answers import LABEL, quoted
from chatapp.demo.ask import Ask, Picture
from chatapp.demo.commands import COMMANDS, read_orders
from chatapp.demo.faults import FAULTS
from chatapp.demo.samples import SAMPLES
from chatapp.demo.script import write_script
from chatapp.demo.topics import TOPICS

TYPICAL = [
    "hello",
    "Who are you?",
    "What is the meaning of life?",
    "thanks!",
    "bye",
    "/help",
    "/wire",
    "/fault cut",
    "/tokens 500",
    *(topic.name for topic in TOPICS),
]


def answer_to(prompt: str, **more: object) -> str:
    ask = Ask("openai", prompt, **more)  # type: ignore[arg-type]
    return "".join(piece.text for piece in write_script(ask).pieces)


@pytest.mark.parametrize("prompt", TYPICAL)
def test_every_answer_says_what_it_is(prompt: str) -> None:
    assert LABEL in answer_to(prompt)


def test_images_are_told_by_type_and_size() -> None:
    text = answer_to("What is this? /pace max", pictures=(Picture("image/png", 1234),))

    assert "I got **1 image**" in text and "| 1 | `image/png` | 1,234 |" in text
    assert "1,234" in answer_to("/wire", pictures=(Picture("image/png", 1234),))
    assert answer_to("/echo hi", pictures=(Picture("image/png", 1234),)) == "hi"


@pytest.mark.parametrize("prompt", TYPICAL)
def test_every_block_that_opens_is_closed(prompt: str) -> None:
    text = answer_to(prompt)

    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0
    assert not re.search(r"[ \t]\n\n", text.replace("  \n", ""))


@pytest.mark.parametrize("prompt", TYPICAL)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(prompt: str) -> None:
    for table in re.findall(r"(?:^\|.*\n?)+", answer_to(prompt), re.MULTILINE):
        rows = [re.sub(r"`[^`]*`", "", row).count("|") for row in table.strip().split("\n")]

        assert len(set(rows)) == 1, table


def test_there_are_more_than_a_dozen_shapes() -> None:
    assert len({answer_to(topic.name)[:60] for topic in TOPICS}) == len(TOPICS) > 12


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_word_of_a_topic_leads_to_it(topic: object) -> None:
    for word in getattr(topic, "words", ()):
        shown = answer_to(f"{word} please")

        assert "I cannot answer it" not in shown, word


@pytest.mark.parametrize("language", SAMPLES)
def test_code_comes_in_the_language_that_is_named(language: str) -> None:
    assert f"```{language}\n{SAMPLES[language]}\n```" in answer_to(f"code in {language}")


def test_several_topics_come_in_the_order_of_mention() -> None:
    text = answer_to("a poem, then a table, then math")

    assert text.index("###") < text.index("| --") < text.index("$$")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_command(name: str) -> None:
    assert f"| `{COMMANDS[name].usage}` | {COMMANDS[name].about} |" in answer_to("/help")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_help_names_every_fault_and_its_outcome(fault: object) -> None:
    name, about = getattr(fault, "name", ""), getattr(fault, "about", "")

    assert f"| `{name}` | {about} | {FAULTS[name].outcome}" in answer_to("/help")


@pytest.mark.parametrize("prompt", ["/help", "hello", "Who are you?"])
def test_what_is_advertised_works(prompt: str) -> None:
    advertised = re.findall(r"^(?:- |\| )`([^`]+)`", answer_to(prompt), re.MULTILINE)

    for example in advertised:
        if not re.search(r" \[?[A-Z]+\]?$", example):  # no example but a usage
            assert read_orders(example).complaints == ()


def test_a_complaint_comes_first() -> None:
    assert answer_to("/pace fast hello").startswith("> ⚠️ `/pace` takes tokens per second")


def test_a_question_is_quoted_and_counted() -> None:
    text = answer_to("Why is the sky blue?")

    assert "> Why is the sky blue?\n" in text
    assert "**5 words** in 20 characters" in text


def test_the_colophon_says_what_the_wire_carried() -> None:
    text = answer_to(
        "hello", model="m`1", system="Be brief.", turns=3, parameters={"temperature": 0.5}
    )

    assert text.endswith(
        "asked over **openai**, model `mˋ1`, 3 messages, a system prompt of 2 words, "
        "`temperature` `0.5`.*"
    )


def test_wire_shows_the_system_prompt_and_every_parameter() -> None:
    text = answer_to("/wire", model="m", system="a | b\nc", parameters={"stop": ["x", "|"]})

    assert "| model | `m` |" in text
    assert "| system prompt | `a ¦ b c` |" in text
    assert '| `stop` | `["x", "¦"]` |' in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, (really): yes!", "> plain, (really): yes!"),
        ("**a** `b` [c](d) <i>", "> &#42;&#42;a&#42;&#42; &#96;b&#96; &#91;c&#93;(d) &#60;i>"),
        ("# a\n1. b\n- c", "> &#35; a  \n> 1&#46; b  \n> &#45; c"),
        ("$x$ \\(y\\)", "> &#36;x&#36; &#92;(y&#92;)"),
        ("x" * 500, "> " + "x" * 400 + " …"),
        ("\n".join("abcdefghij"), "> " + "  \n> ".join("abcdefgh") + " …"),
    ],
)
def test_a_quotation_shows_the_text_as_it_is(text: str, shown: str) -> None:
    assert quoted(text) == shown
