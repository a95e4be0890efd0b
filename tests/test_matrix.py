"""Everybody × every page, form and socket of the site: who gets in, as one table.

A new address without a row here fails a test. What stands in braces is Alice's, and made anew for
each who asks; FORMS says what is posted, and what follows a # tells forms of one address apart.
Outcomes are HTTP's status, `login` for being led to a sign-in page, and for sockets `open` or the
code that closes them. Rows are asked for in their order, so signing out comes last.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Group, User
from django.test import AsyncClient
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from chatapp.database import write
from chatapp.models import (
    Attachment,
    AuditEvent,
    Conversation,
    Endpoint,
    Hold,
    Import,
    Limit,
    Message,
    Preset,
    Prompt,
    Role,
    Share,
)
from chatapp.routing import sockets
from chatapp.sockets import TOO_MANY
from tests.rights import staff
from tests.tab import Tab, sign_in

PEOPLE = ("alice", "bob", "auditor", "operator", "admin", "staff", "nobody")
PAGES = """
# a person's pages                                         alice   bob audit  oper admin staff  none
GET  /                                                       200   200   200   200   200   200 login
GET  /conversations/                                         200   200   200   200   200   200 login
GET  /search/?q=word                                         200   200   200   200   200   200 login
GET  /prompts/                                               200   200   200   200   200   200 login
GET  /prompts/new/                                           200   200   200   200   200   200 login
GET  /prompts/matching/?q=greet                              200   200   200   200   200   200 login
GET  /presets/                                               200   200   200   200   200   200 login
GET  /presets/new/                                           200   200   200   200   200   200 login
GET  /links/                                                 200   200   200   200   200   200 login
GET  /imports/                                               200   200   200   200   200   200 login
GET  /attachments/unsent/                                    200   200   200   200   200   200 login
GET  /export.zip                                             200   200   200   200   200   200 login
GET  /oversight/                                             200   200   200   200   200   200 login
GET  /your-data/                                             200   200   200   200   200   200 login
POST /your-data/delete-all/                                  422   422   422   422   422   422 login
POST /your-data/bring-back/                                  302   302   302   302   302   302 login
POST /your-data/leave/                                       422   422   422   422   422   422 login
POST /prompts/create/                                        302   302   302   302   302   302 login
POST /presets/new/save/                                      302   302   302   302   302   302 login
POST /imports/new/                                           422   422   422   422   422   422 login
POST /attachments/                                           422   422   422   422   422   422 login

# a person's things                                        alice   bob audit  oper admin staff  none
GET  /c/{talk}/                                              200   404   404   404   404   404 login
GET  /c/{talk}/part/?before={asked}                          200   404   404   404   404   404 login
GET  /c/{talk}/export.json                                   200   404   404   404   404   404 login
GET  /c/{talk}/export.md                                     200   404   404   404   404   404 login
POST /c/{talk}/messages/                                     422   404   404   404   404   404 login
POST /c/{talk}/queue/queue/                                  422   404   404   404   404   404 login
POST /c/{talk}/queue/unqueue/                                422   404   404   404   404   404 login
POST /c/{talk}/rename/                                       302   404   404   404   404   404 login
POST /c/{talk}/settings/                                     302   404   404   404   404   404 login
POST /c/{talk}/preset/                                       302   404   404   404   404   404 login
POST /c/{talk}/share/                                        302   404   404   404   404   404 login
POST /conversations/pin/                                     302   404   404   404   404   404 login
POST /conversations/delete/                                  302   404   404   404   404   404 login
GET  /messages/{asked}/                                      200   404   404   404   404   404 login
GET  /messages/{reply}/markdown/                             200   404   404   404   404   404 login
GET  /messages/{asked}/edit-form/                            200   404   404   404   404   404 login
GET  /messages/{asked}/elsewhere/                            200   404   404   404   404   404 login
GET  /messages/{reply}/reason/                               302   404   404   404   404   404 login
POST /messages/{reply}/fork/                                 302   404   404   404   404   404 login
POST /messages/{reply}/like/                                 302   404   404   404   404   404 login
POST /messages/{reply}/stop/                                 302   404   404   404   404   404 login
POST /messages/{reply}/regenerate/                           422   404   404   404   404   404 login
POST /messages/{asked}/edit/                                 422   404   404   404   404   404 login
POST /messages/{reply}/remove/                               302   404   404   404   404   404 login
GET  /prompts/{prompt}/                                      200   404   404   404   404   404 login
GET  /prompts/{prompt}/text/                                 200   404   404   404   404   404 login
POST /prompts/{prompt}/change/                               302   404   404   404   404   404 login
POST /prompts/{prompt}/delete/                               302   404   404   404   404   404 login
GET  /presets/{preset}/                                      200   404   404   404   404   404 login
POST /presets/{preset}/save/                                 302   404   404   404   404   404 login
POST /presets/{preset}/delete/                               302   404   404   404   404   404 login
GET  /imports/{import}/                                      200   404   404   404   404   404 login
GET  /attachments/{attachment}/                              200   404   404   404   404   404 login
POST /attachments/{unsent}/discard/                          204   404   404   404   404   404 login
GET  /s/{share}/                                             200   200   200   200   200   200 login
POST /s/{share}/copy/                                        302   302   302   302   302   302 login
POST /s/{share}/revoke/                                      302   404   404   404   404   404 login

