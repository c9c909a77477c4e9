"""Find the line that decides a question, its citation, and the shown passage that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause, line_letters, simplify
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.tables import AnnexTable

__all__ = ["LONGEST_LINE", "DecidingLine", "deciding_lines"]

LONGEST_LINE = 200  # characters of a quoted sentence or 호


@dataclass(frozen=True)
class DecidingLine:
    """A sentence or 호 of the law, how it is cited (`제49조제6항`), and the shown passage's number.

    `number` is that of the passage in the prompt, from 1.
    """

    number: int
    citation: str
    text: str


def deciding_lines(draft: Draft, law: Law, shown: Sequence[str]) -> list[DecidingLine]:
    """Return the line of each deciding phrase, in order and each once.

    Empty if a phrase is in no clause of the draft's articles, in no shown passage, or in a line
    that is longer than `LONGEST_LINE`. `law` is the act of the draft.
    """
    tables = [table for table in law.tables if table.unit in draft.units]
    if tables:
        return _rows(draft, tables, shown)
    found: dict[str, DecidingLine] = {}
    for phrase in draft.focus:
        wanted = normalize(phrase)
        line = _line(draft, law, wanted)
        number = _passage(wanted, shown)
        if line is None or not number or len(line[1]) > LONGEST_LINE:
            return []
        found.setdefault(line[1], DecidingLine(number, *line))
    return list(found.values())


def _rows(draft: Draft, tables: Sequence[AnnexTable], shown: Sequence[str]) -> list[DecidingLine]:
    """Return the row that decides a question about a table, of a pair both rows.

    Its header, its caption and the rows of wrong options are no reason.
    """
    rows = {line: (table, n) for table in tables for n, line in enumerate(table.lines)}
    focus = [line for line in draft.focus if line in rows]
    out = []
    for line in focus[: 2 if draft.kind == "annex_pair" else 1]:
        table, index = rows[line]
        number, text = _passage(line_letters(line), shown), table.row_text(index)
        if not number or len(text) > LONGEST_LINE:
            return []
        out.append(DecidingLine(number, f"「{table.title}」 {table.name}", text))
    return out


def _line(draft: Draft, law: Law, wanted: str) -> tuple[str, str] | None:
    """Return (citation, sentence or 호) of the first clause that holds a phrase."""
    for unit in draft.units:
        for clause in law.by_article.get(unit, ()):
            for text in _texts(clause):
                if wanted and wanted in normalize(text):
                    return clause.citation, text.rstrip(". ")
    return None


def _texts(clause: Clause) -> list[str]:
    parts = [clause.main, clause.proviso, *clause.rest, *(simplify(i)[0] for i in clause.items)]
    return [text for text in parts if text]


def _passage(wanted: str, shown: Sequence[str]) -> int:
    """Return the number of the first shown passage with a line that holds a phrase; 0 for none."""
    for number, text in enumerate(shown, 1):
        for row in text.split("\n"):
            if wanted in line_letters(row):
                return number
    return 0
