"""Represent the locations that references point to: article, 항, 호, 목, and ranges of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern
from kofinlaw.data.law.headers import CIRCLED
from kofinlaw.data.law.titles import name_pattern, titles_by_key

__all__ = [
    "Location",
    "Scope",
    "article_before",
    "line_locations",
    "locations_between",
    "paragraph_before",
    "unit_of",
]

_LONGEST_RANGE = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """The short names of a document and the known titles and articles.

    - `names` maps short names (`법`, `영` …) to titles.
    - `titles` maps `title_key(title)` to the title.
    - `articles` lists the article numbers of each title in order; ranges are filled from it.
    - `title_pattern` matches titles without brackets. It is compiled once for a corpus and copied
      from scope to scope.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    articles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    title_pattern: AnchoredPattern | None = None

    @classmethod
    def of(cls, articles: Mapping[str, Sequence[str]], *, attached: bool = False) -> Scope:
        """Return the scope of a corpus, from the article numbers of each title.

        `attached` titles may follow a particle without a blank (`name_pattern`).
        """
        pattern = name_pattern(tuple(sorted(articles)), attached=attached)
        return cls({}, titles_by_key(articles), articles, pattern)

    def pattern(self) -> AnchoredPattern:
        """Return `title_pattern`, or a new pattern for the titles."""
        return self.title_pattern or name_pattern(tuple(sorted(self.titles.values())))


@dataclass(frozen=True, slots=True)
class Location:
    """A location in an act: act, article, 항, 호 and 목, each by its label or empty."""

    act: str = ""
    article: str = ""
    para: str = ""
    item: str = ""
    sub: str = ""

    @property
    def provision(self) -> str:
        """The path inside the article: `제1항제2호`."""
        return self.para + self.item + self.sub

    @property
    def depth(self) -> int:
        """0 for an article, 1 for a 항, 2 for a 호, 3 for a 목."""
        return 3 if self.sub else 2 if self.item else 1 if self.para else 0


_LINE_MARK = re.compile(rf"^[^\S\n]*(?:([{CIRCLED}])|(\d{{1,3}}(?:의\d+)?)\.(?!\d))", re.MULTILINE)


def line_locations(text: str, home: Location) -> list[tuple[int, Location]]:
    """Return (offset, location) of the start of the text and of each line that opens a 항 or 호."""
    out = [(0, home)]
    for match in _LINE_MARK.finditer(text):
        circled, number = match.groups()
        last = out[-1][1]
        if circled:
            location = Location(home.act, home.article, f"제{CIRCLED.index(circled) + 1}항")
        else:
            head, _, branch = number.partition("의")
            label = f"제{head}호" + (f"의{branch}" if branch else "")
            location = Location(home.act, home.article, last.para, label)
        out.append((match.start(), location))
    return out


def paragraph_before(para: str) -> str:
    """Return the 항 before this one; empty for the first."""
    match = re.match(r"^제(\d+)항$", para)
    return f"제{int(match.group(1)) - 1}항" if match and int(match.group(1)) > 1 else ""


def unit_of(location: Location) -> str:
    """Return the unit of a location; empty if its act or article is unknown."""
    return f"{location.act} {location.article}" if location.act and location.article else ""


def article_before(home: Location, scope: Scope) -> str:
    """Return the article before `home` in the same act."""
    numbers = list(scope.articles.get(home.act, ()))
    if home.article in numbers and numbers.index(home.article) > 0:
        return numbers[numbers.index(home.article) - 1]
    match = re.match(r"^제(\d+)조$", home.article)
    return f"제{int(match.group(1)) - 1}조" if match and int(match.group(1)) > 1 else ""


def locations_between(first: Location, last: Location, scope: Scope) -> list[Location]:
    """Return each location strictly between the ends of a range."""
    if first.act != last.act or not first.article or not last.article:
        return []
    if first.article != last.article:
        if last.provision:
            return []
        numbers = list(scope.articles.get(last.act, ())) or _counted(first.article, last.article)
        if first.article in numbers and last.article in numbers:
            inner = numbers[numbers.index(first.article) + 1 : numbers.index(last.article)]
            return [Location(last.act, number) for number in inner[:_LONGEST_RANGE]]
        return []
    if first.sub and last.sub:
        return [replace(last, sub=label) for label in _counted(first.sub, last.sub)[1:-1]]
    if first.item and last.item:
        return [replace(last, item=i, sub="") for i in _counted(first.item, last.item)[1:-1]]
    if first.para and last.para:
        inner = _counted(first.para, last.para)[1:-1]
        return [Location(last.act, last.article, label) for label in inner]
    return []


def _counted(first: str, last: str) -> list[str]:
    """Return labels from the first to the last, by whole numbers (`제1호` … `제5호`) or letters."""
    letters = "가나다라마바사아자차카타파하"
    if first[0] in letters and last[0] in letters and first[1:] == last[1:] == "목":
        return [f"{c}목" for c in letters[letters.index(first[0]) : letters.index(last[0]) + 1]]
    start, end = re.match(r"^제(\d+)(조|항|호)", first), re.match(r"^제(\d+)(조|항|호)", last)
    if not start or not end or start.group(2) != end.group(2):
        return [first, last]
    low, high = int(start.group(1)), int(end.group(1))
    inner = [f"제{n}{start.group(2)}" for n in range(low + 1, min(high, low + _LONGEST_RANGE))]
    return [first, *inner, last]
