"""Health and usage in the admin: what the pages show is what the rows say, for those who may."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient
from django.utils import timezone

from chatapp.admin.operations.charts import Axis, Chart, Series, Slot
from chatapp.database import read
from chatapp.figures import closing
from chatapp.models import AuditEvent, Message
from chatapp.transfer.csv_cells import BYTE_ORDER_MARK
from tests.dom import Element, tree
from tests.figures import plainly
from tests.figures.traffic import some_traffic

PAGES = ["/admin/running/", "/admin/health/", "/admin/usage/", "/admin/usage.csv"]


def staff(name: str, *rights: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    for right in rights:
        user.user_permissions.add(Permission.objects.get(codename=right))
    return user


async def client_of(name: str, *rights: str) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(await read(staff, name, *rights))
    return client


@pytest.fixture
async def operator(alice: User) -> AsyncClient:
    return await client_of("olga", "operate")


@pytest.fixture
async def traffic(alice: User) -> list[Message]:
    return await read(_traffic, alice)


def _traffic(alice: User) -> list[Message]:
    bob = User.objects.create_user("bob")
    made = some_traffic([alice, bob], timezone.now() - timedelta(hours=40), timezone.now(), 200)
    while (due := closing.next_closing()) is not None:
        closing.store(due)
    return made


async def page(client: AsyncClient, address: str) -> str:
    answer = await client.get(address)
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def table(html: str, number: int) -> list[list[str]]:
    """The cells of a table's body."""
    found = re.findall(r"<tbody>.*?</tbody>", html, re.DOTALL)[number]
    body: Element = tree(found)
    return [
        [re.sub(r"\s+", " ", cell.text).strip() for cell in row.children if cell != "\n"]  # type: ignore[union-attr]
        for row in body.all("tr")
    ]


@pytest.mark.parametrize("address", PAGES)
async def test_who_has_no_right_learns_nothing(address: str, browser: AsyncClient) -> None:
    nobody, clerk = AsyncClient(), await client_of("carl", "view_conversation")

    assert (await nobody.get(address)).status_code == 302
    assert (await browser.get(address)).status_code == 302
    assert (await clerk.get(address)).status_code == 403


async def test_figures_can_be_read_without_the_right_to_operate(alice: User) -> None:
    auditor = await client_of("ada", "view_healthfigure", "view_usagefigure")

    statuses = {path: (await auditor.get(path)).status_code for path in PAGES}

    assert statuses == dict(zip(PAGES, [403, 200, 200, 200], strict=True))


async def test_every_page_of_the_admin_leads_there(operator: AsyncClient) -> None:
    html = await page(operator, "/admin/")

    assert all(f'href="{address}"' in html for address in PAGES[:3])


async def test_the_table_under_the_charts_is_what_the_rows_say(
    traffic: list[Message], operator: AsyncClient
) -> None:
    html = await page(operator, "/admin/health/?endpoint=slow")
    shown = table(html, 1)

    figures = await read(lambda: plainly.hourly(plainly.rows()))
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=47)
    expected = [
        row for (at, name), row in sorted(figures.items()) if name == "slow" and at >= first
    ][::-1]
    assert [line[1:4] for line in shown] == [
        [str(row["requests"]), str(row["complete"]), str(row["stopped"])] for row in expected
    ]
    assert [(line[7], line[8]) for line in shown] == [
        (seconds(row["first_p50_ms"]), seconds(row["first_p95_ms"])) for row in expected
    ]
    assert [(line[11], line[12]) for line in shown] == [
        (str(row["cold"]), seconds(row["cold_p50_ms"])) for row in expected
    ]


def seconds(ms: float | None) -> str:
    return "" if ms is None else f"{ms / 1000:,.2f}"


async def test_the_bars_are_as_high_as_the_table_says(
    traffic: list[Message], operator: AsyncClient
) -> None:
    html = await page(operator, "/admin/health/?endpoint=slow&span=month")
    complete = [int(line[2]) for line in table(html, 1)][::-1]

    chart = html[html.index('aria-labelledby="requests-title') :]
    chart = chart[: chart.index("</svg>")]
    heights = [float(h) for h in re.findall(r'class="bar complete".*?height="([\d.]+)"', chart)]
    assert complete and len(heights) == len([count for count in complete if count])
    pixels = max(heights) / max(complete)  # heights are rounded, the highest the least
    assert heights == pytest.approx([pixels * count for count in complete if count], abs=0.02)


