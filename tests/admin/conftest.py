"""Administrators of several kinds."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def admin(transactional_db: None) -> Client:
    """May do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


@pytest.fixture
def auditor(transactional_db: None) -> Client:
    """May view conversations, and nothing else."""
    person = User.objects.create_user("auditor", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_conversation"))
    client = Client()
    client.force_login(person)
    return client