# anybody's pages                                          alice   bob audit  oper admin staff  none
GET  /preferences/                                           200   200   200   200   200   200   200
POST /preferences/                                           302   302   302   302   302   302   302
GET  /metrics                                                200   200   200   200   200   200   200
GET  /your-data/left/                                        200   200   200   200   200   200   200
GET  /login/                                                 200   200   200   200   200   200   200
POST /login/                                                 200   200   200   200   200   200   200
GET  /healthz                                                200   200   200   200   200   200   200
GET  /readyz                                                 200   200   200   200   200   200   200
GET  /demo/nonsense/                                       login login login login login login login
GET  /logout/                                                405   405   405   405   405   405   405
POST /logout/                                              login login login login login login login

# the admin itself                                         alice   bob audit  oper admin staff  none
GET  /admin/                                               login login   200   200   200   200 login
GET  /admin/login/                                           200   200   302   302   302   302   200
POST /admin/login/                                           200   200   200   200   200   200   200
GET  /admin/password_change/                               login login   200   200   200   200 login
POST /admin/password_change/                               login login   200   200   200   200 login
GET  /admin/password_change/done/                          login login   200   200   200   200 login
GET  /admin/jsi18n/                                        login login   200   200   200   200 login
GET  /admin/autocomplete/                                  login login   403   403   403   403 login
GET  /admin/r/1/1/                                         login login   404   404   404   404 login
GET  /admin/chatapp/                                       login login   200   200   200   404 login
GET  /admin/auth/                                          login login   200   404   200   404 login
GET  /admin/nowhere/                                       login login   404   404   404   404 login
GET  /admin/logout/                                          302   302   405   405   405   405   302
POST /admin/logout/                                          302   302 login login login login   302

# conversations in the admin                               alice   bob audit  oper admin staff  none
GET  /admin/chatapp/conversation/                          login login   200   403   200   403 login
POST /admin/chatapp/conversation/#export                   login login   200   403   302   403 login
POST /admin/chatapp/conversation/#delete                   login login   200   403   302   403 login
POST /admin/chatapp/conversation/#restore                  login login   200   403   302   403 login
GET  /admin/chatapp/conversation/{talk}/                   login login   302   302   302   302 login
GET  /admin/chatapp/conversation/{talk}/change/            login login   200   403   200   403 login
POST /admin/chatapp/conversation/{talk}/change/            login login   403   403   403   403 login
GET  /admin/chatapp/conversation/{talk}/history/           login login   302   403   302   403 login
GET  /admin/chatapp/conversation/add/                      login login   403   403   403   403 login
POST /admin/chatapp/conversation/add/                      login login   403   403   403   403 login
GET  /admin/chatapp/conversation/export/                   login login   403   403   200   403 login
POST /admin/chatapp/conversation/export/                   login login   403   403   200   403 login
GET  /admin/chatapp/conversation/export/{export}/progress/ login login   403   403   200   403 login
GET  /admin/chatapp/conversation/{talk}/delete/            login login   403   403   200   403 login
POST /admin/chatapp/conversation/{talk}/delete/            login login   403   403   302   403 login

