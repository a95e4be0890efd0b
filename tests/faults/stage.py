"""A number of people → the model, the servers and the readers, all there and ready."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.orders import Order
from tests.faults.figures import Figure
from tests.faults.readers import Reader
from tests.faults.rows import Rows
from tests.faults.servers import Installation, Server, install
from tests.faults.upstream import Upstream


@dataclass(slots=True)
class Stage:
    """Everything a scenario needs; `server` is the first of `servers`."""

    upstream: Upstream
    installation: Installation
    servers: list[Server]
    rows: Rows
    directory: Path
    _readers: list[Reader] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return self.servers[0]

    def another_server(self, **environment: str) -> Server:
        """One more, still to be started; `environment` adds to that of the others."""
        log = self.directory / f"server-{len(self.servers)}.log"
        self.servers.append(Server(self.installation.environment | environment, log))
        return self.servers[-1]

    def reader(self, client: int, port: int | None = None) -> Reader:
        """A new tab of the client's, at the first server or at `port`."""
        reader = Reader(self.installation.door(client, port or self.server.port))
        self._readers.append(reader)
        return reader

    def readers(self) -> list[Reader]:
        """A new tab of each client's."""
        return [self.reader(client) for client in range(len(self.installation.clients))]

    def close_readers(self) -> None:
        for reader in self._readers:
            if reader.connection is not None:
                reader.drop()

    def truth(self, orders: Sequence[Order]) -> list[Figure]:
        """Whether the finished answers to `orders` stand in the rows as they were sent, and
        whether no page has ever shown anything else."""
        texts = {reply.order: reply.text for reply in self.rows.replies()}
        sent = [(texts.get(order, ""), self.upstream.call(order).answer.text()) for order in orders]
        return [
            Figure("characters lost in rows", sum(max(0, len(s) - len(t)) for t, s in sent), 0),
            Figure("characters doubled in rows", sum(max(0, len(t) - len(s)) for t, s in sent), 0),
            Figure("rows that differ from what was sent", sum(t != s for t, s in sent), 0),
            *self.order(),
        ]

    def order(self) -> list[Figure]:
        """What must hold whatever happened."""
        wrong = [words for reader in self._readers for words in reader.wrong]
        for words in wrong[:5]:
            print(f"    {words}")
        return [
            Figure("states of pages that were not true", len(wrong), 0),
            Figure("exceptions in servers' logs", sum(s.distress() for s in self.servers), 0),
        ]


@asynccontextmanager
async def stage(clients: int, servers: int = 1, **environment: str) -> AsyncIterator[Stage]:
    """`environment` adds to that of the servers, DATABASE_URL and REDIS_URL for instance."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        directory = Path(name)
        async with Upstream() as upstream:
            installation = await install(upstream.url, clients, directory, environment)
            prepared = Stage(upstream, installation, [], Rows(installation.database), directory)
            try:
                for _ in range(servers):
                    await prepared.another_server().start()
                yield prepared
            finally:
                prepared.close_readers()
                for server in prepared.servers:
                    await server.end()
