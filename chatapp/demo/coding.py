"""Writes → other writes that carry the same body: compressed, or cut inside characters."""

import zlib

_GZIP = 16 + zlib.MAX_WBITS
_FIRST_LEAD_BYTE = 0xC0


class Plain:
    """As it is."""

    def encode(self, data: bytes) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


class Gzip(Plain):
    """Compressed; each write can be inflated as soon as it arrives."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(wbits=_GZIP)

    def encode(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def flush(self) -> bytes:
        return self._compressor.flush()


class SplitUtf8(Plain):
    """Each write ends after the first byte of its last character above U+007F; the rest waits."""

    def __init__(self) -> None:
        self._kept = b""

    def encode(self, data: bytes) -> bytes:
        data = self._kept + data
        leads = (i for i in range(len(data) - 1, -1, -1) if data[i] >= _FIRST_LEAD_BYTE)
        end = next(leads, len(data) - 1) + 1
        self._kept = data[end:]
        return data[:end]

    def flush(self) -> bytes:
        return self._kept
