"""The administrator's pages in a small crowd: each answers, and asks no more than it may."""

import pytest

from chatapp.models.summary import catch_up
from tests.bench.administering import BAR_QUERIES, PAGES, addresses, auditor, queries_of
from tests.bench.crowd import fill
from tests.bench.operating import operate

FAR = ("page 100", "page 200")  # there are not so many here


@pytest.fixture
def crowd(transactional_db: None) -> None:
    fill(1500)
    operate(days=3, events=5000, replies=20)
    while catch_up(500):
        pass


def test_every_page_of_the_benchmark_answers_within_its_queries(crowd: None) -> None:
    client = auditor()
    found = {title: queries_of(client, address) for title, address in addresses().items()}

    for title in PAGES:
        status, queries = found[title]
        assert status == (400 if title in FAR else 200), title
        assert queries <= BAR_QUERIES, title
