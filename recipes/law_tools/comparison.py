"""Compare the texts of a document between two days, unit by unit."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Sequence

from kofinlaw import UserError
from kofinlaw.recipes.law_tools.dated_texts import DatedTexts, whole_text
from kofinlaw.recipes.law_tools.results import Change, Comparison
from kofinlaw.records import Chunk

__all__ = ["compare_days"]

# Two collections write one text in different forms; that is not another text.
_FORM = re.compile(r"[\s.,·ㆍ‧•\"“”'‘’`「」『』\\]")


def compare_days(
    texts: DatedTexts,
    title: str,
    before: datetime.date,
    after: datetime.date,
    *,
    offset: int,
    limit: int,
    characters: int,
) -> Comparison:
    """Return what changed in a document between two days: the changes `offset` to `offset + limit`,
    each of at most so many characters.

    Raises UserError if a day has no text of the document, or the days are in the wrong order.
    """
    if before >= after:
        raise UserError(
            f"{before} is not before {after}", where="before", remedy="swap the two days"
        )
    old, new = (_units(texts, title, day) for day in (before, after))
    for name, day, units in (("before", before, old), ("after", after, new)):
        if not units:
            days = texts.days_of(title)
            raise UserError(
                f"{title} has no text on {day}",
                where=name,
                remedy=f"its texts took effect on {', '.join(days)}" if days else "",
            )
    order = [unit for unit in texts.units_of(title) if unit in old or unit in new]
    changed = [unit for unit in order if _words(old.get(unit)) != _words(new.get(unit))]
    counts = {
        "added": sum(unit not in old for unit in changed),
        "amended": sum(unit in old and unit in new for unit in changed),
        "removed": sum(unit not in new for unit in changed),
        "same": len(order) - len(changed),
    }
    days = texts.days_of(title)
    end = offset + limit
    page = changed[offset:end]
    return Comparison(
        act=title,
        before=before.isoformat(),
        after=after.isoformat(),
        counts=counts,
        changes=tuple(_change(unit, old.get(unit), new.get(unit), characters) for unit in page),
        next_offset=end if end < len(changed) else None,
        known_days=tuple(days),
        notes=_notes(title, days, after),
    )


def _notes(title: str, days: Sequence[str], after: datetime.date) -> tuple[str, ...]:
    if len(days) < 2:
        return (
            f"the corpus has one version of {title} ({', '.join(days) or 'without a day'}), so it "
            "cannot show changes; give it the earlier texts (data.history_from)",
        )
    if days[-1] < after.isoformat():
        return (f"the newest change of {title} that the corpus has is of {days[-1]}",)
    return ()


def _units(texts: DatedTexts, title: str, day: datetime.date) -> dict[str, list[Chunk]]:
    shown = texts.shown(day)
    units: dict[str, list[Chunk]] = {}
    for row in texts.rows_of_title[title]:
        if shown[row]:
            chunk = texts.index.chunks[row]
            units.setdefault(chunk.unit, []).append(chunk)
    return units


def _words(chunks: Sequence[Chunk] | None) -> str:
    return "" if chunks is None else _FORM.sub("", whole_text(chunks))


def _change(
    unit: str, old: Sequence[Chunk] | None, new: Sequence[Chunk] | None, characters: int
) -> Change:
    before, after = ([] if one is None else whole_text(one).splitlines() for one in (old, new))
    # The first two lines would name files.
    found = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
    text = "\n".join(f"{line[0]} {line[1:]}" for line in found if line[0] in "-+")
    day = old[0].until if new is None and old else ""
    if new is not None:
        day = new[0].since or new[0].as_of
    return Change(
        unit=unit,
        change="added" if old is None else "removed" if new is None else "amended",
        effective=day,
        lines=text[:characters],
        truncated=len(text) > characters,
    )
