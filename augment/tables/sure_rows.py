"""Decide which cells of a table can be asked about, and count the other rows with a reason.

A row is asked about only if its label, its columns and their units are sure. In doubt it is not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.tables import AnnexTable
from kofinlaw.augment.tables.values import (
    Value,
    column_name,
    read_value,
    spaced_letters,
    unit_of,
    with_particle,
)
from kofinlaw.data.tables.texts import TableRow

__all__ = [
    "LONGEST_LABEL",
    "TABLE_REASONS",
    "SureCell",
    "SureTable",
    "sure_tables",
    "table_counts",
]

# Why a row is not asked about, in words for the card.
TABLE_REASONS: dict[str, str] = {
    "asked": "asked about",
    "no_figure": "no figure in a value cell",
    "several_values": "a cell that is more than one value",
    "formula": "a formula",
    "unit": "a number without a unit",
    "footnote": "a footnote mark in label, column or cell",
    "header": "the header does not name the value",
    "ragged": "rows of the table with different numbers of cells, or a split row",
    "same_label": "a label that another row of the annex has too",
    "context": "one of many tables without a title",
    "further_condition": "a further condition in another column",
    "subheading": "a sub-heading or a note",
    "below_subheading": "below a sub-heading",
    "empty_label": "an empty label (merged or continued)",
    "long_label": "a label longer than 90 characters",
    "list_in_label": "a list in the label",
    "points_elsewhere": "a label that points elsewhere (기타, 위와 같음)",
    "total": "a total",
    "lost_character": "a lost character",
}

LONGEST_LABEL = 90  # characters of the words that name a row
LONGEST_CELL = 80  # characters of one cell of a label
LONGEST_TITLE = 50  # characters of the title of a table
MANY_TABLES = 4  # of an annex; from more on, a table needs a title of its own
_FOOTNOTE = re.compile(r"(?<![(\d])\d{1,2}\)|[주*]\)|\*|주\d|†|※|[⁰¹²³⁴⁵⁶⁷⁸⁹]")
_OPENS_LIST = re.compile(
    r"^(?:[①-⑳㉠-㉭] ?|[가-하]\. ?|\(?\d{1,2}(?:의\d+)?[.)] ?(?!\d)|\([가-하]\) ?|[-·ㆍ○□◦▪ㅇ] ?"
    r"|o(?=[“\"‘'「]))"
)
_LIST = re.compile(r"(?:^|\s)(?:[-○●□■◦▪ㅇo※*?]|[①-⑳]|[가-하]\.|\(\d+\)|\d+[.)])\s|\s[·ㆍ](?=\S)")
_TOTAL = re.compile(r"(?:합|총|소|누)?계|합산|평균|전체")
_SAME = re.compile(r"위와 ?같음|상동|좌동|〃|〞|\"|″|해당 ?없음|없음|[-–—]+")
_LOST = re.compile(r"[?�]")
_POINTS = re.compile(r"위의|상기|제\d+호 ?외|그 ?밖의? ?것|그 ?외|기타$|이외의? ?것|이와 ?유사")
_GENERIC = re.compile(r"구분|항목|내용|종류|분류|비고|번호|순번|연번|기준|유형별?")
_NO_VALUE = re.compile(r"비고|구분|번호|순번|연번|예시|근거|조문|조항")
# A column that limits to whom or when a row applies: the label alone does not name the case.
_CONDITION = re.compile(r"대상|요건|조건|사유|적용")
# `4.65 + K/4 미만`, `2011년말까지`: a case, not the name of a measure.
_CASE_COLUMN = re.compile(
    r"(?:이상|이하|미만|초과|까지|이전|이후|이내|부터)$|[+×=]|^\W*\d+(?:\.\d+)?\W*$"
)
# A row of measures below columns of cases (`가중치`): other rows may hold further conditions.
_MEASURE = re.compile(r"(?:가중치|배점|비중|점수|비율|한도|금액|등급|결과)\Z")
_FORMULA = re.compile(r"[+×=*/]|\bK\b")
_IN_BRACKETS = re.compile(r"\A[<〈\[【]([^<>〈〉\[\]【】]*)[>〉\]】]\Z")
_UNIT_CAPTION = re.compile(r"단위")
_PLAIN_TITLE = re.compile(r"제재기준|기관제재|임직원 ?제재|비고|예시|다음과 같다|[다음함것]\.?$")


@dataclass(frozen=True, slots=True)
class SureCell:
    """A cell that can be asked about.

    Attributes:
        row: The index of its row among the rows of the table.
        column: The index of its column.
        label: What names its row: `외화증권 > 회사채 > BBB 미만`.
        case: The row as a condition: `'외화증권 > 회사채'의`, `만기가 '1년'인 경우의`.
        head: The name of the column of the label (`자료의 종류`); empty for none or several.
        name: The name of its column without the unit.
        value: Its value.
    """

    row: int
    column: int
    label: str
    case: str
    head: str
    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class SureTable:
    """A table with the cells that can be asked about, and why its other rows cannot.

    `title` is the line above the table, if it names this table of its annex only.
    """

    table: AnnexTable
    title: str
    cells: tuple[SureCell, ...]
    reasons: dict[int, str]

    def of_row(self, row: int) -> list[SureCell]:
        """Return the sure cells of a row, in order."""
        return [cell for cell in self.cells if cell.row == row]


def sure_tables(tables: Sequence[AnnexTable]) -> list[SureTable]:
    """Return the tables of a regulation with their sure cells.

    A row whose labels are also those of a row of another table of the annex, or the last label of
    one, is not sure, unless the table has a title of its own: the text around the tables decides
    which row is meant.
    """
    titles = [_title(table) for table in tables]
    of_annex = Counter(
        (table.unit, normalize(title)) for table, title in zip(tables, titles, strict=True)
    )
    count = Counter(table.unit for table in tables)
    labels = Counter(
        (table.unit, name)
        for table in tables
        for name in {n for r in table.rows for n in _names(r)}
    )
    out = []
    for table, title in zip(tables, titles, strict=True):
        named = title if title and of_annex[table.unit, normalize(title)] == 1 else ""
        cells, reasons = _cells(table)
        own = Counter(_names(row)[-1] for row in table.rows)
        kept = []
        for cell in cells:
            names = _names(table.rows[cell.row])
            alone = bool(named) or labels[table.unit, names[-1]] == 1
            if not alone or own[names[-1]] > 1:
                reasons[cell.row] = "same_label"
            elif not named and count[table.unit] > MANY_TABLES:
                reasons[cell.row] = "context"  # the text above says what the table is about
            else:
                kept.append(cell)
        out.append(SureTable(table, named, tuple(kept), reasons))
    return out


def _names(row: TableRow) -> tuple[str, str]:
    """Return the letters of the last label of a row, and of all of its labels."""
    labels = [_OPENS_LIST.sub("", cell) for cell in row.cells[: row.labels] if cell] or [""]
    return normalize(labels[-1]), normalize(" ".join(labels))


def _title(table: AnnexTable) -> str:
    """Return the title of a table in its caption; empty for a unit, a sentence or a plain word."""
    for line in table.captions:
        bare = _OPENS_LIST.sub("", line.strip("# "))
        bare = _IN_BRACKETS.sub(r"\1", bare).strip()
        if line[:1] in "-·ㆍ○□◦▪ㅇ※*" or _UNIT_CAPTION.search(line) or _PLAIN_TITLE.search(bare):
            continue
        if 6 <= len(bare) <= LONGEST_TITLE and normalize(bare) != normalize(table.heading):
            return bare
    return ""


def table_counts(tables: Sequence[SureTable]) -> Counter[str]:
    """Count the rows: `asked`, and the others by their reason."""
    counts: Counter[str] = Counter()
    for table in tables:
        counts.update(table.reasons.values())
        counts["asked"] += len(table.table.rows) - len(table.reasons)
    return counts


def _cells(table: AnnexTable) -> tuple[list[SureCell], dict[int, str]]:
    """Return the sure cells of a table by itself, and the reason of each row that has none."""
    problem = _table_problem(table)
    if problem:
        return [], dict.fromkeys(range(len(table.rows)), problem)
    cells: list[SureCell] = []
    reasons: dict[int, str] = {}
    below = False
    for index, row in enumerate(table.rows):
        if _is_subheading(row):
            below = True
            reasons[index] = "subheading"
            continue
        why = _cells_problem(table, row)
        why = why or ("below_subheading" if below else _row_problem(table, row))
        found = [] if why else _values(table, index, row)
        cells += found
        if not found:
            reasons[index] = why or "header"
    return cells, reasons


def _table_problem(table: AnnexTable) -> str:
    """Return why no row of the table can be asked about; empty for nothing."""
    if not any(re.search(r"\d", cell) for row in table.rows for cell in row.cells[row.labels :]):
        return "no_figure"
    if not table.whole:
        return "ragged"
    if len(table.columns) == table.rows[0].labels or sum(map(bool, table.columns)) < 2:
        return "header"
    if any(read_value(column) is not None for column in table.columns):
        return "header"  # the first row is a row of values: the table has no header
    if any(_LOST.search(column) for column in table.columns):
        return "lost_character"
    return ""


def _is_subheading(row: TableRow) -> bool:
    """Return whether only the first cell of a row has text: it names the rows below."""
    return bool(row.cells[0]) and not any(row.cells[1:])


def _row_problem(table: AnnexTable, row: TableRow) -> str:
    """Return why the row cannot be asked about by its label; empty for nothing."""
    labels = [spaced_letters(cell) for cell in row.cells[: row.labels] if cell]
    words = " ".join(labels)
    if not row.cells[0]:
        return "empty_label"  # a continuation, or a merged cell whose text is elsewhere
    if len(words) > LONGEST_LABEL or any(len(cell) > LONGEST_CELL for cell in labels):
        return "long_label"
    if _FOOTNOTE.search(words) or any(_FOOTNOTE.search(c) for c in table.columns[: row.labels]):
        return "footnote"
    if _LOST.search(words):
        return "lost_character"
    if any(_TOTAL.fullmatch(cell) for cell in labels):
        return "total"
    if any(_SAME.fullmatch(cell) for cell in labels) or _POINTS.search(words):
        return "points_elsewhere"
    if any(_LIST.search(_OPENS_LIST.sub("", cell)) for cell in labels):
        return "list_in_label"
    if any(
        _CONDITION.search(column_name(column)) and cell
        for column, cell in zip(table.columns[row.labels :], row.cells[row.labels :], strict=True)
    ):
        return "further_condition"
    if row.labels == 1 and _MEASURE.search(labels[0]):
        return "header"  # the columns are the cases, and the row is the measure
    bounded = read_value(labels[-1], "점")
    values = [read_value(cell, "%") for cell in row.cells[row.labels :] if cell]
    if bounded and bounded.bounds and any(v and v.bounds for v in values) and None in values:
        return "further_condition"  # bounds of several measures together decide a result
    return ""


def _values(table: AnnexTable, index: int, row: TableRow) -> list[SureCell]:
    """Return the sure cells of a row whose label is sure.

    A column that is a case and not a measure (`상`, `2011년말까지`) is asked about as a column.
    """
    out = []
    label, case, head = _label(table, row)
    names = [column_name(column) for column in table.columns]
    for column in range(row.labels, len(row.cells)):
        value = _value(table, row, column)
        # Of two columns with one name (`금액`, `금액`) the question cannot say which.
        if value is None or names.count(names[column]) > 1:
            continue
        if _is_measure(names[column]) and table.columns[0]:
            cell = SureCell(index, column, label, case, head, names[column], value)
        else:
            shown = f"'{names[column]}' 열의 값"
            cell = SureCell(index, column, label, f"'{label}' 행의", "", shown, value)
        out.append(cell)
    return out


def _is_measure(name: str) -> bool:
    """Return whether the name of a column says what its values are (`가중치`)."""
    return len(re.sub(r"[^가-힣]", "", name)) > 1 and not _CASE_COLUMN.search(name)


def _value(table: AnnexTable, row: TableRow, column: int) -> Value | None:
    name = column_name(table.columns[column])
    if not name or _NO_VALUE.search(name) or _FOOTNOTE.search(table.columns[column]):
        return None
    return read_value(row.cells[column], unit_of(table.columns[column], table.captions))


def _quoted(words: str) -> str:
    """Return the words of a label as what a case is: `'600 미만'인 경우`."""
    if re.search(r"(?:경우|때|자|사람|행위)$", words):
        return f"'{words}'에 해당하는 경우"
    return f"'{words}'인 경우"


def _cells_problem(table: AnnexTable, row: TableRow) -> str:
    """Return why no cell of a row is a sure value; empty where one is."""
    cells = [cell for cell in row.cells[row.labels :] if re.search(r"\d", cell)]
    if not cells:
        return "no_figure"
    if any(_value(table, row, column) for column in range(row.labels, len(row.cells))):
        return ""
    if any(_FORMULA.search(cell) for cell in cells):
        return "formula"
    if any(_FOOTNOTE.search(cell) for cell in cells):
        return "footnote"
    if all(read_value(cell, "%") is None for cell in cells):
        return "several_values"
    if any(_FOOTNOTE.search(c) for c in table.columns[row.labels :]):
        return "footnote"
    return "unit" if all(read_value(cell) is None for cell in cells) else "header"


def _label(table: AnnexTable, row: TableRow) -> tuple[str, str, str]:
    """Return the label of a row, the row as the condition of a question, and its head."""
    named: dict[str, list[str]] = {}
    for column, cell in zip(table.columns, row.cells[: row.labels], strict=False):
        if cell:
            words = _OPENS_LIST.sub("", spaced_letters(cell)).strip()
            name = column_name(column)
            name = "" if _GENERIC.fullmatch(name.replace(" ", "")) else name
            named.setdefault(name, [])
            if words not in named[name]:
                named[name].append(words)
    label = " > ".join(word for words in named.values() for word in words)
    if set(named) == {""}:
        return label, f"'{label}'의", ""
    parts = []
    for name, shown in named.items():
        parts.append((with_particle(name, "이/가") if name else "구분이", " > ".join(shown)))
    *first, (last, shown_last) = parts
    joined = "".join(f"{subject} '{words_}'이고 " for subject, words_ in first)
    head = next(iter(named)) if len(named) == 1 else ""
    return label, f"{joined}{last} {_quoted(shown_last)}의", head
