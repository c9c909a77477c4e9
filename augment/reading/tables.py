"""Read the tables of annexes from the passages of a corpus, each one as a whole.

A corpus holds a table in parts of few rows below its header (`data/tables/parts.py`). Here the
parts are joined again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kofinlaw.data.law.annex_links import is_annex
from kofinlaw.data.tables.texts import TableRow, table_rows
from kofinlaw.records import Chunk

__all__ = ["AnnexTable", "read_tables"]

# The last part of an id: `표1`, its second part `표1~2`, a split row `표1~2.1`.
_TABLE = re.compile(r"(?P<name>표\d+)(?:[~.][\d~.]*+)?\Z")
# The name of an annex at the start of its title, and the articles that it names at the end.
_HEADING = re.compile(r"[<\[〈【]?(?:별표|기타)[\s\d의-]*+[>\]〉】]?")
_LISTED = re.compile(r"(?<!\s)\s*+\((?:시행령 ?)?(?:법|영|규정)?\s?제\d[^()]*+\)\Z")


@dataclass(frozen=True, slots=True)
class AnnexTable:
    """A table of an annex.

    Attributes:
        title: The title of the regulation.
        unit: The annex as it is cited (`은행업감독규정 별표 7`).
        heading: The title of the annex without the articles that it names (`유동화 가중치`).
        captions: The lines above the table: its title, its unit (`(단위 : %)`).
        header: The lines of its header.
        columns: The name of each column.
        rows: The rows below the header.
        lines: The line of each row, as passages have it.
        whole: Whether every row of the table could be read: each has as many cells as the header,
            and none was split.
    """

    title: str
    unit: str
    heading: str
    captions: tuple[str, ...]
    header: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    lines: tuple[str, ...]
    whole: bool

    @property
    def name(self) -> str:
        """The name of the annex (`별표 7`)."""
        return self.unit.removeprefix(self.title).strip()

    def row_text(self, index: int) -> str:
        """Return a row as a reader quotes it: `자산유형: 선물자산, 가중치(%): 85`."""
        named: dict[str, list[str]] = {}
        for column, cell in zip(self.columns, self.rows[index].cells, strict=True):
            if cell and cell not in named.setdefault(column, []):
                named[column].append(cell)
        shown = ((name, " > ".join(cells)) for name, cells in named.items() if cells)
        return ", ".join(f"{name}: {words}" if name else words for name, words in shown)


def read_tables(chunks: Iterable[Chunk]) -> dict[str, tuple[AnnexTable, ...]]:
    """Return the tables of annexes (별표) by the title of their regulation, in order.

    Forms (별지, 서식) are left out. A table whose parts have no header is left out: its columns are
    unknown.
    """
    parts: dict[tuple[str, str], list[Chunk]] = {}
    for chunk in chunks:
        found = _TABLE.match(chunk.id.rpartition("/")[2])
        name = chunk.unit.removeprefix(chunk.title).strip()
        if found and is_annex(chunk.unit) and name.startswith(("별표", "기타")) and not chunk.until:
            parts.setdefault((chunk.unit, found.group("name")), []).append(chunk)
    out: dict[str, list[AnnexTable]] = {}
    for group in parts.values():
        table = _table(group)
        if table is not None:
            out.setdefault(table.title, []).append(table)
    return {title: tuple(tables) for title, tables in out.items()}


def _table(parts: Sequence[Chunk]) -> AnnexTable | None:
    """Return the table of these parts; None where a part lacks the header of the first one."""
    lines = [chunk.text.split("\n")[1:] for chunk in parts]
    first = next(iter(table_rows(lines[0])), None)
    if first is None:
        return None
    size = first.header[-1] + 1
    above = lines[0][:size]
    split = any("." in chunk.id.rpartition("/")[2] for chunk in parts)
    joined = list(lines[0])
    for other in lines[1:]:
        if other[:size] != above:
            return None
        joined += other[size:]
    rows = tuple(table_rows(joined))
    body = [line for line in joined[size:] if line.strip()]
    return AnnexTable(
        title=parts[0].title,
        unit=parts[0].unit,
        heading=_heading(parts[0].path),
        captions=tuple(line.strip() for line in above[: first.header[0]]),
        header=tuple(above[n] for n in first.header),
        columns=rows[0].columns,
        rows=rows,
        lines=tuple(joined[row.line] for row in rows),
        whole=not split and len(rows) == len(body),
    )


def _heading(path: str) -> str:
    """Return the title of an annex by the path of its passages."""
    title = path.split(" > ")[-1].strip()
    name = _HEADING.match(title)
    return _LISTED.sub("", title[name.end() :].strip() if name else title)
