"""Yield questions about the rows of annex tables: thresholds, ratios, periods, amounts, counts.

The options differ in one value or in one row, and wrong ones are those of neighbouring cells, so
that only the binding of row and value decides.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.generators.polar_stems import NEGATIVE, POSITIVE
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.tables.sure_rows import SureCell, SureTable, sure_tables
from kofinlaw.augment.tables.values import near_values, number_within, with_particle

__all__ = ["KINDS", "generate"]

KINDS = ("annex_value", "annex_row", "annex_pair", "annex_set", "annex_case")
LONGEST_FOCUS = 320  # characters of the lines that the evidence must hold
LONGEST_STATEMENT = 150  # characters of an option
_PLACES = ("에 따른", "에서 정한", "에 따를 때")
_ASKS = ("{으로/로} 옳은 것은?", "{으로/로} 맞는 것은?", "{은/는}?")
_AMOUNT = "{은/는} 얼마인가?"  # of what is not counted in persons or things
_COUNTED = ("명", "인", "건", "개", "개사", "회")


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield the questions of each table with sure cells."""
    for number, table in enumerate(sure_tables(law.tables)):
        columns: dict[int, list[SureCell]] = {}
        for cell in table.cells:
            columns.setdefault(cell.column, []).append(cell)
        for column, cells in columns.items():
            parts = (table.table.unit, str(number), str(column))
            rng = source_rng(seed, "annex", *parts)
            for cell in cells:
                yield from _value(table, cell, cells, rng)
                yield from _row(table, cell, cells, rng)
                yield from _case(table, cell, cells, rng)
            yield from _pairs(table, cells, rng)
            yield from _sets(table, cells, rng)


def _value(
    table: SureTable, cell: SureCell, group: Sequence[SureCell], rng: random.Random
) -> Iterator[Draft]:
    """Ask for the value of a cell."""
    wrong, rows = _wrong_values(table, cell, group, rng)
    if len(wrong) >= 3:
        stem = f"{_where(table, rng)} {cell.case} {_asked(cell.name, rng)}"
        yield _draft(
            table, "annex_value", stem, cell.value.text, wrong, [cell, *rows], numeric=True
        )


def _wrong_values(
    table: SureTable, cell: SureCell, group: Sequence[SureCell], rng: random.Random
) -> tuple[tuple[str, ...], list[SureCell]]:
    """Return wrong values and the cells that they are from: the nearest ones, then near figures.

    Empty where no cell of the table has another value of the same sort.
    """
    others = [c for c in group if c is not cell]
    others.sort(key=lambda c: (abs(c.row - cell.row) + abs(c.column - cell.column), rng.random()))
    others += [c for c in table.of_row(cell.row) if c not in group]
    found = [c for c in others if c.value.sort == cell.value.sort and c.value.key != cell.value.key]
    rows: dict[tuple[object, ...], SureCell] = {}
    for other in found:
        rows.setdefault(other.value.key, other)
    texts = [c.value.text for c in rows.values()]
    if texts:
        texts += near_values(cell.value, rng)
    return distinct(cell.value.text, texts)[:5], list(rows.values())[:3]


def _row(
    table: SureTable, cell: SureCell, group: Sequence[SureCell], rng: random.Random
) -> Iterator[Draft]:
    """Ask which row has a value that no other row of the column has."""
    texts = [normalize(row.cells[cell.column]) for row in table.table.rows]
    others = [c for c in group if c.value.key != cell.value.key]
    others.sort(key=lambda c: (abs(c.row - cell.row) + abs(c.column - cell.column), rng.random()))
    unique = sum(normalize(cell.value.cell) in text for text in texts) == 1
    if not unique or len(others) < 3 or len(others) != len(group) - 1:
        return
    thing = cell.head or "것"
    value = f"{with_particle(cell.name, '이/가')} {cell.value.text}인"
    stem = f"{_where(table, rng)} {value} {_asked(thing, rng)}"
    if not cell.head:
        stem = f"{_where(table, rng)} {value} 것은?"
    wrong = distinct(cell.label, [c.label for c in others[:5]])
    if len(wrong) >= 3:
        yield _draft(table, "annex_row", stem, cell.label, wrong, [cell, *others[:2]])


def _case(
    table: SureTable, cell: SureCell, group: Sequence[SureCell], rng: random.Random
) -> Iterator[Draft]:
    """Ask for the value of a number in a row whose label is a range."""
    if not cell.head:
        return
    shown = number_within(cell.label, rng)
    wrong, rows = _wrong_values(table, cell, group, rng)
    if shown and len(wrong) >= 3:
        case = f"{with_particle(cell.head, '이/가')} {shown}인 경우의"
        stem = f"{_where(table, rng)} {case} {_asked(cell.name, rng, cell.value.unit)}"
        yield _draft(table, "annex_case", stem, cell.value.text, wrong, [cell, *rows], numeric=True)


