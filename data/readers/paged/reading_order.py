"""Put the pieces of a page into reading order: columns one after another, other text row by row.

A page is cut from top to bottom into bands. A band in which no piece crosses a vertical gap has
columns, if its pieces are lines of prose and not short cells. Everything that crosses the gap (a
title, a ruled table, text over the whole width) ends the band.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

__all__ = ["Ordered", "Piece", "reading_order"]

# Lengths in units of the size of the characters, `em`
_GAP = 0.9  # the narrowest gap between columns
_MARKS = 2.5  # a narrower column holds the marks of a list, or numbers
_NARROW = 5.0  # shorter lines are cells
_WIDE = 9.0  # lines of this length are prose
_BALANCE = 0.6  # the narrowest column compared with the widest; below it, cells are likely
_UNLIKE = 0.45  # below it, they are cells
_GUTTER = 4.0  # columns of prose are not farther apart
_FULL = 0.55  # share of the lines of a column that reach over half of it
_LEAST_ROWS = 3  # on each side
_MOST_ROWS = 500  # of a band: a page has fewer
_SPACE = 2.6  # a blank strip over the page of so many line pitches ends a band
_SAME = 1.25  # a strip so much wider than others is not one between paragraphs
_STEP = 1.6  # the same, where only one column continues below it
_ARTICLE = re.compile(r"\s*(?:제\s?(\d{1,4})\s?조(?:의\s?(\d{1,3}))?|Article\s(\d{1,4}))")
_SENTENCE_END = re.compile(r"(?:[.?!。]|[가-힣][다요음함임])[)」』\"']?$")


@dataclass(slots=True)
class Piece:
    """A part of a line without a wide gap, or a ruled table.

    `start` is its place in the text layer. Lengths are in points from the lower left corner of the
    page. A table has no `size`.
    """

    text: str
    start: int
    left: float
    right: float
    bottom: float
    top: float
    size: float

    @property
    def middle(self) -> float:
        """Its height above the bottom of the page."""
        return (self.bottom + self.top) / 2


@dataclass(slots=True)
class Ordered:
    """Pieces of a page in reading order.

    - `lines` are the pieces of each line; None if the order of the text layer is right.
    - `shifts` maps the start of a piece in a column to the distance between the right edge of the
      column and that of the band: lines of all columns can be compared with one margin.
    - `ends` are the starts of the last pieces in front of columns and behind them: the paragraph
      ends there.
    - `sure` is false if the page can be read in another order as well.
    """

    lines: list[list[Piece]] | None = None
    shifts: dict[int, float] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)
    sure: bool = True


@dataclass(slots=True)
class _Band:
    """Rows of a page that are read together; `columns` are the edges of its columns, if any."""

    rows: list[list[Piece]]
    columns: list[tuple[float, float]] = field(default_factory=list)


def reading_order(pieces: Sequence[Piece]) -> Ordered:
    """Return the reading order of the pieces of a page."""
    out = Ordered()
    if len(pieces) < 2:
        return out
    em = median([piece.size for piece in pieces if piece.size] or [10.0])
    rows = _rows(pieces)
    bands = list(_bands(rows, em))
    lines: list[list[Piece]] = []
    in_columns = before = False
    alone: list[list[Piece]] = []  # rows of which nothing says that they are cells
    for band in bands:
        verdict = _verdict(band, em) if band.columns else "rows"
        out.sure = out.sure and "?" not in verdict
        columns = verdict.startswith("columns")
        if lines and (columns or before):
            out.ends |= {piece.start for piece in lines[-1]}
        before = columns
        if columns:
            in_columns = True
            edge = max(right for _, right in band.columns)
            for column in band.columns:
                for row in band.rows:
                    inside = [piece for piece in row if _is_in(piece, column)]
                    if inside:
                        lines.append(inside)
                        out.shifts |= {piece.start: edge - column[1] for piece in inside}
        else:
            lines += [sorted(row, key=lambda piece: piece.left) for row in band.rows]
        alone = [*alone, *band.rows] if not band.columns and _is_pair(band.rows[0], em) else []
        if len(alone) > 1 and _common(
            _free(alone[-2], -1e9, 1e9)[1:-1], _free(alone[-1], -1e9, 1e9)[1:-1], _GAP * em
        ):
            out.sure = False
    if in_columns or _is_reversed(pieces):
        out.lines = lines
    return out


def _is_pair(row: Sequence[Piece], em: float) -> bool:
    """Return whether a row is two pieces as long as lines of prose, of a similar length."""
    widths = [piece.right - piece.left for piece in row]
    return len(row) == 2 and min(widths) >= max(_WIDE * em, _BALANCE * max(widths))


def _is_reversed(pieces: Sequence[Piece]) -> bool:
    """Return whether the text layer goes up the page where it should go down.

    A step up to the right is the next cell or column. Other steps up are those of pages that are
    drawn from below, or of titles that are drawn last.
    """
    layer = sorted(pieces, key=lambda piece: piece.start)
    up = down = 0
    for one, other in pairwise(layer):
        height = max(one.size, other.size, 4.0)
        if other.middle > one.middle + height and _overlap(one, other) > 0:
            up += 1
        elif other.middle < one.middle - 0.5 * height:
            down += 1
    return up > down


def _overlap(one: Piece, other: Piece) -> float:
    return min(one.right, other.right) - max(one.left, other.left)


def _rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces by rows, from the top; pieces whose middles almost agree share a row."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda one: -one.middle):
        above = rows[-1][0] if rows else None
        size = min(piece.size, above.size) if above is not None else 0.0
        if above is not None and above.middle - piece.middle < 0.5 * size:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda one: one.left) for row in rows]


def _bands(rows: list[list[Piece]], em: float) -> Iterator[_Band]:
    """Yield runs of rows with columns, and the rows between them."""
    left = min(piece.left for row in rows for piece in row)
    right = max(piece.right for row in rows for piece in row)
    pitch = _pitch(rows, em)
    at = 0
    while at < len(rows):
        run, gaps = _run(rows, at, (left, right), pitch, em)
        band = _band(run, gaps, pitch)
        if band is None:
            yield _Band([rows[at]])
            at += 1
            continue
        first, behind, columns = band
        yield from (_Band([row]) for row in run[:first])
        yield _Band(run[first:behind], columns)
        at += behind


def _run(
    rows: list[list[Piece]], at: int, edges: tuple[float, float], pitch: float, em: float
) -> tuple[list[list[Piece]], list[tuple[float, float]]]:
    """Return the longest run of rows from one on that have gaps in common, and these gaps.

    A gap at the edge of the page counts only until there is one between two pieces.
    """
    gaps, inner, end = [edges], False, at
    while end < len(rows) and end - at < _MOST_ROWS:
        if end > at and _space(rows[end - 1], rows[end]) > _SPACE * pitch:
            break
        common = _common(gaps, _free(rows[end], *edges), _GAP * em)
        between = [gap for gap in common if gap[0] > edges[0] + 1 and gap[1] < edges[1] - 1]
        inner = inner or bool(between)
        common = between if inner else common
        if not common:
            break
        gaps, end = common, end + 1
    return rows[at : max(end, at + 1)], gaps if inner else []


def _band(
    run: list[list[Piece]], gaps: list[tuple[float, float]], pitch: float
) -> tuple[int, int, list[tuple[float, float]]] | None:
    """Return (first row, behind the last row, columns) of the columns in a run, if there are any.

    Rows above the place where text begins on both sides of a gap do not belong to the columns, and
    neither do rows behind a blank strip below the end of one side.
    """
    found = [side for gap in gaps if (side := _sides(run, gap)) is not None]
    if not found:
        return None
    first, last = min(low for low, _ in found), max(high for _, high in found)
    behind = len(run)
    for index in range(last + 1, len(run)):
        strip = _space(run[index - 1], run[index])
        if strip > _STEP * pitch and _ends_at(run[first:], index - first, strip, gaps):
            behind = index
            break
    columns = _columns(run[first:behind], gaps)
    return (first, behind, columns) if columns else None


def _ends_at(
    rows: list[list[Piece]], index: int, strip: float, gaps: list[tuple[float, float]]
) -> bool:
    """Return whether columns end in front of a row below a blank strip, where one side continues.

    The rows below belong to their column if the numbers of articles say so, or if the text layer
    has them in front of the next column. Without these, a strip that is not wider than the others
    in the column does not end it.
    """
    upper = [
        [piece for row in rows[:index] for piece in row if _is_in(piece, column)]
        for column in _columns(rows[:index], gaps)
    ]
    below = [piece for row in rows[index:] for piece in row]
    own = [n for n, column in enumerate(upper) if any(_overlap(below[0], p) > 0 for p in column)]
    if len(own) != 1:
        return True
    before = [piece for column in upper[: own[0] + 1] for piece in column]
    behind = [piece for column in upper[own[0] + 1 :] for piece in column]
    inside, after = _falls([*before, *below, *behind]), _falls([*before, *behind, *below])
    if inside != after:
        return after < inside
    layer = [piece.start for piece in behind]
    if layer and below[-1].start < min(layer):
        return False
    if all(one.start < other.start for one, other in pairwise([*before, *behind])):
        return True  # drawn column by column, and what is below at the end
    column = upper[own[0]]
    return strip > _SAME * max(_space([one], [other]) for one, other in pairwise(column))


def _sides(run: list[list[Piece]], gap: tuple[float, float]) -> tuple[int, int] | None:
    """Return the first and last row between which there is text on both sides of a gap; None if
    there is too little.
    """
    left = [n for n, row in enumerate(run) if any(p.right <= gap[0] + 1 for p in row)]
    right = [n for n, row in enumerate(run) if any(p.left >= gap[1] - 1 for p in row)]
    if min(len(left), len(right)) < _LEAST_ROWS:
        return None
    low, high = max(left[0], right[0]), min(left[-1], right[-1])
    before = run[low - 1] if low else None
    if before is not None and before[0].middle - run[low][0].middle < before[0].size:
        low -= 1  # the lines of the columns are at different heights
    inside = [sum(low - 1 <= n <= high + 1 for n in side) for side in (left, right)]
    return (low, high) if min(inside) >= _LEAST_ROWS else None


def _pitch(rows: Sequence[list[Piece]], em: float) -> float:
    """Return the usual distance between two rows."""
    steps = [above[0].middle - below[0].middle for above, below in pairwise(rows)]
    near = [step for step in steps if 0 < step < 4 * em]
    return max(median(near), em) if near else 1.5 * em


def _space(above: Sequence[Piece], below: Sequence[Piece]) -> float:
    """Return the distance between two rows, edge to edge and one line high where they touch."""
    low = min(piece.bottom for piece in above)
    high = max(piece.top for piece in below)
    return low - high + max(piece.size for piece in below)


def _free(row: Sequence[Piece], left: float, right: float) -> list[tuple[float, float]]:
    out, at = [], left
    for piece in row:
        if piece.left > at:
            out.append((at, piece.left))
        at = max(at, piece.right)
    return [*out, (at, right)] if right > at else out


def _common(
    one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]], least: float
) -> list[tuple[float, float]]:
    """Return the parts that two lists of intervals share, if they are wide enough."""
    found = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return [(low, high) for low, high in found if high - low >= least]


def _columns(
    rows: Sequence[Sequence[Piece]], gaps: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return the edges of the columns of a band; narrow ones count with their neighbour."""
    pieces = [piece for row in rows for piece in row]
    edges = [-1e9, *((low + high) / 2 for low, high in sorted(gaps)), 1e9]
    columns: list[tuple[float, float]] = []
    marks: float | None = None  # where a column of marks begins
    for low, high in pairwise(edges):
        inside = [piece for piece in pieces if _is_in(piece, (low, high))]
        if not inside:
            continue
        left, right = min(p.left for p in inside), max(p.right for p in inside)
        size = median([p.size for p in inside if p.size] or [10.0])
        if median(p.right - p.left for p in inside) < _MARKS * size and high < 1e9:
            marks = left if marks is None else marks
        else:
            columns.append((left if marks is None else marks, right))
            marks = None
    if marks is not None and columns:
        columns[-1] = (columns[-1][0], max(p.right for p in pieces))
    return columns if len(columns) > 1 else []


