"""Convert tables that are drawn with box characters (`┌─┬┐│├┼┃━` and siblings) to Markdown tables.

The bars of the rules give the columns. The text between two rules is a row: its lines are joined.
A short cell that spans several rows is repeated in each, and a short heading in each of its
columns. A frame around tables or text is removed.

Box characters are counted as two columns wide, as in Korean fonts, or as one, whichever makes the
bars of the lines meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kofinlaw.data.readers.frame_grids import Grid
from kofinlaw.data.readers.frame_lines import BOX, arms_of, is_bar, is_corner, is_rule, width_of
from kofinlaw.data.readers.tables import plain_table

__all__ = ["drawn_tables", "holds_drawing"]

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_MOST_BLANK_LINES = 2  # between two lines of one table: texts are often written double-spaced
_MOST_FRAMES = 6  # nested
_ARROW = re.compile(r"[←-↓▲▼◀▶]")  # a chart
# The caption of a table in the line of its upper edge: `< 세부기준 >─────┬────`
_CAPTION = re.compile(r"^\s*+(?P<words>[^\s─-╿][^─-╿]*+)(?P<rule>[─-╿][\s─-╿]*)$")


def drawn_tables(text: str) -> str:
    """Return the text with its drawn tables as Markdown tables; other text stays unchanged.

    No box character is left in a table or heading. Raises nothing: lines that form no table become
    their words, cells between bars.
    """
    if not BOX.search(text):
        return text
    return "\n".join(_converted(text.split("\n"), 0))


def holds_drawing(line: str) -> bool:
    """Return whether a line has a box character."""
    return bool(BOX.search(line))


def _converted(lines: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the lines with each run of drawn lines as a table."""
    block: list[str] = []
    blank = 0
    for line in lines:
        if _HEADING.match(line) and BOX.search(line):
            line = BOX.sub("", line).rstrip()
            if not line.strip(" #"):
                continue
        drawn = _drawn(line)
        if not line.strip() and block and blank < _MOST_BLANK_LINES:
            blank += 1
            continue
        if block and (not drawn or _ends(block[-1])):
            yield from _table(block, depth)
            block = []
        if drawn:
            block.append(line.rstrip())
        else:
            yield from [""] * blank
            yield line
        blank = 0
    if block:
        yield from _table(block, depth)


def _drawn(line: str) -> bool:
    """Return whether a line belongs to a drawing: it has a bar, or is nothing but a rule."""
    return any(is_bar(c) for c in line) or (is_rule(line) and len(line.strip()) > 1)


def _ends(line: str) -> bool:
    """Return whether the line is the lower edge of a table."""
    bare = line.strip()
    return is_corner(bare[0]) and "up" in arms_of(bare[0])


def _table(lines: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the lines of one drawn table as Markdown, or as words if it has no columns."""
    if not any(is_bar(c) for line in lines for c in line):
        yield ""
        return
    if caption := _CAPTION.match(lines[0]):
        yield caption["words"].strip()
        blanks = sum(width_of(character, 2) for character in caption["words"])
        lines = [" " * blanks + caption["rule"], *lines[1:]]
    inside = _inside_frame(lines)
    if inside is not None and depth < _MOST_FRAMES:
        yield from _converted(inside, depth + 1)
        return
    if inside is None and _nested(lines):
        lines = _without_inner_frames(lines)
    if inside is None and _nested(lines):
        yield from (words for line in lines if (words := plain_table(line)))
        yield ""
        return
    grids = [Grid.of(lines, wide) for wide in (2, 1)]
    yield from min(grids, key=lambda grid: grid.misfit).lines()


def _nested(lines: Sequence[str]) -> bool:
    """Return whether a corner lies inside the outer edges: a table within a table."""
    return any(is_corner(c) for line in lines for c in line.strip()[1:-1])


def _without_inner_frames(lines: Sequence[str]) -> list[str]:
    """Return the lines without the frames around a part of a cell's text: blanks take their place.

    A table of its own in a cell and the boxes of a chart stay. A line in which only edges of
    frames stood is left out, because a blank line would open a row.
    """
    if any(_ARROW.search(line) for line in lines):
        return list(lines)
    rows = [list(_columns(line)) for line in lines]
    edges: set[int] = set()
    for top in range(1, len(rows)):
        opened = None
        for place, (_, character) in enumerate(rows[top]):
            if is_corner(character) and arms_of(character) == {"down", "right"}:
                opened = place
            elif is_corner(character) and arms_of(character) == {"down", "left"}:
                if opened is not None and (sides := _sides(rows, top, opened, place)):
                    for row, (left, right) in enumerate(sides, start=top):
                        edge = row in (top, top + len(sides) - 1)
                        for n in range(left, right + 1) if edge else (left, right):
                            column, drawn = rows[row][n]
                            rows[row][n] = (column, " " * width_of(drawn, 2))
                    edges |= {top, top + len(sides) - 1}
                opened = None
            elif not is_rule(character):
                opened = None
    texts = ["".join(character for _, character in row) for row in rows]
    return [text for row, text in enumerate(texts) if row not in edges or BOX.sub("", text).strip()]


def _columns(line: str) -> Iterator[tuple[int, str]]:
    """Yield each character with the display column at which it begins."""
    column = 0
    for character in line:
        yield column, character
        column += width_of(character, 2)


def _sides(
    rows: Sequence[Sequence[tuple[int, str]]], top: int, left: int, right: int
) -> list[tuple[int, int]]:
    """Return the places of the left and right side of a frame in each of its lines.

    `left` and `right` are the places of its upper corners. The result is empty if the sides do not
    go down to a lower edge. A letter that was lost (`?` for `·`) moves the bars behind it: a bar
    may be as far from its column as the last bar of its line.
    """
    columns = rows[top][left][0], rows[top][right][0]
    out = [(left, right)]
    for row in rows[top + 1 :]:
        shift = _end(row) - _end(rows[top])
        first, second = (_bar_at(row, column, shift) for column in columns)
        if first is None or second is None:
            return []
        out.append((first, second))
        sides = [arms_of(row[place][1]) for place in out[-1]]
        if sides == [{"up", "right"}, {"up", "left"}]:
            return out
        if sides != [{"up", "down"}, {"up", "down"}]:
            return []
    return []


def _bar_at(row: Sequence[tuple[int, str]], column: int, shift: int) -> int | None:
    """Return the place of the bar at a column, or at the column moved by `shift`."""
    places = {at: place for place, (at, character) in enumerate(row) if is_bar(character)}
    return places.get(column, places.get(column + shift))


def _end(row: Sequence[tuple[int, str]]) -> int:
    """Return the column of the last bar of a line; -1 without one."""
    return max((at for at, character in row if is_bar(character)), default=-1)


def _inside_frame(lines: Sequence[str]) -> list[str] | None:
    """Return the lines inside a frame without columns that holds tables; else None."""
    bare = [line.strip() for line in lines]
    if not _nested(lines) or len(bare) < 3 or any(is_bar(c) for c in bare[0][1:-1]):
        return None
    out = []
    for line in bare:
        if not is_bar(line[0]) or not (is_bar(line[-1]) or line is bare[-1]):
            return None
        inner = line[1:-1]
        out.append("" if is_rule(inner) else inner)
    return out
