"""An administrator's session → exports of all conversations, one after the other, timed.

Runs in a process of its own, so that it reads as fast as a browser and disturbs nobody's clock.
Input: `{"origin": …, "cookie": "name=key", "kind": …, "seconds": …}`; at least one export is made,
and no more are begun after so many seconds. Output: a list of `{"first_byte_s", "seconds", "bytes",
"lines"}`.
"""

import json
import re
import sys
import time
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

_PAGE = "/admin/chatapp/conversation/export/"
_PIECE = 64 * 1024


def downloads(origin: str, cookie: str, kind: str, seconds: float) -> list[dict[str, float]]:
    until = time.monotonic() + seconds
    done = [_download(origin, cookie, kind)]
    while time.monotonic() < until:
        done.append(_download(origin, cookie, kind))
    return done


def _download(origin: str, cookie: str, kind: str) -> dict[str, float]:
    headers = {"Cookie": cookie}
    page = urlopen(Request(f"{origin}{_PAGE}", headers=headers)).read().decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found, "the export page has no form"
    form = {"kind": kind, "key": str(uuid4()), "csrfmiddlewaretoken": found[1]}
    began = time.monotonic()
    figures: dict[str, Any] = {"first_byte_s": 0.0, "bytes": 0, "lines": 0}
    with urlopen(Request(f"{origin}{_PAGE}", urlencode(form).encode(), headers)) as answer:
        while piece := answer.read1(_PIECE):
            figures["first_byte_s"] = figures["first_byte_s"] or time.monotonic() - began
            figures["bytes"] += len(piece)
            figures["lines"] += piece.count(b"\n")
    return figures | {"seconds": time.monotonic() - began}


if __name__ == "__main__":
    json.dump(downloads(**json.load(sys.stdin)), sys.stdout)
