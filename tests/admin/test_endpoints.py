"""Endpoints in the admin: checked as they are typed, shown as requests, tried out live."""

import asyncio
import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import AsyncClient, Client
from pytest_django import DjangoAssertNumQueries

from chatapp.demo.server import PROTOCOLS
from chatapp.models import AuditEvent, Endpoint
from tests.upstream.scripted import DONE, TOKEN, Peer, answering, upstream

ADD = "/admin/chatapp/endpoint/add/"
KEY = "sk-very-secret-0123456789"


def form(**values: object) -> dict[str, object]:
    return {
        "name": "vllm",
        "protocol": "openai",
        "url": "https://api.example.com/v1",
        "options": "{}",
        "connect_timeout_s": 10,
        "first_byte_timeout_s": 300,
        "silence_timeout_s": 60,
        "total_timeout_s": 900,
        "enabled": "on",
        "position": 1,
    } | values


def text_of(answer: Any) -> str:
    """What a page says, without its markup."""
    page = re.sub(r"<(style|script)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def streamed(answer: Any) -> str:
    pieces = [piece async for piece in answer.streaming_content]
    page = b"".join(pieces).decode()
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture
def stored(transactional_db: None) -> Endpoint:
    return Endpoint.objects.create(
        name="vllm",
        protocol="openai",
        url="https://api.example.com/v1",
        api_key_env="EXAMPLE_API_KEY",
        position=1,
    )


@pytest.fixture
async def operator(transactional_db: None) -> AsyncClient:
    """Somebody who may add and change endpoints, and nothing else."""
    user = await User.objects.acreate_user("olga", is_staff=True)
    rights = Permission.objects.filter(codename__in=("add_endpoint", "change_endpoint"))
    await user.user_permissions.aset([right async for right in rights])
    client = AsyncClient()
    await client.aforce_login(user)
    return client


def test_an_endpoint_can_be_added_for_groups(admin: Client) -> None:
    group = Group.objects.create(name="Research")

    answer = admin.post(ADD, form(groups=[group.pk]))

    assert answer.status_code == 302
    endpoint = Endpoint.objects.get()
    assert (endpoint.name, list(endpoint.groups.all())) == ("vllm", [group])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"url": "ftp://x"}, "https:// or http://"),
        ({"url": "https://user:pass@x/"}, "user name or password"),
        ({"url": "https://x/#part"}, "behind #"),
        ({"url": "https://api.example.com\\@x/"}, "backslashes"),
        ({"url": "http://api.example.com/v1"}, "UPSTREAM_ALLOWED_HOSTS names"),
        ({"url": "https://10.0.0.1/v1"}, "10.0.0.1 is at a private address"),
        ({"url": "https://localhost/v1"}, "localhost is at a private address"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "no endpoint may have"),
        ({"url": "https://2130706433/v1"}, "not a valid URL"),
        ({"options": '{"nonsense": 1}'}, "nonsense"),
        ({"api_key_env": "SECRET_KEY"}, "ends in _API_KEY or _TOKEN, for example BASETEN_API_KEY"),
        ({"api_key_env": "${HOME}_TOKEN"}, "ends in _API_KEY or _TOKEN"),
    ],
)
def test_what_could_not_be_called_is_said_in_the_form(
    values: dict[str, object], sentence: str, admin: Client
) -> None:
    answer = admin.post(ADD, form(**values))

    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert not Endpoint.objects.exists()


