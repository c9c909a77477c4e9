"""Read the records of an HWP 5 stream into a tree, within limits.

Source: Hancom, 한글 문서 파일 형식 5.0 (revision 1.3).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from kofinlaw import UserError

__all__ = ["Record", "inflate", "record_tree", "records"]

_LONG = 0xFFF  # a size that follows in four bytes of its own
_MAX_LEVEL = 60
_MAX_RECORDS = 5_000_000


@dataclass(slots=True)
class Record:
    """A record: its tag, its bytes, and the records below it."""

    tag: int
    data: bytes
    children: list[Record] = field(default_factory=list)

    def number(self, offset: int, size: int) -> int:
        """Return a number of 1, 2 or 4 bytes at an offset; 0 if the record is too short."""
        return int.from_bytes(self.data[offset : offset + size], "little")


def inflate(data: bytes, limit: int, name: str) -> bytes:
    """Return a compressed stream.

    Raises UserError if it is damaged, ends early, or has more than `limit` bytes.
    """
    machine = zlib.decompressobj(-15)
    try:
        out = machine.decompress(data, limit + 1)
    except zlib.error as error:
        raise UserError(f"{name} is damaged: {error}") from error
    if len(out) > limit:
        raise UserError(f"{name} unpacks to more than the limit")
    if not machine.eof:
        raise UserError(f"{name} is damaged: it ends early")
    return out


def records(data: bytes, name: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield (tag, level, bytes) of each record.

    Raises UserError if a record ends behind the stream, or lies too deep.
    """
    offset, count = 0, 0
    while offset + 4 <= len(data):
        (header,) = struct.unpack_from("<I", data, offset)
        tag, level, size = header & 0x3FF, header >> 10 & 0x3FF, header >> 20
        offset += 4
        if size == _LONG:
            if offset + 4 > len(data):
                raise UserError(f"{name} is damaged: a record ends early")
            (size,) = struct.unpack_from("<I", data, offset)
            offset += 4
        if offset + size > len(data):
            raise UserError(f"{name} is damaged: a record ends early")
        count += 1
        if level > _MAX_LEVEL or count > _MAX_RECORDS:
            raise UserError(f"{name} has too many records, or nests too deep")
        yield tag, level, data[offset : offset + size]
        offset += size


def record_tree(data: bytes, name: str) -> list[Record]:
    """Return the records of the first level, each with those below it.

    Raises UserError as `records` does.
    """
    root: list[Record] = []
    stack: list[tuple[int, Record]] = []
    for tag, level, body in records(data, name):
        record = Record(tag, body)
        while stack and stack[-1][0] >= level:
            stack.pop()
        (stack[-1][1].children if stack else root).append(record)
        stack.append((level, record))
    return root