# audit events in the admin                                alice   bob audit  oper admin staff  none
GET  /admin/chatapp/auditevent/                            login login   200   403   200   403 login
GET  /admin/chatapp/auditevent/add/                        login login   403   403   403   403 login
POST /admin/chatapp/auditevent/add/                        login login   403   403   403   403 login
GET  /admin/chatapp/auditevent/{event}/                    login login   302   302   302   302 login
GET  /admin/chatapp/auditevent/{event}/change/             login login   200   403   200   403 login
POST /admin/chatapp/auditevent/{event}/change/             login login   403   403   403   403 login
GET  /admin/chatapp/auditevent/{event}/history/            login login   302   403   302   403 login
GET  /admin/chatapp/auditevent/{event}/delete/             login login   403   403   403   403 login
POST /admin/chatapp/auditevent/{event}/delete/             login login   403   403   403   403 login

# endpoints in the admin                                   alice   bob audit  oper admin staff  none
GET  /admin/chatapp/endpoint/                              login login   403   200   200   403 login
GET  /admin/chatapp/endpoint/add/                          login login   403   200   200   403 login
POST /admin/chatapp/endpoint/add/                          login login   403   200   200   403 login
GET  /admin/chatapp/endpoint/{endpoint}/                   login login   302   302   302   302 login
GET  /admin/chatapp/endpoint/{endpoint}/change/            login login   403   200   200   403 login
POST /admin/chatapp/endpoint/{endpoint}/change/            login login   403   200   200   403 login
GET  /admin/chatapp/endpoint/{endpoint}/history/           login login   403   403   302   403 login
GET  /admin/chatapp/endpoint/{endpoint}/delete/            login login   403   200   200   403 login
POST /admin/chatapp/endpoint/{endpoint}/delete/            login login   403   302   302   403 login

# people in the admin                                      alice   bob audit  oper admin staff  none
GET  /admin/auth/user/                                     login login   200   403   200   403 login
GET  /admin/auth/user/add/                                 login login   403   403   200   403 login
POST /admin/auth/user/add/                                 login login   403   403   200   403 login
GET  /admin/auth/user/{user}/                              login login   302   302   302   302 login
GET  /admin/auth/user/{user}/change/                       login login   200   403   200   403 login
POST /admin/auth/user/{user}/change/                       login login   403   403   200   403 login
GET  /admin/auth/user/{user}/history/                      login login   302   403   302   403 login
GET  /admin/auth/user/{user}/password/                     login login   403   403   200   403 login
POST /admin/auth/user/{user}/password/                     login login   403   403   200   403 login
GET  /admin/auth/user/{user}/delete/                       login login   403   403   200   403 login
POST /admin/auth/user/{user}/delete/                       login login   403   403   302   403 login

# groups in the admin                                      alice   bob audit  oper admin staff  none
GET  /admin/auth/group/                                    login login   403   403   200   403 login
GET  /admin/auth/group/add/                                login login   403   403   200   403 login
POST /admin/auth/group/add/                                login login   403   403   200   403 login
GET  /admin/auth/group/{group}/                            login login   302   302   302   302 login
GET  /admin/auth/group/{group}/change/                     login login   403   403   200   403 login
POST /admin/auth/group/{group}/change/                     login login   403   403   200   403 login
GET  /admin/auth/group/{group}/history/                    login login   403   403   302   403 login
GET  /admin/auth/group/{group}/delete/                     login login   403   403   200   403 login
POST /admin/auth/group/{group}/delete/                     login login   403   403   302   403 login