def test_the_list_says_for_whom_and_orders_and_enables(
    admin: Client, stored: Endpoint, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        more = Endpoint.objects.create(name=f"e{number}", protocol="openai", url="https://x.test")
        more.groups.add(Group.objects.create(name=f"g{number}"))
    with django_assert_max_num_queries(12):
        page = text_of(admin.get("/admin/chatapp/endpoint/"))
    changes = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": stored.pk}
    admin.post("/admin/chatapp/endpoint/?q=vllm", changes | {"form-0-position": 7, "_save": "x"})

    stored.refresh_from_db()
    assert "everybody" in page and "g19" in page and "EXAMPLE_API_KEY: not set" in page
    assert (stored.position, stored.enabled) == (7, False)


def test_a_list_of_a_hundred_is_saved_whole(admin: Client) -> None:
    Endpoint.objects.bulk_create(
        Endpoint(name=f"e{n:02}", protocol="openai", url="https://x.test") for n in range(100)
    )
    rows = enumerate(Endpoint.objects.order_by("name"))
    cells = {f"form-{n}-{name}": v for n, e in rows for name, v in (("id", e.pk), ("position", n))}

    whole = {"form-TOTAL_FORMS": 100, "form-INITIAL_FORMS": 100, "_save": "x", **cells}
    answer = admin.post("/admin/chatapp/endpoint/", whole)

    assert answer.status_code == 302
    assert Endpoint.objects.get(name="e99").position == 99


def test_the_fields_of_the_list_say_what_they_are_and_of_which_endpoint(
    admin: Client, stored: Endpoint
) -> None:
    page = admin.get("/admin/chatapp/endpoint/").content.decode()

    assert 'aria-label="vllm: Enabled"' in page and 'aria-label="vllm: Order"' in page


def test_each_protocol_is_explained(admin: Client) -> None:
    page = admin.get(ADD).content.decode()

    for protocol in PROTOCOLS:
        assert page.count(f'data-protocol="{protocol}"') == 2  # the address, the options
    for words in ("/chat/completions", "x-api-key", "The whole predict URL", "max_tokens_field"):
        assert words in page


def test_options_are_explained_in_the_administrators_language(admin: Client) -> None:
    page = text_of(admin.get(ADD, headers={"accept-language": "de"}))

    assert "wie der Schlüssel gesendet wird: eines von bearer, none" in page
    assert "how the key is sent" not in page


@pytest.mark.parametrize(
    "values", [{"url": "https://elsewhere.example.com/v1"}, {"protocol": "anthropic"}]
)
def test_a_key_does_not_go_elsewhere_without_being_named_again(
    values: dict[str, object], admin: Client, stored: Endpoint
) -> None:
    address = f"/admin/chatapp/endpoint/{stored.pk}/change/"
    typed = form(api_key_env="EXAMPLE_API_KEY", **values)

    refused = [admin.post(address, {**typed, "key_again": again}) for again in ("", "OTHER_TOKEN")]
    unchanged = Endpoint.objects.values("url", "protocol", "api_key_env").get()
    taken = admin.post(address, {**typed, "key_again": "EXAMPLE_API_KEY"})

    for answer in refused:
        assert "the key in EXAMPLE_API_KEY would go elsewhere" in text_of(answer)
    assert unchanged == {
        "url": stored.url,
        "protocol": "openai",
        "api_key_env": "EXAMPLE_API_KEY",
    }
    assert taken.status_code == 302
    assert Endpoint.objects.filter(**values).exists()


@pytest.mark.parametrize("variable", ["", "OTHER_API_KEY"])
def test_another_key_or_none_needs_no_second_word(
    variable: str, admin: Client, stored: Endpoint
) -> None:
    typed = form(url="https://elsewhere.example.com/v1", api_key_env=variable)

    answer = admin.post(f"/admin/chatapp/endpoint/{stored.pk}/change/", typed)

    assert answer.status_code == 302
    assert Endpoint.objects.get().api_key_env == variable


def test_the_request_is_shown_with_the_variable_in_place_of_the_key(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXAMPLE_API_KEY", KEY)
    typed = form(
        name="", model="llama", api_key_env="EXAMPLE_API_KEY", options='{"max_tokens": 77}'
    )

    answer = admin.post("/admin/chatapp/endpoint/request/", typed)

    page = text_of(answer)
    assert "POST https://api.example.com/v1/chat/completions" in page
    assert "authorization: Bearer $EXAMPLE_API_KEY" in page
    assert '"model": "llama"' in page and '"max_tokens": 77' in page
    assert "EXAMPLE_API_KEY is set on this server" in page
    assert KEY not in answer.content.decode()


def test_the_request_of_each_protocol_can_be_shown(admin: Client) -> None:
    headers = {
        "openai": "authorization: Bearer $A_TOKEN",
        "anthropic": "x-api-key: $A_TOKEN",
        "truss": "authorization: Api-Key $A_TOKEN",
        "cerebrium": "authorization: Bearer $A_TOKEN",
    }
    for protocol, header in headers.items():
        typed = form(protocol=protocol, api_key_env="A_TOKEN")
        page = text_of(
            admin.post("/admin/chatapp/endpoint/request/", typed, headers={"HX-Request": "true"})
        )

        assert header in page
        assert "A_TOKEN is not set on this server" in page
        assert "chatapp administration" not in page


def test_the_list_has_the_whole_width(admin: Client) -> None:
    page = text_of(admin.get("/admin/chatapp/endpoint/"))

    assert "chatapp administration" in page
    assert 'id="nav-sidebar"' not in page


def test_what_is_wrong_with_a_request_is_said_in_its_place(admin: Client) -> None:
    for values, sentence in (
        ({"protocol": ""}, "Protocol: This field is required"),
        ({"url": ""}, "URL: This field is required"),
        ({"options": "{"}, "Options: Enter a valid JSON"),
        ({"options": "[" * 20_000}, "Options: Enter a valid JSON"),
        ({"options": '{"auth": "basic"}'}, "has to be one of bearer"),
        ({"options": "5"}, "have to be a JSON object"),
        ({"options": '{"limits": {"temperature": ["a", null]}}'}, "the lowest and highest"),
        ({"protocol": "truss", "options": '{"body": "{prompt}"}'}, "has to be a JSON object"),
        ({"protocol": "truss", "options": '{"body": {"a": NaN}}'}, "numbers like NaN"),
        ({"options": r'{"headers": {"X-A": "\ud800"}}'}, "half a surrogate pair"),
        ({"url": "https://10.0.0.1"}, "at a private address"),
        ({"api_key_env": "SECRET_KEY"}, "_API_KEY or _TOKEN"),
        ({"api_key_env": "METRICS_TOKEN"}, "the service's own"),
    ):
        answer = admin.post("/admin/chatapp/endpoint/request/", form(**values))

        assert sentence in text_of(answer)


async def test_what_is_typed_is_tried_out_and_nothing_is_saved(operator: AsyncClient) -> None:
    async with upstream(answering(TOKEN + DONE)) as server:
        typed = form(url=f"http://127.0.0.1:{server.port}", enabled="")
        page = await streamed(await operator.post("/admin/chatapp/endpoint/test/", typed))

    assert "200 OK" in page and "First token" in page and "It works" in page
    assert "too little came to tell" in page
    assert re.search(r"\d+ ms", page) and re.search(r"\d+ B", page)
    assert not await Endpoint.objects.aexists()


async def test_a_trial_is_written_down(operator: AsyncClient, stored: Endpoint) -> None:
    async with upstream(answering(TOKEN + DONE)) as server:
        typed = form(url=f"http://127.0.0.1:{server.port}")
        for place, name in ((f"{stored.pk}/", "vllm"), ("", "new")):
            address = f"/admin/chatapp/endpoint/{place}test/"
            await streamed(await operator.post(address, typed | {"name": name}))

    new, old = [event async for event in AuditEvent.objects.all()]
    assert (old.actor_name, old.action, old.kind) == ("olga", "test", "endpoint")
    assert (old.object_id, old.object_name) == (str(stored.pk), "vllm")
    assert old.detail == {"url": typed["url"]}
    assert (new.object_id, new.object_name) == ("", "new")


async def test_the_upstreams_error_is_shown_in_its_words_and_never_the_key(
    operator: AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EXAMPLE_API_KEY", KEY)
    caplog.set_level("DEBUG")

    async def script(peer: Peer) -> None:
        got = peer.request.headers["authorization"]
        await peer.respond(401, f'{{"error": {{"message": "No <b>way</b>, {got}!"}}}}'.encode())

    async with upstream(script) as server:
        typed = form(url=f"http://127.0.0.1:{server.port}", api_key_env="EXAMPLE_API_KEY")
        answer = await operator.post("/admin/chatapp/endpoint/test/", typed)
        raw = b"".join([piece async for piece in answer.streaming_content]).decode()

    assert "The endpoint did not accept the key" in raw
    assert "<b>401</b> No &lt;b&gt;way&lt;/b&gt;, Bearer [key]!" in raw
    assert KEY not in raw and KEY not in caplog.text
    assert KEY not in str([event.detail async for event in AuditEvent.objects.all()])


async def test_a_trial_fails_in_the_language_of_whoever_makes_it(operator: AsyncClient) -> None:
    async with upstream(answering(b"<title>Log in</title>", "text/html")) as server:
        typed = form(url=f"http://127.0.0.1:{server.port}")
        german = {"accept-language": "de"}
        answer = await operator.post("/admin/chatapp/endpoint/test/", typed, headers=german)
        page = await streamed(answer)

    assert "Die Antwort des Endpunkts ergab keinen Sinn" in page
    assert "Der Endpunkt hat mit einer Webseite (200) geantwortet: Log in" in page


async def test_what_an_upstream_says_is_text(operator: AsyncClient) -> None:
    said = b"<script>alert(1)</script>\x00<img src=x>"
    async with upstream(answering(said, "text/plain")) as server:
        typed = form(protocol="truss", url=f"http://127.0.0.1:{server.port}/predict")
        answer = await operator.post("/admin/chatapp/endpoint/test/", typed)
        raw = b"".join([piece async for piece in answer.streaming_content]).decode()

    assert raw.count("&lt;script&gt;alert(1)") == 2  # the piece, the answer
    assert "<script>alert" not in raw and "<img src=x" not in raw


async def test_the_page_grows_while_the_answer_comes_and_ends_it_when_closed(
    operator: AsyncClient,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await peer.until_closed()

    async def read(answer: Any) -> None:
        async for piece in answer.streaming_content:
            page.append(piece.decode())
            if "First token" in page[-1]:
                has_begun.set()

    page: list[str] = []
    has_begun = asyncio.Event()
    async with upstream(script) as server, asyncio.timeout(20):
        typed = form(url=f"http://127.0.0.1:{server.port}")
        answer = await operator.post("/admin/chatapp/endpoint/test/", typed)
        reading = asyncio.create_task(read(answer))
        await has_begun.wait()
        reading.cancel()  # as the server does when the page is closed
        await server.all_closed.wait()

    assert "200 OK" in "".join(page) and "It works" not in "".join(page)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"url": "https://169.254.169.254/"}, "no endpoint may have"),
        ({"api_key_env": "NEVER_SET_API_KEY"}, "NEVER_SET_API_KEY is not set on the server"),
        ({"api_key_env": "SECRET_KEY"}, "_API_KEY or _TOKEN"),
        (
            {"url": "https://elsewhere.example.com", "api_key_env": "EXAMPLE_API_KEY"},
            "go elsewhere",
        ),
    ],
)
async def test_what_may_not_be_called_is_not_tried_out(
    values: dict[str, object], sentence: str, operator: AsyncClient, stored: Endpoint
) -> None:
    answer = await operator.post(f"/admin/chatapp/endpoint/{stored.pk}/test/", form(**values))

    assert answer.status_code == 422
    assert "Nothing was sent." in text_of(answer) and sentence in text_of(answer)
    assert not await AuditEvent.objects.aexists()