def _is_in(piece: Piece, column: tuple[float, float]) -> bool:
    return column[0] - 1 <= (piece.left + piece.right) / 2 <= column[1] + 1


def _verdict(band: _Band, em: float) -> str:
    """Return `columns` or `rows` for a band, with `?` if it can be read both ways."""
    by_column = [[p for row in band.rows for p in row if _is_in(p, c)] for c in band.columns]
    if _articles(by_column) is not None:
        falls_by_column = _falls([p for column in by_column for p in column])
        falls_by_row = _falls([p for row in band.rows for p in row])
        if falls_by_column != falls_by_row:
            return "columns" if falls_by_column < falls_by_row else "rows"
    texts = [[p for p in column if p.size] or column for column in by_column]
    widths = [max(p.right for p in text) - min(p.left for p in text) for text in texts]
    balance = min(widths) / max(1.0, *widths)
    gutter = max(right[0] - left[1] for left, right in pairwise(band.columns))
    fullness = [
        sum(p.right - p.left >= 0.5 * width for p in column) / len(column)
        for column, width in zip(by_column, widths, strict=True)
    ]
    full = min(fullness) >= _FULL
    aligned = all(_is_aligned(column, em) for column in by_column[1:])
    typical = min(median(p.right - p.left for p in column) for column in by_column)
    if not (balance >= _UNLIKE and full and aligned):
        return "rows?" if aligned and typical >= _WIDE * em else "rows"
    layer = [piece.start for column in by_column for piece in column]
    drawn_so = all(one < other for one, other in pairwise(layer))
    if balance < _BALANCE and gutter > _GUTTER * em and not drawn_so:
        return "rows?"
    if typical >= (_NARROW if drawn_so else _WIDE) * em and balance >= _BALANCE:
        return "columns" if drawn_so or not _all_end(by_column) else "columns?"
    return "columns?" if typical >= _NARROW * em else "rows?"


