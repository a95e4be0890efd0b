"""What fills a log: a generation of this process, or the mirror of another process's."""

from typing import Protocol
from uuid import UUID

from chatapp.generation.log import Log
from chatapp.models import Status


class Source(Protocol):
    """A reply in the making. `is_saved` says that its last row can be read.

    `run` names this making of it: a reply that is continued is made once more.
    """

    log: Log
    status: Status
    is_saved: bool

    @property
    def reply_id(self) -> UUID: ...

    @property
    def run(self) -> str: ...


def run_of(reply_id: UUID, number: int) -> str:
    """The name of a run, by how often the reply was continued before."""
    return f"{reply_id}:{number}"
