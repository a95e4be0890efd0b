"""Tables that no spreadsheet takes for formulas."""

import csv
import io

import pytest
from django.contrib.auth.models import User

from chatapp.models import Conversation
from chatapp.transfer import table
from chatapp.transfer.csv_cells import BYTE_ORDER_MARK, safe_cell
from chatapp.transfer.slices import Talk
from tests.transfer.talks import rich, said


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\rx",
        "\nx",
        "  =1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff@x",
        "\u3000＝1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "﹦1",
        "−1",
        "\x00=1",
    ],
)
def test_what_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ('hello;=HYPERLINK("x")', 'hello;\'=HYPERLINK("x")'),
        ("a\n=1+1\r\n@x", "a\n'=1+1\r\n'@x"),
        ("a; ＝1", "a;' ＝1"),
        ('hello;"=1+1;x', "hello;'\"=1+1;x"),
        ("a\t-1", "a\t'-1"),
        ("\t=1", "'\t'=1"),
        (" \r\n\t =cmd|' /C calc'!A0", "' \r\n\t' =cmd|' /C calc'!A0"),
    ],
)
def test_nor_does_a_spreadsheet_that_expects_semicolons_find_one(text: str, safe: str) -> None:
    assert safe_cell(text) == safe


@pytest.mark.parametrize(
    "text",
    ["", " ", "1-1", "a=b", "'=1", "#x", "„=“", "Ünïcode", "  indented", "a;b", "x:\n- y\n  + z"],
)
def test_everything_else_stays_as_it_was(text: str) -> None:
    assert safe_cell(text) == text


@pytest.mark.usefixtures("transactional_db")
def test_a_row_for_each_message_whoever_wrote_formulas_where(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(username="=alice")
    conversation = rich(User.objects.get(pk=alice.pk))
    Conversation.objects.update(title="@title")
    said(conversation, None, '+"quoted", with\r\nlines', 9, error_message="-1", model="＝m")

    talk = Talk(Conversation.objects.get())
    text = table.head() + "".join(table.pieces(talk))
    rows = list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))

    assert len(rows) == talk.given == 5
    last = rows[-1]
    assert [last[name] for name in ("person", "title", "text", "error_message", "model")] == [
        "'=alice",
        "'@title",
        '\'+"quoted", with\r\nlines',
        "'-1",
        "'＝m",
    ]
    assert (rows[1]["first_token_ms"], rows[1]["total_ms"], rows[1]["rating"]) == (
        "2000",
        "4000",
        "bad",
    )
    assert rows[1]["parent"] == rows[0]["message"]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r")]
