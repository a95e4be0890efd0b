"""The settings of the test suite: chatapp's own, with a key and without the lock of axes."""

import os

from tests.unlimited import UNLIMITED

os.environ.update(UNLIMITED)
os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 5)
os.environ.setdefault("HTTPS", "off")
os.environ["DEMO"] = "on"
os.environ.setdefault("UPSTREAM_ALLOWED_HOSTS", "127.0.0.1")

from chatapp.settings import *  # noqa: F403 - a settings module is a namespace
from chatapp.settings import DATABASES, STORAGES

AXES_ENABLED = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
DATABASES["default"].setdefault("TEST", {})
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file: threads share it, as they share the real one; a database in memory they could not.
    DATABASES["default"]["TEST"]["NAME"] = os.environ.get("TEST_DATABASE", "test.sqlite3")
