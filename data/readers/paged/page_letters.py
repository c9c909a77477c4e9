"""Read the characters of a PDF page with their places, and repair lines that pdfium breaks.

pdfium takes a page whose lines are dense and whose columns are far apart for vertical writing.
Then it ends a line behind each character and leaves out the blanks. On such a page the places of
the characters decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pypdfium2 import PdfTextPage

__all__ = ["PageLetters", "character"]

_BLANK = 0.15  # of the size of the characters: a wider gap is a blank
_BACK = 0.3  # so much a character may overlap the one before it

# Left, bottom, right, top in points
Box = tuple[float, float, float, float]


def character(code: int) -> str:
    """Return a code point as text; NUL and a soft hyphen at the end of a line become nothing."""
    return "" if code in (0, 2, 0xFFFE, 0xAD) or code > 0x10FFFF else chr(code)


class PageLetters:
    """The characters of a page.

    - `letters` are their texts; one may end with a blank that belongs behind it.
    - `lines` are (first, behind the last) of each line in the order of the text layer.
    - `repaired` says whether the places of the characters decided on the lines.
    """

    def __init__(self, text_page: PdfTextPage, codes: Sequence[int]) -> None:
        self._text_page = text_page
        self.letters = [character(code) for code in codes]
        visible = [index for index, letter in enumerate(self.letters) if letter.strip()]
        self.repaired = any(
            other > one + 1 and self._ends(one, other) and self._follows(one, other)
            for one, other in pairwise(visible)
        )
        self.lines = self._by_place(visible) if self.repaired else list(self._by_ends())

    def box(self, index: int) -> Box:
        """Return the place of a character."""
        left, bottom, right, top = self._text_page.get_charbox(index, loose=True)
        return left, bottom, right, top

    def words(self, left: float, bottom: float, right: float, top: float) -> str:
        """Return the text inside a box."""
        if not self.repaired:
            found = self._text_page.get_text_bounded(left, bottom, right, top)
            return found.replace("\x00", "")
        out: list[str] = []
        for first, end in self.lines:
            for index in range(first, end):
                low, under, high, over = self.box(index) if self.letters[index].strip() else _NONE
                if left <= (low + high) / 2 <= right and bottom <= (under + over) / 2 <= top:
                    out.append(self.letters[index])
            out.append(" ")
        return "".join(out)

    def _by_ends(self) -> list[tuple[int, int]]:
        ends = [index for index, letter in enumerate(self.letters) if letter in ("\r", "\n")]
        starts = [0, *(index + 1 for index in ends)]
        return list(zip(starts, [*ends, len(self.letters)], strict=True))

    def _by_place(self, visible: Sequence[int]) -> list[tuple[int, int]]:
        """Return the lines by the places of their characters, and put blanks into the gaps."""
        lines, first = [], visible[0]
        given, self.letters = self.letters, [letter.strip() for letter in self.letters]
        for one, other in pairwise(visible):
            if not self._follows(one, other):
                lines.append((first, one + 1))
                first = other
                continue
            _, bottom, right, top = self.box(one)
            wide = self.box(other)[0] - right > _BLANK * (top - bottom)
            if wide or any(letter in (" ", "\t", "\u3000") for letter in given[one + 1 : other]):
                self.letters[one] += " "
        return [*lines, (first, visible[-1] + 1)]

    def _ends(self, one: int, other: int) -> bool:
        """Return whether there is the end of a line between two characters."""
        return any(letter in ("\r", "\n") for letter in self.letters[one + 1 : other])

    def _follows(self, one: int, other: int) -> bool:
        """Return whether a character is to the right of another one, in the same line."""
        _, bottom, right, top = self.box(one)
        left, under, _, over = self.box(other)
        size = min(top - bottom, over - under)
        same = abs(top + bottom - over - under) < size  # their middles differ by half a size
        return same and left > right - _BACK * size


_NONE: Box = (float("inf"),) * 4