@pytest.mark.parametrize("by", ["user", "endpoint", "day"])
async def test_usage_adds_up_however_it_is_grouped(
    by: str, traffic: list[Message], operator: AsyncClient
) -> None:
    html = await page(operator, f"/admin/usage/?by={by}&sort=-messages")
    lines = [[cell.replace(",", "") for cell in line] for line in table(html, 0)]

    counts = [int(line[1]) for line in lines]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == len(traffic)
    assert sum(int(line[2]) for line in lines) == 30 * len(traffic)
    assert sum(int(line[3]) for line in lines) == sum(m.output_tokens or 0 for m in traffic)


async def test_usage_of_one_person_is_theirs_alone(
    traffic: list[Message], alice: User, operator: AsyncClient
) -> None:
    html = await page(operator, f"/admin/usage/?by=endpoint&user={alice.pk}")

    mine = await Message.objects.filter(conversation__owner=alice).acount()
    assert sum(int(line[1]) for line in table(html, 0)) == mine < len(traffic)


@pytest.mark.parametrize("rows", [1, 3, 2000])
async def test_the_export_has_every_line_and_no_formulas_and_is_noted(
    traffic: list[Message],
    alice: User,
    operator: AsyncClient,
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatapp.admin.operations.usage._ROWS_AT_ONCE", rows)
    await User.objects.filter(pk=alice.pk).aupdate(username="=cmd|'/c calc'!A1")

    answer = await operator.get("/admin/usage.csv")
    text = b"".join([piece async for piece in answer.streaming_content]).decode()  # type: ignore[union-attr]

    lines = list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK))))
    assert sum(int(line["messages"]) for line in lines) == len(traffic)
    assert {line["user"] for line in lines} == {"'=cmd|'/c calc'!A1", "bob"}
    assert [line["day"] for line in lines] == sorted(line["day"] for line in lines)
    noted = await AuditEvent.objects.aget()
    assert (noted.actor_name, noted.action) == ("olga", "export")


async def test_a_deleted_user_leaves_a_number_only(
    traffic: list[Message], alice: User, operator: AsyncClient
) -> None:
    number = alice.pk
    await alice.adelete()

    html = await page(operator, "/admin/usage/?sort=name")

    assert f"deleted user {number}" in html and ">alice<" not in html


@pytest.mark.parametrize(
    "query",
    [
        "by=nothing&sort=password",
        "first=2026-99-99&last=never",
        "first=9999-01-01",
        "last=0001-01-01",
        "user=-1&p=x",
        "user=99999999999999999999&p=-3",
        "user=²",
        "endpoint=%00%27%22%3Cscript%3E",
        "by=day&sort=--name",
    ],
)
async def test_nonsense_in_the_address_is_not_said(query: str, operator: AsyncClient) -> None:
    for path in PAGES:
        answer = await operator.get(f"{path}?{query}&span={query}")

        assert answer.status_code == 200
        if not answer.streaming:
            assert "<script>" not in answer.content.decode().replace("<script src", "")
        else:
            assert [piece async for piece in answer.streaming_content]  # type: ignore[union-attr]


@pytest.mark.parametrize("address", [*PAGES[:3], "/admin/health/?span=quarter"])
async def test_twelve_queries_are_enough(
    address: str, traffic: list[Message], operator: AsyncClient
) -> None:
    await page(operator, address)
    count = await _queries(operator, address)

    assert 0 < count <= 12


async def _queries(client: AsyncClient, address: str) -> int:
    """Those of all threads: each has a connection of its own."""
    from django.db.backends.utils import CursorWrapper

    counted: list[str] = []
    execute = CursorWrapper.execute

    def counting(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        counted.append(sql)
        return execute(self, sql, params)

    CursorWrapper.execute = counting  # type: ignore[method-assign]
    try:
        await page(client, address)
    finally:
        CursorWrapper.execute = execute  # type: ignore[method-assign]
    return len(counted)


def test_an_axis_begins_at_zero_and_ends_at_a_round_number() -> None:
    ends = {most: Axis(most).top for most in (0, 0.3, 1, 7, 41, 99, 100, 1234)}

    assert ends == {0: 1, 0.3: 0.3, 1: 1, 7: 8, 41: 60, 99: 100, 100: 100, 1234: 1500}
    assert Axis(1, is_whole=True).step == 1
    assert Axis(100).y(0) - Axis(100).y(100) == 150


def test_a_line_is_broken_where_there_was_no_traffic() -> None:
    slots = [Slot(str(n)) for n in range(5)]
    series = [Series("p50", "p50", [1, 2, None, 3, 4])]

    svg = Chart("a", "A", "s", "", slots, series, is_stacked=False).svg

    path = re.findall(r'class="line p50" d="([^"]+)"', svg)[0]
    assert re.findall(r"[ML][\d.]+", path) == ["M0.5", "L1.5", "M3.5", "L4.5"]
    assert svg.count("<circle") == 4
