"""Find former names of acts in the supplementary provisions (부칙) of a corpus.

A 부칙 is the only part of the text in force that names what an act was called before:

- `제명 "A"를 "B"로 한다`: B is the same act with the same articles, so `A 제5조` is `B 제5조`.
- `"A"를 "B"로 한다` below the header `부칙(B) <제1호,…>`: B replaced A. Its articles have other
  numbers, so only the act is known.
- `다른 법령에서 종전의 「A」를 인용한 경우 … 이 법`, in a 부칙 of B itself: as before.

A name is never guessed. A name that articles in force cite is not a former one (one citation in
ten may be stale), and a name without such a sentence stays unknown. An act that was split has
several present titles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.law.titles import ALIASES
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine

__all__ = [
    "NAMES",
    "FormerName",
    "NameCollector",
    "Renamed",
    "name_key",
    "read_names",
    "with_present_names",
]

NAMES = "names.json"  # the file of a corpus and of an index: rows of name, titles, same

_HEADER = re.compile(r"^(?:#{1,6} )?부칙(?: ?\(([^()\n]{2,120})\))?", re.MULTILINE)
_OPEN, _CLOSE = '[「『"“]{1,2}', '[」』"”]{1,2}'
_NAME = r"([^「」『』\"“”<>\n]{3,80})"
_CHANGED = re.compile(
    rf"(제명 ?)?{_OPEN}{_NAME}{_CLOSE}[을를] ?(?:각각 ?)?{_OPEN}{_NAME}{_CLOSE}"
    r"(?:으로|로)(?=[ ,한하])"
)
_FOLLOWED = (
    re.compile(
        r"다른 (?:법령|법률|조례)[^.\n「]{0,40}종전의 ?「([^」\n]{3,80})」"
        r"[^.\n]{0,120}이 (?:법|영|규칙)"
    ),
    re.compile(
        r"종전의 ?「([^」\n]{3,80})」에 (?:따라|따른|의하여|의한) [^.\n]{0,80}"
        r"[그이]에 해당하는[^.\n]{0,60}이 (?:법|영|규칙)"
    ),
)
_QUOTED = re.compile(r"「([^「」\n]{3,80})」")
_FORM = re.compile(r"(?:(시행령)|(시행규칙)|법|법률|영|규정|규칙)$")
_SEVERAL = re.compile(r"(?:법|법률|령|규칙)(?: ?(?:또는|및) |[ㆍ·,] ?)|의 규정$|제\d")
_TAIL = re.compile(r"\s*(시행령|시행규칙)")
_STALE = 10  # articles that cite the present titles for one that still cites the former name
_MOST_STEPS = 6  # changes of name from the oldest name to the present title


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name that is no title of the corpus, and the present titles of what it named.

    `same` says that the articles kept their numbers: the act was only renamed, or the recipe gives
    the name.
    """

    name: str
    titles: tuple[str, ...]
    same: bool = False


@dataclass(frozen=True, slots=True)
class Renamed:
    """A text with present titles, and the (name, present titles) that were found in it."""

    text: str
    found: tuple[tuple[str, tuple[str, ...]], ...] = ()


@lru_cache(maxsize=65_536)
def name_key(name: str) -> str:
    """Return the letters and digits of a name: equal for all spellings of blanks and marks."""
    return re.sub(r"[\W_ㆍ]+", "", name)


def read_names(file: Path) -> list[FormerName]:
    """Return the names of a corpus; empty without the file.

    Raises UserError for a damaged file.
    """
    if not file.is_file():
        return []
    try:
        rows = load_json(file.read_text(encoding="utf-8"))
        return [FormerName(str(name), tuple(titles), bool(same)) for name, titles, same in rows]
    except (OSError, ValueError, TypeError) as error:
        raise_if_machine(error, file)
        raise UserError(
            f"the names of acts cannot be read ({error})",
            where=str(file),
            remedy="build the corpus again",
        ) from error


