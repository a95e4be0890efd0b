"""An SQLite file → the right of one process to serve it, without Redis.

Readers in a second process would not see tokens as they come, and there would be nobody to say so.
"""

import fcntl
from io import TextIOWrapper
from pathlib import Path

from django.conf import settings

from chatapp.database import is_shared
from chatapp.errors import InvalidInput

_held: TextIOWrapper | None = None


def claim_database() -> None:
    """Holds the claim until the process ends, however it ends.

    Raises InvalidInput with the sentence for the operator if another process has it, or nothing
    can be written there.
    """
    global _held
    if is_shared():
        return
    name = settings.DATABASES["default"]["NAME"]
    try:
        _held = Path(f"{name}.serving").open("w", encoding="utf-8")  # noqa: SIM115 - held
    except OSError as error:
        raise InvalidInput(f"Nothing can be written beside {name}: {error.strerror}.") from None
    try:
        fcntl.flock(_held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InvalidInput(
            f"Another process serves {name} already. Stop it first; to run several, "
            "set REDIS_URL, or DATABASE_URL to a PostgreSQL database."
        ) from None