# sign-ins in the admin                                    alice   bob audit  oper admin staff  none
GET  /admin/axes/accessattempt/                            login login   403   403   200   403 login
GET  /admin/axes/accessattempt/add/                        login login   403   403   403   403 login
POST /admin/axes/accessattempt/add/                        login login   403   403   403   403 login
GET  /admin/axes/accessattempt/{attempt}/                  login login   302   302   302   302 login
GET  /admin/axes/accessattempt/{attempt}/change/           login login   403   403   200   403 login
POST /admin/axes/accessattempt/{attempt}/change/           login login   403   403   302   403 login
GET  /admin/axes/accessattempt/{attempt}/history/          login login   403   403   302   403 login
GET  /admin/axes/accessattempt/{attempt}/delete/           login login   403   403   200   403 login
POST /admin/axes/accessattempt/{attempt}/delete/           login login   403   403   302   403 login
GET  /admin/axes/accessfailurelog/                         login login   403   403   200   403 login
GET  /admin/axes/accessfailurelog/add/                     login login   403   403   403   403 login
POST /admin/axes/accessfailurelog/add/                     login login   403   403   403   403 login
GET  /admin/axes/accessfailurelog/{failure}/               login login   302   302   302   302 login
GET  /admin/axes/accessfailurelog/{failure}/change/        login login   403   403   200   403 login
POST /admin/axes/accessfailurelog/{failure}/change/        login login   403   403   302   403 login
GET  /admin/axes/accessfailurelog/{failure}/history/       login login   403   403   302   403 login
GET  /admin/axes/accessfailurelog/{failure}/delete/        login login   403   403   200   403 login
POST /admin/axes/accessfailurelog/{failure}/delete/        login login   403   403   302   403 login
GET  /admin/axes/accesslog/                                login login   403   403   200   403 login
GET  /admin/axes/accesslog/add/                            login login   403   403   403   403 login
POST /admin/axes/accesslog/add/                            login login   403   403   403   403 login
GET  /admin/axes/accesslog/{log}/                          login login   302   302   302   302 login
GET  /admin/axes/accesslog/{log}/change/                   login login   403   403   200   403 login
POST /admin/axes/accesslog/{log}/change/                   login login   403   403   302   403 login
GET  /admin/axes/accesslog/{log}/history/                  login login   403   403   302   403 login
GET  /admin/axes/accesslog/{log}/delete/                   login login   403   403   200   403 login
POST /admin/axes/accesslog/{log}/delete/                   login login   403   403   302   403 login

# requests and tests of endpoints                          alice   bob audit  oper admin staff  none
GET  /admin/chatapp/endpoint/request/                      login login   403   302   302   403 login
POST /admin/chatapp/endpoint/request/                      login login   403   200   200   403 login
GET  /admin/chatapp/endpoint/{endpoint}/request/           login login   403   302   302   403 login
POST /admin/chatapp/endpoint/{endpoint}/request/           login login   403   200   200   403 login
GET  /admin/chatapp/endpoint/test/                         login login   403   302   302   403 login
POST /admin/chatapp/endpoint/test/                         login login   403   422   422   403 login
GET  /admin/chatapp/endpoint/{endpoint}/test/              login login   403   302   302   403 login
POST /admin/chatapp/endpoint/{endpoint}/test/              login login   403   422   422   403 login

# holds in the admin                                       alice   bob audit  oper admin staff  none
GET  /admin/chatapp/hold/                                  login login   200   403   200   403 login
GET  /admin/chatapp/hold/add/                              login login   403   403   200   403 login
POST /admin/chatapp/hold/add/                              login login   403   403   200   403 login
GET  /admin/chatapp/hold/{hold}/                           login login   302   302   302   302 login
GET  /admin/chatapp/hold/{hold}/change/                    login login   200   403   200   403 login
POST /admin/chatapp/hold/{hold}/change/                    login login   403   403   403   403 login
GET  /admin/chatapp/hold/{hold}/history/                   login login   302   403   302   403 login
GET  /admin/chatapp/hold/{hold}/delete/                    login login   403   403   200   403 login
POST /admin/chatapp/hold/{hold}/delete/                    login login   403   403   302   403 login

