"""References between provisions: found, and resolved to the article they mean.

`제9조제1항제2호`, `같은 조 제3항`, `동법`, `이 법`, `「개인정보 보호법」 제17조`,
`제5조부터 제7조까지`, `제1항ㆍ제2항`: each is read with what was said before it in the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kofinlaw.data.titles import ALIASES, canonical, known, name_pattern

__all__ = ["ALIASES", "Citation", "Scope", "cited_units", "document_aliases", "find_citations"]

_LONGEST_RANGE = 200


@dataclass(frozen=True, slots=True)
class Citation:
    """A reference in a text: `target` is the unit it means (`전자금융거래법 제9조`).

    `provision` is the place inside it (`제1항제2호`, or empty), `start` and `end` its characters.
    """

    target: str
    provision: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What short names mean in a document, and which articles there are.

    `names` maps `법`, `영` … to titles; `titles` maps `titles.key(title)` to title; `articles`
    lists each title's article numbers in order, to fill ranges in.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    articles: Mapping[str, Sequence[str]] = field(default_factory=dict)


_ART = r"제\s*(?P<art>\d+(?:\s*-\s*\d+)?)\s*조(?P<artb>(?:\s*의\s*\d+)*)"
_TOKEN = re.compile(
    rf"""(?P<quoted>「(?P<name>[^「」\n]{{2,80}})」(?P<decree>\s*(?:시행령|시행규칙))?)
    |(?P<self>(?<![가-힣])(?:이|본)\s?(?:법률|법|영|규칙|규정|세칙|지침|고시|예규|훈령)(?![가-힣]*[률령칙]))
    |(?P<same>(?<![가-힣])(?:같은|동)\s?(?P<of>법률|법|영|령|규칙|규정|세칙|고시|지침|시행령|시행규칙)(?P<samedecree>\s?(?:시행령|시행규칙))?(?![가-힣]*[률칙]))
    |(?P<samearticle>(?<![가-힣])(?:같은|동)\s?조(?![가-힣]{{2}}))
    |(?P<thisarticle>(?<![가-힣])(?:이|본)\s?조(?=\s*제\s*\d+\s*[항호]|에서|의|를|에|\s))
    |(?P<samepara>(?<![가-힣])(?:같은|동)\s?항)
    |(?P<sameitem>(?<![가-힣])(?:같은|동)\s?호)
    |(?P<lastarticle>(?<![가-힣])전\s?조(?=[의에제\s를]))
    |(?P<lastpara>(?<![가-힣])전\s?항(?=[의에제\s은을]))
    |(?P<article>{_ART})
    |(?P<para>제\s*(?P<pn>\d+)\s*항)
    |(?P<item>제\s*(?P<in>\d+)\s*호(?P<ib>(?:\s*의\s*\d+)*)(?!\s*(?:서식|법정)))
    |(?P<sub>(?:(?<=호)|(?<=호의\d)|(?<![가-힣]))(?P<sn>[가나다라마바사아자차카타파하거너더러])목(?P<sb>(?:의\d+)?)(?![가-힣]*적))
    |(?P<short>(?<![가-힣])(?P<alias>[가-힣]{{1,12}}?)(?=\s*제\s*\d+(?:\s*-\s*\d+)?\s*조))""",
    re.VERBOSE,
)
_NOT_AN_ITEM = re.compile(
    r"(?:법률|령|부령|고시|훈령|공고|예규|별표|별지|서식|의안|사건|규칙|별표\s*\d+(?:의\d+)?)\s*$"
)
_GAP = re.compile(
    r"^\s*(?:\([^()]{0,60}\)|\[[^\[\]]{0,60}\])?\s*(?:까지)?(?:의\s?규정)?\s*(?:[,ㆍ·、/]|및|또는|이나|나|와|과|그리고|내지|부터|~|∼|～|에서|까지)?"
    r"\s*(?:및|또는)?\s*$"
)
_AFTER_ACT = re.compile(
    r"^\s*(?:\((?:[^()]|\([^()]*\)){0,120}\))?\s*(?:상의?|의|에서|에\s?따른)?\s*$"
)
_ACT_WORD = re.compile(r"(?:법|법률|령|규정|규칙|세칙|고시|지침|약관|정관)$")
_RANGE = re.compile(r"^\s*(?:의?\s*규정)?\s*(?:부터|내지|~|∼|～)\s*$")
_ALIAS = re.compile(
    r"(?:「(?P<quoted>[^「」\n]{2,80})」(?P<decree>\s*(?:시행령|시행규칙))?"
    r"|(?P<same>(?:같은|동)\s?법\s?(?P<tail>시행령|시행규칙)))"
    r"\s*\(이하\s*[\"“'‘「](?P<short>[^\"”'’」]{1,20})[\"”'’」]\s*(?:이?라|라고)\s*(?:한다|함)"
)


def document_aliases(title: str, text: str, titles: Mapping[str, str]) -> dict[str, str]:
    """What `법`, `영`, `규정` … mean in a document: as it says (`이하 "법"이라 한다`) or by title.

    `titles` maps `titles.key(title)` to title.
    """
    names: dict[str, str] = {}
    act = re.sub(r"\s*(시행령|시행규칙)$", "", title)
    if act != title:
        names["법"] = act
        if title.endswith("시행규칙"):
            names["영"] = f"{act} 시행령"
    elif title.endswith("시행세칙"):
        names["규정"] = re.sub(r"\s*시행세칙$", "", title)
    last = act
    for match in _ALIAS.finditer(text):
        if match.group("quoted"):
            decree = (match.group("decree") or "").strip()
            full = f"{match.group('quoted')} {decree}" if decree else match.group("quoted")
            last = canonical(full, titles)
            meant = last
        else:
            base = re.sub(r"\s*(시행령|시행규칙)$", "", last)
            meant = canonical(f"{base} {match.group('tail')}", titles)
        names[match.group("short").strip()] = meant
    return names


def find_citations(
    text: str, *, act: str, article: str, scope: Scope | None = None
) -> list[Citation]:
    """The references in a text of `act`'s `article` (both may be empty), in order.

    A range gives one citation for each article (or 항, 호) between its ends.
    """
    reader = _Reader(text, act, article, scope or Scope())
    return reader.read()


def cited_units(text: str, known_titles: Iterable[str]) -> list[str]:
    """The units of known titles that a question names, in order without repeats.

    Names may be short (`정통망법 제44조`) and need no brackets.
    """
    titles = known(known_titles)
    found = find_citations(text, act="", article="", scope=Scope(titles=titles))
    out: dict[str, None] = {}
    for citation in found:
        title, _, number = citation.target.rpartition(" ")
        if title and number and title in titles.values():
            out[citation.target] = None
    return list(out)


@dataclass(slots=True)
class _Place:
    """A place under way: act, article, 항, 호, 목, each by its label."""

    act: str = ""
    article: str = ""
    para: str = ""
    item: str = ""
    sub: str = ""

    @property
    def provision(self) -> str:
        return self.para + self.item + self.sub


class _Reader:
    """Walks the tokens of a text with what was said last."""

    def __init__(self, text: str, act: str, article: str, scope: Scope) -> None:
        self.text = text
        self.home = _Place(act, article)
        self.scope = scope
        self.place = _Place(act, article)
        self.last_act = act
        self.named: str | None = None
        self.out: list[Citation] = []
        self.previous_end = -1
        self.start = 0
        self.pending = False
        self.range_from: tuple[str, _Place] | None = None

    def read(self) -> list[Citation]:
        for kind, start, end, value in self._tokens():
            gap = self.text[self.previous_end : start] if self.previous_end >= 0 else None
            if kind == "short" and not self._names_an_act(value):
                continue
            self._token(kind, start, end, value, gap)
            self.previous_end = end
        self._flush()
        return self.out

    def _names_an_act(self, word: str) -> bool:
        return word in self.scope.names or bool(_ACT_WORD.search(word))

    def _tokens(self) -> list[tuple[str, int, int, str]]:
        """(kind, start, end, value) in order; names without brackets win over single words."""
        found: list[tuple[str, int, int, str]] = []
        names = name_pattern(tuple(sorted(self.scope.titles.values())))
        for match in names.finditer(self.text):
            found.append(("act", match.start(), match.end(), match.group(0)))
        for match in _TOKEN.finditer(self.text):
            kind = next(name for name in _KINDS if match.group(name) is not None)
            if kind == "item" and _NOT_AN_ITEM.search(
                self.text[max(0, match.start() - 12) : match.start()]
            ):
                continue
            found.append((kind, match.start(), match.end(), _value(kind, match)))
        found.sort(key=lambda token: (token[1], -token[2]))
        kept: list[tuple[str, int, int, str]] = []
        for token in found:
            if kept and token[1] < kept[-1][2]:
                if token[0] == "act" and kept[-1][0] == "short":
                    kept[-1] = token
                continue
            kept.append(token)
        return kept

    def _token(self, kind: str, start: int, end: int, value: str, gap: str | None) -> None:
        if kind in ("quoted", "act", "self", "same", "short"):
            self._act(kind, start, end, value)
            return
        chained = gap is not None and (_GAP.match(gap) is not None)
        if self.named is not None and gap is not None and not _AFTER_ACT.match(gap):
            self.named = None
        self._provision(kind, start, end, value, chained, gap or "")

    def _act(self, kind: str, start: int, end: int, value: str) -> None:
        self._flush()
        if kind == "self":
            meant = self.home.act
        elif kind == "same":
            meant = self._same_act(value)
        elif kind == "short":
            meant = self.scope.names.get(value, value)
        else:
            meant = canonical(value, self.scope.titles)
        self.named = meant
        self.last_act = meant or self.last_act
        self.start = start

    def _same_act(self, tail: str) -> str:
        base = self.last_act or self.home.act
        if not tail or not base:
            return base
        act = re.sub(r"\s*(시행령|시행규칙)$", "", base)
        return canonical(f"{act} {tail}", self.scope.titles)

    def _provision(
        self, kind: str, start: int, end: int, value: str, chained: bool, gap: str
    ) -> None:
        joined = chained and self.pending and not gap.strip() and self._deeper(kind)
        if not joined:
            self._flush_for(chained, gap)
        if kind == "article":
            act = self.named if self.named is not None else (self.place.act if chained else None)
            self.place = _Place(act if act is not None else self.home.act, value)
            self.last_act = self.place.act or self.last_act
        elif kind in ("samearticle", "thisarticle", "lastarticle"):
            self._relative_article(kind)
        else:
            self._inside(kind, value, chained)
        if not joined:
            self.start = self.start if self.named is not None else start
        self.named = None
        self.pending = True
        self.end = end

    def _deeper(self, kind: str) -> bool:
        order = {"article": 0, "samearticle": 0, "thisarticle": 0, "lastarticle": 0}
        order |= {"para": 1, "samepara": 1, "lastpara": 1, "item": 2, "sameitem": 2, "sub": 3}
        place = self.place
        depth = 3 if place.sub else 2 if place.item else 1 if place.para else 0
        return order[kind] > depth

    def _relative_article(self, kind: str) -> None:
        if kind == "thisarticle":
            self.place = _Place(self.home.act, self.home.article)
        elif kind == "samearticle":
            act = self.named if self.named is not None else self.place.act
            self.place = _Place(act or self.home.act, self.place.article or self.home.article)
        else:
            self.place = _Place(self.home.act, _before(self.home, self.scope))

    def _inside(self, kind: str, value: str, chained: bool) -> None:
        here = self.place
        after_same = chained and here.article != ""
        if not after_same:
            here = _Place(self.home.act, self.home.article)
            if kind in ("item", "sub", "sameitem", "samepara"):
                here = _Place(self.home.act, self.home.article)
        if kind == "para":
            self.place = _Place(here.act, here.article, value)
        elif kind == "samepara":
            last = self.place
            self.place = _Place(last.act, last.article, last.para)
        elif kind == "lastpara":
            self.place = _Place(self.home.act, self.home.article)
        elif kind == "item":
            self.place = _Place(here.act, here.article, here.para, value)
        elif kind == "sameitem":
            last = self.place
            self.place = _Place(last.act, last.article, last.para, last.item)
        else:
            self.place = _Place(here.act, here.article, here.para, here.item, value)

    def _flush_for(self, chained: bool, gap: str) -> None:
        """Close the citation under way; remember it where a range begins."""
        before = _Place(
            self.place.act, self.place.article, self.place.para, self.place.item, self.place.sub
        )
        was_pending = self.pending
        self._flush()
        if was_pending and chained and _RANGE.match(gap):
            self.range_from = ("", before)

    def _flush(self) -> None:
        if not self.pending:
            return
        self.pending = False
        begin = self.range_from[1] if self.range_from else None
        self.range_from = None
        if begin is not None:
            for target, provision in _between(begin, self.place, self.scope):
                self._emit(target, provision)
        self._emit(_unit(self.place), self.place.provision)

    def _emit(self, target: str, provision: str) -> None:
        if target:
            self.out.append(Citation(target, provision, self.start, self.end))

    end: int = 0


_KINDS = (
    "quoted",
    "self",
    "same",
    "samearticle",
    "thisarticle",
    "samepara",
    "sameitem",
    "lastarticle",
    "lastpara",
    "article",
    "para",
    "item",
    "sub",
    "short",
)


def _value(kind: str, match: re.Match[str]) -> str:
    """The token's label: `제9조의2`, `제1항`, `제2호의3`, `가목`, or the act's name."""
    squeeze = lambda text: re.sub(r"\s", "", text or "")  # noqa: E731
    if kind == "quoted":
        return f"{match.group('name')} {squeeze(match.group('decree'))}".strip()
    if kind == "same":
        tail = squeeze(match.group("samedecree")) or (
            match.group("of") if match.group("of").startswith("시행") else ""
        )
        return tail
    if kind == "article":
        return f"제{squeeze(match.group('art'))}조{squeeze(match.group('artb'))}"
    if kind == "para":
        return f"제{match.group('pn')}항"
    if kind == "item":
        return f"제{match.group('in')}호{squeeze(match.group('ib'))}"
    if kind == "sub":
        return f"{match.group('sn')}목{squeeze(match.group('sb'))}"
    return match.group("alias") if kind == "short" else ""


def _unit(place: _Place) -> str:
    return f"{place.act} {place.article}" if place.act and place.article else ""


def _before(home: _Place, scope: Scope) -> str:
    """The article before the one at hand."""
    numbers = list(scope.articles.get(home.act, ()))
    if home.article in numbers and numbers.index(home.article) > 0:
        return numbers[numbers.index(home.article) - 1]
    match = re.match(r"^제(\d+)조$", home.article)
    return f"제{int(match.group(1)) - 1}조" if match and int(match.group(1)) > 1 else ""


def _between(first: _Place, last: _Place, scope: Scope) -> list[tuple[str, str]]:
    """(unit, provision) strictly between the ends of a range."""
    if first.act != last.act:
        return []
    if first.article != last.article:
        if last.provision:
            return []
        numbers = list(scope.articles.get(last.act, ())) or _counted(first.article, last.article)
        if first.article in numbers and last.article in numbers:
            inner = numbers[numbers.index(first.article) + 1 : numbers.index(last.article)]
            return [(f"{last.act} {number}", "") for number in inner[:_LONGEST_RANGE]]
        return []
    unit = _unit(last)
    for name in ("sub", "item", "para"):
        begin, end = getattr(first, name), getattr(last, name)
        if begin and end:
            above = {"sub": last.para + last.item, "item": last.para, "para": ""}[name]
            return [(unit, above + label) for label in _counted(begin, end)[1:-1]]
    return []


def _counted(first: str, last: str) -> list[str]:
    """Labels from one to another by whole numbers (`제1호` … `제5호`) or letters."""
    letters = "가나다라마바사아자차카타파하"
    if first[0] in letters and last[0] in letters and first[1:] == last[1:] == "목":
        return [f"{c}목" for c in letters[letters.index(first[0]) : letters.index(last[0]) + 1]]
    one, two = re.match(r"^제(\d+)(조|항|호)", first), re.match(r"^제(\d+)(조|항|호)", last)
    if not one or not two or one.group(2) != two.group(2):
        return [first, last]
    low, high = int(one.group(1)), int(two.group(1))
    inner = [f"제{n}{one.group(2)}" for n in range(low + 1, min(high, low + _LONGEST_RANGE))]
    return [first, *inner, last]
