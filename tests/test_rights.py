"""The groups that administrators are put in."""

import pytest
from django.contrib.auth.models import Group

from tests.rights import make_groups


def rights_of(name: str) -> set[str]:
    permissions = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{p.content_type.app_label}.{p.codename}" for p in permissions}


@pytest.mark.usefixtures("transactional_db")
def test_an_auditor_reads_and_an_operator_runs() -> None:
    make_groups()

    assert rights_of("Auditor") == {
        "chatapp.view_conversation",
        "chatapp.view_message",
        "chatapp.view_auditevent",
        "chatapp.view_healthfigure",
        "chatapp.view_hold",
        "chatapp.view_usagefigure",
        "auth.view_user",
    }
    assert rights_of("Operator") >= {
        "chatapp.view_endpoint",
        "chatapp.add_endpoint",
        "chatapp.change_endpoint",
        "chatapp.delete_endpoint",
        "chatapp.operate",
        "chatapp.change_limit",
    }


@pytest.mark.usefixtures("transactional_db")
def test_export_and_deletion_are_in_neither_group() -> None:
    make_groups()

    for name in ("Auditor", "Operator"):
        given = rights_of(name)
        assert "chatapp.export_conversation" not in given
        assert "chatapp.delete_conversation" not in given


@pytest.mark.usefixtures("transactional_db")
def test_making_them_again_keeps_what_was_added() -> None:
    make_groups()
    before = rights_of("Auditor")
    Group.objects.get(name="Auditor").permissions.add(
        *Group.objects.get(name="Operator").permissions.all()
    )

    make_groups()

    assert rights_of("Auditor") == before | rights_of("Operator")
    assert Group.objects.count() == 2