# limits in the admin                                      alice   bob audit  oper admin staff  none
GET  /admin/chatapp/limit/                                 login login   403   200   200   403 login
GET  /admin/chatapp/limit/add/                             login login   403   200   200   403 login
POST /admin/chatapp/limit/add/                             login login   403   200   200   403 login
GET  /admin/chatapp/limit/{limit}/                         login login   302   302   302   302 login
GET  /admin/chatapp/limit/{limit}/change/                  login login   403   200   200   403 login
POST /admin/chatapp/limit/{limit}/change/                  login login   403   200   200   403 login
GET  /admin/chatapp/limit/{limit}/history/                 login login   403   403   302   403 login
GET  /admin/chatapp/limit/{limit}/delete/                  login login   403   200   200   403 login
POST /admin/chatapp/limit/{limit}/delete/                  login login   403   302   302   403 login

# usages in the admin                                      alice   bob audit  oper admin staff  none
GET  /admin/chatapp/usage/                                 login login   403   200   200   403 login
GET  /admin/chatapp/usage/add/                             login login   403   403   403   403 login
POST /admin/chatapp/usage/add/                             login login   403   403   403   403 login
GET  /admin/chatapp/usage/{user}/                          login login   302   302   302   302 login
GET  /admin/chatapp/usage/{user}/change/                   login login   403   302   302   403 login
POST /admin/chatapp/usage/{user}/change/                   login login   403   403   403   403 login
GET  /admin/chatapp/usage/{user}/history/                  login login   403   403   302   403 login
GET  /admin/chatapp/usage/{user}/delete/                   login login   403   403   403   403 login
POST /admin/chatapp/usage/{user}/delete/                   login login   403   403   403   403 login

