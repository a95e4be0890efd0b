import pytest

from chatapp.rendering.markdown import render
from tests.dom import Element, tree


def links(markdown: str) -> list[Element]:
    return [element for element in tree(render(markdown)).walk() if element.tag == "a"]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("[docs](https://example.org/x)", "docs example.org"),
        ("[www.example.org](https://example.org)", "www.example.org"),
        ("[example.org/x](https://www.example.org/x)", "example.org/x"),
        ("[https://example.org?q](https://example.org)", "https://example.org?q"),
        ("[bank.example](https://evil.example)", "bank.example evil.example"),
        (
            "[evil.example.bank.example](https://evil.example)",
            "evil.example.bank.example evil.example",
        ),
        (
            "[bank.example/evil.example](https://evil.example)",
            "bank.example/evil.example evil.example",
        ),
        ("[x](https://аррӏе.com)", "x xn--80ak6aa92e.com"),
        ("[x](https://faß.de)", "x xn--fa-hia.de"),
        ("[x](https://Bücher.example:8000/)", "x xn--bcher-kva.example"),
        ("[x](https://r3---sn-a.example)", "x r3---sn-a.example"),
        ("[x](https://xn--ls8h.example)", "x xn--ls8h.example"),
        ("[x](https://[2001:db8::1]/)", "x [2001:db8::1]"),
        ("[x](https://EXAMPLE.org:8000/)", "x example.org"),
        ("[write](mailto:a@b.example?subject=c)", "write a@b.example"),
        ("[](https://example.org)", " example.org"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("**https://example.org/a**", "https://example.org/a"),
        ("![a *b*](https://example.org/i.png)", "image: a b example.org"),
        ("[![a](https://i.example/i.png)](https://example.org)", "image: a example.org"),
    ],
)
def test_a_link_shows_where_it_leads(markdown: str, text: str) -> None:
    assert [link.text for link in links(markdown)] == [text]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org.", "https://example.org"),
        ("(https://example.org/a_(b))", "https://example.org/a_(b)"),
        ("https://example.org/?a=1&b=2!", "https://example.org/?a=1&b=2"),
        ('"https://example.org/a"', "https://example.org/a"),
        ("https://example.org/a。后", "https://example.org/a"),
        ("http://example.org/a_b_c", "http://example.org/a_b_c"),
        ("https://example.org/?$a=1", "https://example.org/?$a=1"),
        ("<b>https://example.org/</b>", "https://example.org/"),
    ],
)
def test_a_bare_address_is_a_link(text: str, address: str) -> None:
    assert [link.attributes["href"] for link in links(text)] == [address]
    assert tree(render(text)).text == f"{text}\n"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "/path",
        "#part",
        "//example.org",
        "https:example.org",
        "https:///example.org",
        "https://a@example.org",
        "https://bank.example\\@example.org",
        "https://%65xample%00.org",
        "https://a\u200db.example",
        "https://a..ä.example",
        f"https://{'ä' * 64}.example",
        "ftp://example.org",
    ],
)
def test_what_leads_nowhere_safe_is_text(address: str) -> None:
    assert not links(f"[shown]({address})")
    assert tree(render(f"[shown]({address})")).text == "shown\n"


@pytest.mark.parametrize(
    "text", ["`https://example.org`", "    https://example.org", "$https://a.b$"]
)
def test_an_address_in_code_or_maths_is_not_a_link(text: str) -> None:
    assert not links(text)


def test_an_address_keeps_its_dollars_and_brackets() -> None:
    assert [link.attributes["href"] for link in links("[x](https://example.org/?$a=<b>)")] == [
        "https://example.org/?$a=%3Cb%3E"
    ]


def test_a_host_in_other_letters_leads_to_the_ascii_host_that_is_shown() -> None:
    assert (
        links("[x](https://ｅｘａｍｐｌｅ。org/ä)")[0].attributes["href"]
        == "https://example.org/%C3%A4"
    )