def _all_end(by_column: Sequence[Sequence[Piece]]) -> bool:
    """Return whether almost every piece of each column ends a sentence, as cells of a table do."""
    return all(
        10 * sum(bool(_SENTENCE_END.search(piece.text)) for piece in column) >= 9 * len(column)
        for column in by_column
    )


def _is_aligned(column: Sequence[Piece], em: float) -> bool:
    """Return whether at least half of the pieces of a column begin at one place."""
    lefts = sorted(piece.left for piece in column)
    most = max(sum(at <= left <= at + 0.4 * em for left in lefts) for at in lefts)
    return 2 * most >= len(lefts)


def _articles(by_column: Sequence[Sequence[Piece]]) -> list[tuple[int, ...]] | None:
    """Return the numbers of articles at the start of pieces; None if there are fewer than two."""
    found = _numbers([piece for column in by_column for piece in column])
    return found if len(found) > 1 else None


def _numbers(pieces: Sequence[Piece]) -> list[tuple[int, ...]]:
    matches = (_ARTICLE.match(piece.text) for piece in pieces)
    return [
        (int(match[1] or match[3]), int(match[2] or 0)) for match in matches if match is not None
    ]


def _falls(pieces: Sequence[Piece]) -> int:
    """Return how often the number of an article is lower than the one before it."""
    return sum(other < one for one, other in pairwise(_numbers(pieces)))