# operations in the admin                                  alice   bob audit  oper admin staff  none
GET  /admin/running/                                       login login   403   200   200   403 login
POST /admin/running/cancel/                                login login   403   302   302   403 login
GET  /admin/health/                                        login login   200   200   200   403 login
GET  /admin/usage/                                         login login   200   200   200   403 login
GET  /admin/usage.csv                                      login login   200   200   200   403 login
"""

SOCKETS = """
WS   /ws/                                                   open  open  open  open  open  open  4401
WS   /ws/conversations/{talk}/                              open  4404  4404  4404  4404  4404  4401
WS   /ws/admin/running/                                     4404  4404  4404  open  open  4404  4401
"""


def action(name: str, thing: str, *marks: str) -> dict[str, str]:
    """What a list in the admin sends; who may not gets the list again."""
    return {"action": name, "_selected_action": thing, **dict.fromkeys(marks, "1")}


NUMBERED = (
    "prompt",
    "preset",
    "endpoint",
    "event",
    "user",
    "group",
    "attempt",
    "failure",
    "log",
    "hold",
    "limit",
)
NAMED = ("talk", "asked", "reply", "import", "attachment", "unsent", "share", "export")
# What the forms say, where an empty one would be told apart by nobody.
FORMS: dict[str, dict[str, str]] = {
    "/prompts/create/": {"name": "hello", "text": "Hello"},
    "/presets/new/save/": {"name": "terse"},
    "/c/{talk}/share/": {"kind": "stands", "of": "{asked}"},
    "/conversations/pin/": {"conversation": "{talk}"},
    "/conversations/delete/": {"conversation": "{talk}"},
    "/c/{talk}/rename/": {"title": "Another"},
    "/c/{talk}/preset/": {"preset": "{preset}"},
    "/prompts/{prompt}/change/": {"name": "other", "text": "Hello"},
    "/presets/{preset}/save/": {"name": "other"},
    "/preferences/": {
        "theme": "dark",
        "text_size": "medium",
        "width": "normal",
        "letters": "off",
    },
    "/admin/chatapp/conversation/#export": action("export_selected", "{talk}", "select_across"),
    "/admin/chatapp/conversation/#delete": action("delete_selected", "{talk}", "post"),
    "/admin/chatapp/conversation/#restore": action("restore_selected", "{talk}"),
    "/admin/chatapp/conversation/export/": {"kind": "csv", "key": "{export}"},
    "/admin/chatapp/conversation/{talk}/delete/": {"post": "yes"},
    "/admin/chatapp/auditevent/{event}/delete/": {"post": "yes"},
    "/admin/chatapp/endpoint/{endpoint}/delete/": {"post": "yes"},
    "/admin/auth/user/{user}/delete/": {"post": "yes"},
    "/admin/auth/group/{group}/delete/": {"post": "yes"},
    "/admin/axes/accesslog/{log}/delete/": {"post": "yes"},
    "/admin/chatapp/hold/{hold}/delete/": {"post": "yes"},
    "/admin/chatapp/limit/{limit}/delete/": {"post": "yes"},
    "/admin/running/cancel/": {"reply": "{reply}"},
    "/admin/axes/accessfailurelog/{failure}/delete/": {"post": "yes"},
    "/admin/axes/accessattempt/{attempt}/delete/": {"post": "yes"},
}


def rooms(table: str) -> dict[str, list[str]]:
    """The rows under each heading."""
    found: dict[str, list[str]] = {}
    for part in re.split("^# ", table, flags=re.MULTILINE):
        heading, *rows = part.strip().splitlines() or [""]
        found[heading.partition("  ")[0]] = [row for row in rows if row]
    return {heading: rows for heading, rows in found.items() if rows}


ROOMS = rooms(PAGES)
SOCKET_ROWS = SOCKETS.strip().splitlines()


def test_every_address_has_its_row() -> None:
    """Rows are resolved with things that look like those of the test."""
    looks = dict.fromkeys(NUMBERED, 1) | dict.fromkeys(NAMED, uuid4())
    addresses = [row.split()[1] for rows in ROOMS.values() for row in rows]
    paths = [re.split("[?#]", address)[0].format(**looks) for address in addresses]

    assert set(routes()) - {resolve(path).route for path in paths} == set()


def test_every_socket_has_its_row() -> None:
    patterns = [socket.pattern for socket in sockets]
    rows = [row.split()[1].format(talk=uuid4()) for row in SOCKET_ROWS]

    assert [p for p in patterns if not any(p.match(row[1:]) for row in rows)] == []


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every address of the site, as `resolve` tells them."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            assert isinstance(pattern, URLPattern)
            yield route


@pytest.fixture
async def people(transactional_db: None) -> AsyncIterator[dict[str, User | None]]:
    yield await write(make_people)


def make_people() -> dict[str, User | None]:
    return {
        "alice": User.objects.create_user("alice"),
        "bob": User.objects.create_user("bob"),
        "auditor": staff("auditor", "Auditor"),
        "operator": staff("operator", "Operator"),
        "admin": User.objects.create_superuser("admin"),
        "staff": staff("staff"),
        "nobody": None,
    }


def alice_of(people: dict[str, User | None]) -> User:
    alice = people["alice"]
    assert alice is not None
    return alice


class Things(dict[str, object]):
    """Alice's, each made when a row names it."""

    def __init__(self, alice: User) -> None:
        self.alice = alice

    def __missing__(self, name: str) -> object:
        self[name] = getattr(self, f"_{name}")()
        return self[name]

    def _talk(self) -> object:
        return Conversation.objects.create(owner=self.alice, title="Alice's").pk

    def _asked(self) -> object:
        return self._said(Role.USER, None)

    def _reply(self) -> object:
        return self._said(Role.ASSISTANT, self["asked"])

    def _said(self, role: Role, parent: object) -> object:
        about = {"conversation_id": self["talk"], "parent_id": parent}
        return Message.objects.create(role=role, text="words", **about).pk

    def _prompt(self) -> object:
        return Prompt.objects.create(owner=self.alice, name=new_name(), text="Hello").pk

    def _preset(self) -> object:
        return Preset.objects.create(owner=self.alice, name=new_name()).pk

    def _import(self) -> object:
        return Import.objects.create(owner=self.alice, name="x.json", size=1).pk

    def _attachment(self) -> object:
        return self._file(self["asked"])

    def _unsent(self) -> object:
        return self._file(None)

    def _file(self, message: object) -> object:
        bytes_ = {"media_type": "text/plain", "size": 1, "data": b"x"}
        return Attachment.objects.create(
            owner=self.alice, message_id=message, name="a.txt", **bytes_
        ).pk

    def _share(self) -> object:
        assert self["asked"]
        return Share.objects.create(conversation_id=self["talk"], token=new_name()).pk

    def _endpoint(self) -> object:
        return Endpoint.objects.create(name=new_name(), url="https://x/v1", enabled=False).pk

    def _event(self) -> object:
        return AuditEvent.objects.create(actor_name="x", action="read").pk

    def _export(self) -> object:
        return uuid4()

    def _hold(self) -> object:
        return Hold.objects.create(person=self.alice, reason="asked by court").pk

    def _limit(self) -> object:
        return Limit.objects.create(user_id=self["user"], tokens_a_day=1).pk

    def _user(self) -> object:
        return User.objects.create_user(new_name()).pk

    def _group(self) -> object:
        return Group.objects.create(name=new_name()).pk

    def _attempt(self) -> object:
        return self._sign_in(AccessAttempt, failures_since_start=1)

    def _failure(self) -> object:
        return self._sign_in(AccessFailureLog)

    def _log(self) -> object:
        return self._sign_in(AccessLog)

    def _sign_in(self, model: Any, **more: object) -> object:
        where = {"user_agent": "x", "ip_address": "::1", "path_info": "/"}
        return model.objects.create(username=new_name(), **where, **more).pk


