"""A wire's bytes → the writes of a chunked response, compressed or split if a fault says so."""

from collections.abc import Mapping
from uuid import uuid4

from aiohttp import web

from chatapp.demo.coding import Gzip, Plain, SplitUtf8
from chatapp.demo.faults import Fault
from chatapp.demo.wire import Wire

_CODINGS: Mapping[str, type[Plain]] = {"gzip": Gzip, "split-utf8": SplitUtf8}


class Stream(web.StreamResponse):
    """A chunked response whose writes pass through a coding."""

    def __init__(self, wire: Wire, fault: Fault | None) -> None:
        headers = {
            "Content-Type": wire.content_type,
            "Cache-Control": "no-cache",
            wire.request_id_header: request_id(),
        }
        coding = _CODINGS.get(fault.name, Plain) if fault else Plain
        if coding is Gzip:
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        super().__init__(headers=headers)
        self._coding = coding()

    async def say(self, data: bytes) -> None:
        if data:
            await self.write(self._coding.encode(data))

    async def finish(self) -> None:
        await self.write_eof(self._coding.flush())


def request_id() -> str:
    """A fresh id, as servers give one to each request for their logs."""
    return f"req_demo_{uuid4().hex[:12]}"
