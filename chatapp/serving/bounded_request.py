"""A request as it streams in → the same, its body no larger than any that is wanted.

Daphne puts a body of any size on the disk and then into memory, and Twisted parses forms on its own
before anyone asks. Of a body that is too large nothing is kept; the rest is read and forgotten,
because a browser shows no answer before it has sent everything, and `middleware.bounded_body`
answers with a sentence.
"""

from io import BytesIO
from typing import Any

from daphne.http_protocol import WebRequest

from chatapp.serving.uploads import max_body_bytes


class BoundedRequest(WebRequest):  # type: ignore[misc]
    """Daphne's request, counting what comes."""

    content: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)
        self._body_bytes = 0

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._body_bytes += len(data)
        if self._body_bytes <= _most_at(self.channel._path):
            super().handleContentChunk(data)
        elif self.content.tell():
            self.content.close()
            self.content = BytesIO()

    def process(self) -> Any:
        if self._body_bytes > _most_at(self.uri):
            # A body in chunks has not told its length before.
            self.requestHeaders.setRawHeaders(b"content-length", [str(self._body_bytes).encode()])
        return super().process()


def _most_at(uri: bytes) -> int:
    path, _, _query = uri.partition(b"?")
    return max_body_bytes(path.decode("latin-1"))