def new_name() -> str:
    return uuid4().hex[:12]


async def outcome(row: str, client: AsyncClient, alice: User) -> str:
    """What the person gets, who is given fresh things of Alice's."""
    method, address = row.split()[:2]
    things = Things(alice)
    filled = await write(address.partition("#")[0].format_map, things)
    if method == "GET":
        return told(await client.get(filled))
    form = {k: await write(v.format_map, things) for k, v in FORMS.get(address, {}).items()}
    return told(await client.post(filled, form))


def told(answer: Any) -> str:
    if answer.status_code == 302 and re.match(r"(/admin)?/login/", answer.headers["location"]):
        return "login"
    return str(answer.status_code)


def line(row: str, got: list[str]) -> str:
    """The row as it is written in the table."""
    method, address = row.split()[:2]
    return f"{method:4} {address:53}" + "".join(f"{what:>6}" for what in got)


@pytest.mark.parametrize("room", ROOMS)
async def test_everybody_gets_what_the_table_says(
    room: str, people: dict[str, User | None]
) -> None:
    clients = {name: AsyncClient() for name in PEOPLE}
    for name, person in people.items():
        if person:
            await clients[name].aforce_login(person)
    alice = alice_of(people)

    found = []
    for row in ROOMS[room]:
        got = [await outcome(row, clients[name], alice) for name in PEOPLE]
        found.append(line(row, got))

    assert "\n".join(found) == "\n".join(ROOMS[room])


@pytest.mark.parametrize("row", SOCKET_ROWS)
async def test_sockets_open_for_those_whose_they_are(
    row: str, people: dict[str, User | None]
) -> None:
    got = [await knocked(row, person, people) for person in people.values()]

    assert line(row, got) == row


async def knocked(row: str, person: User | None, people: dict[str, User | None]) -> str:
    """What becomes of the person's socket: `open`, or the code that closes it."""
    things = Things(alice_of(people))
    address = await write(row.split()[1].format_map, things)
    key = await write(sign_in, person) if person else ""
    tab = Tab(None, key, path=address)
    async with tab:
        if address == "/ws/" and person:
            await tab.send_raw("{}")  # which is refused, but not before the person is known
        elif (await tab.until(lambda page: page.frames)).notice == "":
            return "open"
        code = await tab.until_closed()
    return "open" if code == TOO_MANY else str(code)
