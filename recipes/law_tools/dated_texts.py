"""Find a unit by its name, and its text on a day, in an index."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from kofinlaw import UserError
from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.citations import cited_units
from kofinlaw.data.law.former_names import with_present_names
from kofinlaw.data.law.titles import canonical_title, title_key, titles_by_key
from kofinlaw.data.law.verifying.written import written_text
from kofinlaw.rag.abstention.missing import read_names
from kofinlaw.rag.abstention.misspelling import correct_names
from kofinlaw.rag.arrays import Mask
from kofinlaw.rag.index.calendar import Calendar
from kofinlaw.rag.index.index import Index
from kofinlaw.recipes.law_tools.results import Period
from kofinlaw.records import Chunk

__all__ = ["DatedTexts", "whole_text"]

_NAMED = 5  # names that a message lists
_BARE_NUMBER = re.compile(r"(?<![제\d-])\d+(?:-\d+)?조")  # `은행법 3조`
_ONLY_NUMBER = re.compile(r"\s*제?\d+(?:-\d+)?조|\s*별[표지]")
_SHOWN = 80  # characters of a name that a message repeats


class DatedTexts:
    """The texts of an index by unit and day.

    Args:
        index: The index.
        day: The day of questions without one: that of the run's settings; None: today.
    """

    def __init__(self, index: Index, day: datetime.date | None) -> None:
        self.index = index
        self._day = day
        self._shown: dict[datetime.date | None, Mask] = {}

    @cached_property
    def calendar(self) -> Calendar:
        """The days between which each passage is in force."""
        return Calendar(self.index.chunks)

    @cached_property
    def rows_of_title(self) -> dict[str, list[int]]:
        """Title → the rows of its passages."""
        rows: dict[str, list[int]] = {}
        for row, chunk in enumerate(self.index.chunks):
            rows.setdefault(chunk.title, []).append(row)
        return rows

    def shown(self, day: datetime.date | None) -> Mask:
        """Return which passages are in force on the day; None: the run's day, or today."""
        asked = day or self._day
        if asked not in self._shown:
            if len(self._shown) > 64:
                self._shown.clear()
            if asked is not None:
                mask = self.calendar.in_force(asked)
            else:
                found = self.calendar.shown_on(datetime.date.today())
                mask = np.ones(len(self.index.chunks), bool) if found is None else found
            self._shown[asked] = mask
        return self._shown[asked]

    def unit(self, name: str) -> str:
        """Return the unit of the index that a name means.

        Raises UserError with the nearest names where there is none, or several.
        """
        if name in self.index.rows_of_unit:
            return name
        titles = self.index.titles
        text = " ".join(written_text(name).text.split())
        text = with_present_names(text, self.index.former_names, titles).text
        text = _BARE_NUMBER.sub(r" 제\g<0>", correct_names(text, titles))
        units = [u for u in cited_units(text, titles) if u in self.index.rows_of_unit]
        if len(units) == 1:
            return units[0]
        if units:
            raise UserError(
                f"{_cut(name)!r} names {len(units)} units",
                where="unit",
                remedy=f"ask for one of them: {_listed(units)}",
            )
        missing = read_names(text, self.index.provisions).missing
        if missing is not None:
            raise UserError(
                f"the corpus has no {_cut(name)!r}: {missing.text}",
                where="unit",
                remedy="search_law finds the units that exist",
            )
        if title := self.find_title(text):
            raise UserError(
                f"{title!r} is a document, not one of its units",
                where="unit",
                remedy=f"name an article or annex of it: {_listed(self.units_of(title))}",
            )
        if _ONLY_NUMBER.match(text):
            raise UserError(
                f"{name!r} names no act", where="unit", remedy="write the act's title before it"
            )
        raise UserError(f"the corpus has no {_cut(name)!r}", where="unit", remedy=self._near(name))

    def title(self, name: str) -> str:
        """Return the title of the index that a name means: in any spacing, short or former.

        Raises UserError with the nearest titles where there is none.
        """
        if title := self.find_title(name):
            return title
        text = with_present_names(name, self.index.former_names, self.index.titles).text
        if title := self.find_title(correct_names(text, self.index.titles)):
            return title
        raise UserError(f"the corpus has no {_cut(name)!r}", where="act", remedy=self._near(name))

    def find_title(self, name: str) -> str:
        """Return the title that a name is, in any spacing or as a short name; empty if none is."""
        bare = written_text(name).text.strip("「」『』 ")
        title = canonical_title(bare, titles_by_key(self.index.titles))
        return title if title in self.rows_of_title else ""

    def units_of(self, title: str) -> list[str]:
        """Return the units of a document in their order, each once."""
        return list(dict.fromkeys(self.index.chunks[row].unit for row in self.rows_of_title[title]))

    def text_rows(self, unit: str, day: datetime.date | None) -> list[int]:
        """Return the rows of the unit's text on the day, in order.

        Raises UserError with the known periods where the unit has no text on that day.
        """
        shown = self.shown(day)
        rows = [row for row in self.index.rows_of_unit[unit] if shown[row]]
        if not rows:
            asked = day or self._day
            said = ", ".join(_period_text(one) for one in self.periods(unit))
            raise UserError(
                f"{unit} has no text on {asked or 'this day'}",
                where="as_of",
                remedy=f"the corpus has texts of it {said}",
            )
        first = self.index.chunks[rows[0]]
        return [r for r in rows if _version(self.index.chunks[r]) == _version(first)]

    def periods(self, unit: str) -> list[Period]:
        """Return the texts of a unit, oldest first."""
        found = dict.fromkeys(_version(self.index.chunks[r]) for r in self.index.rows_of_unit[unit])
        periods = [Period(since=s, until=u, document_day=d) for s, u, d in found]
        return sorted(periods, key=lambda one: one.since or one.document_day)

    def days_of(self, title: str) -> list[str]:
        """Return the ISO days on which a text of the document took effect, in order."""
        chunks = (self.index.chunks[row] for row in self.rows_of_title[title])
        days = {day for one in chunks for day in (one.since or one.as_of, one.until) if day}
        return sorted(days)

    def _near(self, name: str) -> str:
        """Return a remedy with the titles that are nearest to a name."""
        wanted = title_key(split_unit(name)[0] or name)
        by_key = {title_key(title): title for title in self.index.titles}
        inside = [title for key, title in by_key.items() if wanted and wanted in key]
        close = difflib.get_close_matches(wanted, list(by_key), n=_NAMED, cutoff=0.5)
        near = list(dict.fromkeys([*inside, *(by_key[key] for key in close)]))
        if not near:
            return "search_law finds the units that exist"
        return f"it has, for example: {_listed(near)}"


def whole_text(chunks: Sequence[Chunk]) -> str:
    """Return the text of a unit from its passages; their repeated first lines are left out."""
    first, *rest = chunks
    return "\n".join([first.text, *(chunk.text.partition("\n")[2] for chunk in rest)])


def _cut(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def _version(chunk: Chunk) -> tuple[str, str, str]:
    return chunk.since, chunk.until, chunk.as_of


def _period_text(period: Period) -> str:
    if not period.since:
        return f"of {period.document_day}" if period.document_day else "without a day"
    return f"from {period.since}" + (f" until {period.until}" if period.until else "")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
