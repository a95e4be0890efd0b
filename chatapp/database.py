"""Synchronous database work in → its result out, on threads of our own, in the caller's context.

Channels' and asgiref's one shared thread would let a single slow query hold up every socket of the
process. One writer on SQLite keeps its writes in order without ever waiting for itself.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from django.apps import apps
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.migrations.recorder import MigrationRecorder

from chatapp.locales import carried

P = ParamSpec("P")
T = TypeVar("T")

_WRITERS = 1 if connection.vendor == "sqlite" else 4
_READERS = 4

_writer = ThreadPoolExecutor(_WRITERS, thread_name_prefix="db-write")
_reader = ThreadPoolExecutor(_READERS, thread_name_prefix="db-read")
_visits = {_writer: 0, _reader: 0}


def is_migrated() -> bool:
    """Whether the database has all that this version needs, by the names of the files: to read
    them would cost the server a MiB."""
    applied = MigrationRecorder(connection).applied_migrations()
    files = {
        (app.label, file.stem)
        for app in apps.get_app_configs()
        for file in Path(app.path, "migrations").glob("[0-9]*.py")
    }
    return files <= applied.keys()


def is_shared() -> bool:
    """Whether several processes may serve this database: SQLite alone is served by one."""
    return connection.vendor != "sqlite" or bool(settings.REDIS_URL)


async def write(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work` on a writer thread. A cancelled caller does not undo it: it may still commit."""
    return await _run(_writer, work, *args, **kwargs)


async def read(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work`, which only reads, on a reader thread."""
    return await _run(_reader, work, *args, **kwargs)


def load() -> dict[str, int]:
    """Visits that somebody waits for, threads that make them, and what the pool tells of itself."""
    pool = getattr(connection, "pool", None)
    return {
        "writes": _visits[_writer],
        "reads": _visits[_reader],
        "write_threads": _WRITERS,
        "read_threads": _READERS,
        **{f"pool_{name}": value for name, value in (pool.get_stats() if pool else {}).items()},
    }


async def close_connections() -> None:
    """Closes the connections that the threads hold, so that a database can be dropped."""
    for pool, size in ((_writer, _WRITERS), (_reader, _READERS)):
        everyone = threading.Barrier(size)

        def close(everyone: threading.Barrier = everyone) -> None:
            connection.close()
            everyone.wait(timeout=30)

        await asyncio.gather(*(_run(pool, close) for _ in range(size)))


async def _run(
    pool: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    work_here = carried(work)

    def with_a_live_connection() -> T:
        close_old_connections()
        try:
            return work_here(*args, **kwargs)
        finally:
            close_old_connections()

    loop = asyncio.get_running_loop()
    _visits[pool] += 1
    try:
        return await loop.run_in_executor(pool, copy_context().run, with_a_live_connection)
    finally:
        _visits[pool] -= 1