def _pairs(table: SureTable, group: Sequence[SureCell], rng: random.Random) -> Iterator[Draft]:
    """Yield 2×2 sets: two rows, and in each option one of their two values for either row."""
    for first, second in itertools.pairwise(group):
        one, two = first.value, second.value
        if one.key == two.key or one.sort != two.sort:
            continue
        pairs = [(one.text, two.text), (two.text, one.text), (one.text, one.text)]
        pairs.append((two.text, two.text))
        options = [f"{_claim(first, a)}이고, {_claim(second, b)}이다." for a, b in pairs]
        if max(map(len, options)) <= LONGEST_STATEMENT:
            stem = f"{_name(table)}{rng.choice(POSITIVE)}"
            wrong = distinct(options[0], options[1:])
            yield _draft(table, "annex_pair", stem, options[0], wrong, [first, second])


def _sets(table: SureTable, group: Sequence[SureCell], rng: random.Random) -> Iterator[Draft]:
    """Yield statements about different rows: one true among altered ones, and the reverse."""
    drawn = list(group)
    rng.shuffle(drawn)
    for start in range(0, len(drawn) - 3, 4):
        cells = drawn[start : start + 5]
        altered = [_altered(cell, group, rng) for cell in cells]
        true = [f"{_claim(cell, cell.value.text)}이다." for cell in cells]
        if max(map(len, [*true, *altered])) > LONGEST_STATEMENT:
            continue
        negative = rng.random() < 0.5
        key = next((i for i, text in enumerate(altered) if text), None)
        if key is None:
            continue
        if negative:
            answer, others = altered[key], [t for i, t in enumerate(true) if i != key]
        else:
            answer, others = true[key], [t for i, t in enumerate(altered) if i != key and t]
        stem = f"{_name(table)}{rng.choice(NEGATIVE if negative else POSITIVE)}"
        wrong = distinct(answer, others)
        if len(wrong) >= 3:
            rows = [cells[key], *(cell for i, cell in enumerate(cells) if i != key)]
            yield _draft(table, "annex_set", stem, answer, wrong, rows, negative=negative)


def _altered(cell: SureCell, group: Sequence[SureCell], rng: random.Random) -> str:
    """Return the statement of a row with the value of another row; empty where none has another."""
    others = [
        c.value.text
        for c in group
        if c.value.sort == cell.value.sort and c.value.key != cell.value.key
    ]
    return f"{_claim(cell, rng.choice(others))}이다." if others else ""


def _claim(cell: SureCell, value: str) -> str:
    return f"{cell.case} {with_particle(cell.name, '은/는')} {value}"


def _name(table: SureTable) -> str:
    """Return the name of the table: regulation, annex, its title and that of the table."""
    one = table.table
    heading = f" '{one.heading}'" if one.heading else ""
    title = f" 중 '{table.title}'" if table.title else ""
    return f"「{one.title}」 [{one.name}]{heading}{title}"


def _where(table: SureTable, rng: random.Random) -> str:
    place = rng.choice(_PLACES)
    return f"{_name(table)}{place}{',' if place.endswith('때') else ''}"


def _asked(name: str, rng: random.Random, unit: str = "") -> str:
    """Return the end of a stem that asks for a thing: `가중치로 옳은 것은?`.

    `unit` is that of the value that is asked for; empty for a thing without one.
    """
    end = rng.choice((*_ASKS, _AMOUNT) if unit and unit not in _COUNTED else _ASKS)
    particle, _, rest = end.removeprefix("{").partition("}")
    return f"{with_particle(name, particle)}{rest}"


def _draft(
    table: SureTable,
    kind: str,
    stem: str,
    answer: str,
    wrong: Sequence[str],
    cells: Sequence[SureCell],
    *,
    numeric: bool = False,
    negative: bool = False,
) -> Draft:
    """Return the question. Its evidence holds the rows that decide it below the header.

    For a value, rows of wrong options are shown too as far as they are short.
    """
    one = table.table
    units = [line for line in one.captions if "단위" in line]
    lines = [one.lines[cells[0].row], *one.header, *units]
    for cell in cells[1:]:
        line = one.lines[cell.row]
        must = kind in ("annex_pair", "annex_set")
        if line not in lines and (must or sum(map(len, [*lines, line])) <= LONGEST_FOCUS):
            lines.append(line)
    return Draft(
        kind=kind,
        stem=stem,
        answer=answer,
        distractors=tuple(wrong),
        units=(one.unit,),
        focus=tuple(lines),
        negative=negative,
        numeric=numeric,
        document=one.title,
        hard=True,
    )
