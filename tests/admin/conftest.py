"""An administrator, signed in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def admin(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client
