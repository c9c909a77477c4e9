"""Find the characters of a DOC file that its reader does not see: hidden and deleted ones.

Source: Microsoft, [MS-DOC] Word (.doc) Binary File Format, 2.8.4 and 2.9.32 to 2.9.33.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence

__all__ = ["OPERANDS", "GoneRuns", "modifiers"]

OPERANDS = (1, 1, 2, 4, 2, 2, 0, 3)  # bytes by the three highest bits of a modifier; 0: stated
_DELETED, _HIDDEN = 0x0800, 0x083C  # sprmCFRMarkDel, sprmCFVanish, 2.6.1
_PAGE = 512


class GoneRuns:
    """The parts of the main stream whose characters are hidden or deleted."""

    def __init__(self, main: bytes, pages: Sequence[int]) -> None:
        found = sorted(run for number in dict.fromkeys(pages) for run in _runs(main, number))
        self._starts = [start for start, _ in found]
        self._ends = [end for _, end in found]

    def holds(self, offset: int) -> bool:
        """Return whether the character at an offset is not shown."""
        at = bisect_right(self._starts, offset) - 1
        return at >= 0 and offset < self._ends[at]


def _runs(main: bytes, number: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the runs of a page of character formats that are not shown."""
    page = main[number * _PAGE : (number + 1) * _PAGE]
    if len(page) < _PAGE:
        return
    runs = min(page[-1], (_PAGE - 5) // 5)
    places = struct.unpack_from(f"<{runs + 1}I", page)
    for run in range(runs):
        at = 2 * page[4 * (runs + 1) + run]
        data = page[at + 1 : at + 1 + page[at]] if at else b""
        if any(code in (_DELETED, _HIDDEN) and operand & 1 for code, operand in modifiers(data)):
            yield places[run], places[run + 1]


def modifiers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (modifier, first byte of its operand) of a list of modifiers, 2.9.175."""
    at = 0
    while at + 2 < len(data):
        code = int.from_bytes(data[at : at + 2], "little")
        yield code, data[at + 2]
        at += 2 + (OPERANDS[code >> 13] or 1 + data[at + 2])