@dataclass
class NameCollector:
    """Collects changes of names from the documents of a corpus, one after another."""

    changes: dict[tuple[str, str], bool] = field(default_factory=dict)
    spellings: dict[str, str] = field(default_factory=dict)
    cited: Counter[str] = field(default_factory=Counter)

    def add_supplement(self, title: str, text: str) -> None:
        """Add the text of the 부칙 of the act `title`, with its headers."""
        marks = list(_HEADER.finditer(text))
        starts = [0, *(mark.start() for mark in marks), len(text)]
        owners = [title, *(mark[1] or title for mark in marks)]
        own = name_key(title)
        for owner, start, end in zip(owners, starts, starts[1:], strict=False):
            part, amending = text[start:end], name_key(owner)
            for match in _CHANGED.finditer(part):
                renamed, old, new = match.groups()
                if renamed or name_key(new) == amending:
                    self._change(old, new, same=bool(renamed))
            if amending == own:
                for pattern in _FOLLOWED:
                    for match in pattern.finditer(part):
                        self._change(match[1], title, same=False)

    def add_article(self, text: str) -> None:
        """Add the text of an article in force: an act that many articles cite exists."""
        self.cited.update({name_key(name) for name in _QUOTED.findall(text)})

    def _change(self, old: str, new: str, *, same: bool) -> None:
        pair = name_key(old), name_key(new)
        forms = _FORM.search(pair[0]), _FORM.search(pair[1])
        if pair[0] == pair[1] or forms[0] is None or forms[1] is None or _SEVERAL.search(old):
            return
        if forms[0].groups() != forms[1].groups() and not same:
            return  # an act does not become a decree
        self.spellings.setdefault(pair[0], re.sub(r"\s+", " ", old).strip())
        self.changes[pair] = same or self.changes.get(pair, False)

    def names(self, titles: Iterable[str]) -> list[FormerName]:
        """Return the former names whose present titles are among `titles`, sorted by name."""
        known = {name_key(title): title for title in titles}
        after: dict[str, list[tuple[str, bool]]] = {}
        for (old, new), same in self.changes.items():
            after.setdefault(old, []).append((new, same))
        out = []
        for old in after:
            if old in known or old in ALIASES:
                continue
            found = _present(old, after, known)
            present = sum(self.cited[name_key(title)] for title in found)
            if found and self.cited[old] * _STALE <= present:
                same = len(found) == 1 and all(found.values())
                out.append(FormerName(self.spellings[old], tuple(sorted(found)), same))
        return sorted(out, key=lambda one: one.name)


def _present(
    old: str, after: Mapping[str, Sequence[tuple[str, bool]]], known: Mapping[str, str]
) -> dict[str, bool]:
    """Return the known titles that a name became, each with whether it was only renamed."""
    found: dict[str, bool] = {}
    level, seen = {old: True}, {old}
    for _ in range(_MOST_STEPS):
        following: dict[str, bool] = {}
        for name, kept in level.items():
            for new, same in after.get(name, ()):
                if new in known:
                    found[known[new]] = kept and same
                elif new not in seen:
                    seen.add(new)
                    following[new] = kept and same
        level = following
    return found


def with_present_names(text: str, names: Sequence[FormerName], titles: Iterable[str]) -> Renamed:
    """Return the text with present titles for the former names in it.

    A name of the same act is replaced by its title, so that the article behind it is found. The
    present titles of a replaced act are added in a line of their own, because its articles had
    other numbers. A name counts in any spelling of its blanks and marks, and not inside a word or
    inside a title of `titles`; `A 시행령` is the decree of A's present title if the corpus has it.
    """
    if not names:
        return Renamed(text)
    places = [place for place, letter in enumerate(text) if name_key(letter)]
    flat = "".join(text[place] for place in places)
    known = set(titles)
    keys: dict[str, FormerName | None] = {name_key(title): None for title in known}
    keys |= {name_key(one.name): one for one in names}
    taken: list[tuple[int, int, FormerName]] = []
    covered: list[tuple[int, int]] = []
    for key in sorted((key for key in keys if key and key in flat), key=len, reverse=True):
        start = flat.find(key)
        while start >= 0:
            end, begin = start + len(key), places[start]
            inside = begin > 0 and "가" <= text[begin - 1] <= "힣"
            if not inside and not any(start < b and a < end for a, b in covered):
                covered.append((start, end))
                if (one := keys[key]) is not None:
                    taken.append((begin, places[end - 1] + 1, one))
            start = flat.find(key, end)
    added: dict[str, None] = {}
    found: dict[str, tuple[str, ...]] = {}
    for begin, end, one in sorted(taken, key=lambda at: at[0], reverse=True):
        tail = _TAIL.match(text, end)
        below = tuple(f"{title} {tail[1]}" for title in one.titles) if tail else ()
        below = tuple(title for title in below if title in known)
        stop = tail.end() if tail and below else end
        present = below or one.titles
        found[re.sub(r"\s+", " ", text[begin:stop])] = present
        if one.same and len(present) == 1:
            text = text[:begin] + present[0] + text[stop:]
        else:
            added.update(dict.fromkeys(present))
    if added:
        text = "\n".join([text, *added])
    return Renamed(text, tuple(reversed(found.items())))