async def test_only_those_who_may_write_an_endpoint_see_its_request_and_try_it_out(
    browser: AsyncClient, stored: Endpoint
) -> None:
    reader = await User.objects.acreate_user("rita", is_staff=True)
    await reader.user_permissions.aadd(await Permission.objects.aget(codename="view_endpoint"))
    views = AsyncClient()
    await views.aforce_login(reader)

    for name in ("request", "test"):
        for place in ("", f"{stored.pk}/"):
            address = f"/admin/chatapp/endpoint/{place}{name}/"
            assert (await views.post(address, form())).status_code == 403
            assert (await browser.post(address, form())).status_code == 302  # to sign in
    page = (await views.get(f"/admin/chatapp/endpoint/{stored.pk}/change/")).content.decode()
    assert "/test/" not in page


async def test_an_address_of_a_trial_leads_to_its_form(
    operator: AsyncClient, stored: Endpoint
) -> None:
    for name in ("request", "test"):
        old = await operator.get(f"/admin/chatapp/endpoint/{stored.pk}/{name}/")
        new = await operator.get(f"/admin/chatapp/endpoint/{name}/")
        gone = await operator.get(f"/admin/chatapp/endpoint/{stored.pk + 1}/{name}/")

        assert old.headers["location"] == f"/admin/chatapp/endpoint/{stored.pk}/change/"
        assert new.headers["location"] == ADD
        assert gone.status_code == 404
