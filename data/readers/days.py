"""Find the day from which a document is in force, and say where it was found.

A day comes from the front matter, the first lines, the 부칙, a record's column, the file name, or
the recipe. The day on which a file was saved is never used: each copy of the same text has
another. Without any of these the day is unknown.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kofinlaw.data.frontmatter import iso_day

__all__ = ["COMMIT", "Day", "in_force_day"]

COMMIT = "git commit"

_FIRST_CHARACTERS = 3000
_DAY = (
    r"((?:\d{4}|(?<![\d.])['’‘]?\d{2}(?=\s*+[.년/]))\s*+[-.년/]\s*+\d{1,2}\s*+[-.월/]"
    r"\s*+\d{1,2}(?!\d)(?:\s*일)?)"
)
_OPENER = re.compile(r"^\s*(?:#{1,6}\s*)?(?:\*\*)?제\s*\d+(?:-\d+)?\s*조")
# Only lines about the document itself: a guide often says since when an act is in force.
_IN_FORCE = (
    re.compile(rf"\[\s*시행(?:일자?)?\s*+[:：]?\s*+{_DAY}"),
    re.compile(rf"(?:시행|적용|발효)(?:일자?|시기)\s*[:：]\s*{_DAY}"),
    re.compile(
        rf"(?:^[^\S\n*]*+(?:\*[^\S\n]*+)*+|[|,·(<.][\s*]*+)시\s*행\s*+(?:예정)?일자?[\s|]*+{_DAY}",
        re.MULTILINE,
    ),
    re.compile(
        rf"^(?:[^\w\n]|_)*+시\s*행\s*+(?:(?:예정)?일자?)?[|\s]*+{_DAY}[.\s)>\]|]*(?:부터|$)",
        re.MULTILINE,
    ),
    re.compile(rf"[(<]\s*+(?:시행일?\s*+)?{_DAY}\s*+\.?\s*+(?:부터|자로|자)?\s*+시행\s*[)>]"),
    re.compile(rf"[(<]\s*시행일?\s*+[:：]?\s*+{_DAY}\s*+\.?\s*+[)>]"),
    re.compile(
        rf"^[^\w\n]*+{_DAY}\s*+\.?\s*+(?:(?:부터|자로|자)?\s*+시행|부터\s*+적용)\W*$",
        re.MULTILINE,
    ),
    # `2026. 2. 10. 시행 · 직원용`, but not `2026. 2. 10. 시행 · 개정 은행법`
    re.compile(
        rf"^[^\w\n]*+{_DAY}\s*+\.?\s*+(?:부터|자로|자)?\s*+시행\s*[·|/]\s*+"
        r"(?!.*(?:법|령|규정|개정|제도))\S.{0,24}$",
        re.MULTILINE,
    ),
    re.compile(
        r"(?:이|본)\s?(?:법|영|규칙|규정|세칙|지침|고시|기준|내규|예규|훈령|약관|편람|매뉴얼|절차|방침)[은는]\s*"
        rf"{_DAY}\s*+\.?\s*+(?:부터|자로)\s*(?:시행|적용)"
    ),
)
_REVISED = re.compile(
    rf"^[^\w\n]*+(?:(?:최종|전부|전면|일부|최초)?[^\S\n]*+(?:개정|제정|시행|개편)\s*+(?:일자?)?\W{{0,3}}"
    rf"{_DAY}(?:[^\S\n]|[.,·|()<>\]])*+){{1,12}}$"
    rf"|^[^\w\n]*+{_DAY}\s*+\.?\s*+(?:(?:최종|전부|전면|일부|최초)\s*+)?(?:개정|제정|개편)\W*$",
    re.MULTILINE,
)
# `^[^\S\n]*` and not `^\s*`, which would read a run of blank lines again from each of its lines.
_SUPPLEMENT = re.compile(
    r"^[^\S\n]*(?:#{1,6}\s*)?(?:\*\*)?부\s*칙(?=\s|$|[*<(\[〈（])(.*)$", re.MULTILINE
)
_ANNEX = re.compile(
    r"^[^\S\n]*+(?:#{1,6}\s*+)?(?:\*\*)?[\[<〈【]?[^\S\n]*+(?:별표|별지)", re.MULTILINE
)
_FROM_DAY = re.compile(rf"(?:은|는|를|을|,|\.)\s*{_DAY}\s*+\.?\s*+(?:부터|자로)\s*시행")
_FROM_ISSUE = re.compile(
    r"(?:공포|발령|고시|제정|개정|공고|승인)(?:한|된|일|하는)?\s*+(?:날|일)?(?:부터|로부터|에)?\s*+시행"
)
_YEAR_OF_FOUR = r"\d{4}\s*+[-.년/]\s*+\d{1,2}\s*+[-.월/]\s*+\d{1,2}(?!\d)"
_SHORT_YEAR = re.compile(r"^['’‘]?(\d{2})(?=\s*[.년/])")
_FIRST_YEAR = 70  # of two digits: `70` is 1970, `69` is 2069
# In a name `10.2.1` may be a version, so a year of two digits counts only with its word.
_OF_NAME = (
    re.compile(rf"(?<!\d)({_YEAR_OF_FOUR})"),
    re.compile(rf"{_DAY}\s*+\.?\s*+(?:부터|자)?\s*(?:시행|개정|제정)"),
    re.compile(rf"(?:시행|개정|제정)일?\s*{_DAY}"),
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})([01]\d)([0-3]\d)(?!\d)")
_FRONT_MATTER = ("시행일자", "시행일", "적용일자", "적용일", "effective_date", "effective")
_RECORD = re.compile(r"#\d+$")
_VERSION = re.compile(r"@[0-9a-f]{7,40}$")


class Day(NamedTuple):
    """An ISO day and where it was found; both are empty if the day is unknown."""

    day: str
    origin: str


def in_force_day(text: str, meta: Mapping[str, str], name: str, stated: str = "") -> Day:
    """Return the day from which a document is in force, with its origin.

    Args:
        text: The text as Markdown, without front matter.
        meta: The front matter. `date` is the day that a page or a record names.
        name: The file as records cite it; a record of a table ends in `#3`.
        stated: The ISO day that the recipe names for texts without one, or empty.

    The first of these wins: the day that a record of a table names, 시행일 of the front matter,
    시행일 in the first lines, the newest day of the 부칙, 발령일 or 공포일 of the front matter,
    제정 or 개정 in the first lines, the day that a page names, the file name, the recipe.
    """
    found = (day for day in _days(text, meta, name) if day.day)
    return next(found, Day(stated, "recipe: as_of") if stated else Day("", ""))


def _days(text: str, meta: Mapping[str, str], name: str) -> Iterator[Day]:
    if record := _RECORD.search(name):
        yield Day(_valid(meta.get("date", "")), "record")
    yield from _front_matter(meta, _FRONT_MATTER)
    head = _head(text)
    for pattern in _IN_FORCE:
        if match := pattern.search(head):
            yield Day(_valid(match.group(1)), "first lines: 시행일")
    yield Day(_supplement_day(text), "부칙")
    yield from _front_matter(meta, ("발령일자", "공포일자", "as_of"))
    yield Day(_revised_day(head), "first lines: 개정")
    if not record:
        yield Day(_valid(meta.get("date", "")), "page")
        yield Day(_day_of_name(_VERSION.sub("", name)), "file name")


def _front_matter(meta: Mapping[str, str], keys: tuple[str, ...]) -> Iterator[Day]:
    for key in keys:
        yield Day(_valid(meta.get(key, "")), f"front matter: {key}")


def _valid(value: str) -> str:
    """Return the ISO day of a text; empty if there is no such day in the calendar.

    A year of two digits (`24. 3. 1.`) lies between 1970 and 2069.
    """
    value = value.strip()
    if short := _SHORT_YEAR.match(value):
        century = "19" if int(short.group(1)) >= _FIRST_YEAR else "20"
        value = f"{century}{short.group(1)}{value[short.end() :]}"
    day = iso_day(re.sub(r"(?<=\d)\s*-\s*(?=\d)", "-", value)) or iso_day(value.replace("-", "."))
    try:
        return datetime.date.fromisoformat(day).isoformat() if day else ""
    except ValueError:
        return ""


def _head(text: str) -> str:
    """Return the first lines before the first article, of 3,000 characters at most, without blank
    lines: on a long run of them the patterns would take minutes.
    """
    out: list[str] = []
    for line in text[:_FIRST_CHARACTERS].splitlines():
        if _OPENER.match(line) or _SUPPLEMENT.match(line):
            break
        if line.strip():
            out.append(line)
    return "\n".join(out)


def _revised_day(head: str) -> str:
    """Return the newest day of the lines that only name days of 제정 and 개정."""
    lines = (match.group(0) for match in _REVISED.finditer(head))
    return max((_valid(day) for line in lines for day in re.findall(_DAY, line)), default="")


def _supplement_day(text: str) -> str:
    """Return the newest day from which a 부칙 says that the text is in force.

    A 부칙 that is in force from its issue (`고시한 날부터 시행한다`) has the day of its header.
    """
    starts = list(_SUPPLEMENT.finditer(text))
    days = [""]
    for index, match in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        annex = _ANNEX.search(text, match.end(), end)
        body = text[match.start(1) : annex.start() if annex else end]
        header = match.group(1)
        # The first sentence is about the whole text, the next ones are about parts of it.
        opening = body[:600].split("시행한다", 1)[0] + "시행"
        if found := _FROM_DAY.search(opening):
            days.append(_valid(found.group(1)))
        elif _FROM_ISSUE.search(opening) and (
            issued := re.search(_DAY, header.split("시행", 1)[0])
        ):
            days.append(_valid(issued.group(1)))
    return max(days)


def _day_of_name(name: str) -> str:
    """Return the day in the name of a file, without its folders: `지침(2025.3.1. 시행).docx`."""
    stem = name.rpartition("/")[2].rpartition(".")[0]
    if match := _COMPACT.search(stem):
        return _valid("-".join(match.groups()))
    spread = (pattern.search(stem.replace("_", ".")) for pattern in _OF_NAME)
    return next((day for match in spread if match and (day := _valid(match.group(1)))), "")
