"""Find references to provisions in a text and resolve them to articles.

Examples: `제9조제1항제2호`, `같은 조 제3항`, `동법`, `이 법`, `「개인정보 보호법」 제17조`,
`제5조부터 제7조까지`, `제1항ㆍ제2항`, `영 별표 1의2 제3호`, `부칙 제2조`. Each one is resolved with
the references before it in the sentence.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.citation_locations import (
    Location,
    Scope,
    article_before,
    line_locations,
    locations_between,
    paragraph_before,
    unit_of,
)
from kofinlaw.data.law.citation_tokens import ACT_WORDS, ACTS, DEPTH, Token, reference_tokens
from kofinlaw.data.law.titles import ALIASES, canonical_title, name_pattern, titles_by_key

__all__ = [
    "ALIASES",
    "Citation",
    "CitationReader",
    "Scope",
    "cited_units",
    "document_aliases",
    "find_citations",
]


@dataclass(frozen=True, slots=True)
class Citation:
    """A reference in a text.

    `target` is the unit that it refers to (`전자금융거래법 제9조`), `provision` the path inside the
    unit (`제1항제2호`, or empty). `start` and `end` are character offsets in the text.
    """

    target: str
    provision: str
    start: int
    end: int


_GAP = re.compile(
    r"^\s*+(?:\[[^\[\]]{0,60}\])?\s*+(?:본문|단서|전단|후단|전문)?+\s*+(?:까지)?(?:의\s?규정)?\s*+(?:[,ㆍ·、/]|및|또는|이나|나|와|과|그리고|내지|부터|~|∼|～|에서|까지)?"
    r"\s*+(?:및|또는)?\s*+$"
)
_AFTER_ACT = re.compile(r"^\s*+(?:상의?|의|에서|에\s?따른)?\s*+$")
_RANGE = re.compile(r"^\s*+(?:의?\s*+규정)?\s*+(?:부터|내지|~|∼|～)\s*+$")
_ALIAS = re.compile(
    r"(?:「(?P<quoted>[^「」\n]{2,80})」(?P<decree>\s*(?:시행령|시행규칙))?"
    r"|(?P<same>(?:같은|동)\s?법\s?(?P<tail>시행령|시행규칙)))"
    r"\s*\(이하\s*[\"“'‘「](?P<short>[^\"”'’」]{1,20})[\"”'’」]\s*(?:이?라|라고)\s*(?:한다|함)"
)


def document_aliases(title: str, text: str, titles: Mapping[str, str]) -> dict[str, str]:
    """Return the titles that `법`, `영`, `규정` … mean in a document.

    They come from its definitions (`이하 "법"이라 한다`) or from its own title. `titles` maps
    `title_key(title)` to the title.
    """
    names: dict[str, str] = {}
    act = re.sub(r"(?<!\s)\s*+(시행령|시행규칙)$", "", title)
    if act != title:
        names["법"] = act
        if title.endswith("시행규칙"):
            names["영"] = f"{act} 시행령"
    elif title.endswith("시행세칙"):
        names["규정"] = re.sub(r"(?<!\s)\s*+시행세칙$", "", title)
    last = act
    for match in _ALIAS.finditer(text):
        if match.group("quoted"):
            decree = (match.group("decree") or "").strip()
            full = f"{match.group('quoted')} {decree}" if decree else match.group("quoted")
            last = canonical_title(full, titles)
            meaning = last
        else:
            base = re.sub(r"(?<!\s)\s*+(시행령|시행규칙)$", "", last)
            meaning = canonical_title(f"{base} {match.group('tail')}", titles)
        names[match.group("short").strip()] = meaning
    return names


def find_citations(
    text: str, *, act: str, article: str, scope: Scope | None = None
) -> list[Citation]:
    """Return the references in a text, in order of their offsets.

    A range gives one citation for each article (or 항, 호) in it.

    Args:
        text: The text to search.
        act: The title of the act that the text belongs to; may be empty.
        article: The article that the text belongs to (`제9조`); may be empty.
        scope: Short names, titles and articles that are known; none by default.

    Offsets are characters of `text`. Raises nothing: a text without references gives none.
    """
    reader = CitationReader(text, act, article, scope or Scope())
    return reader.read()


def cited_units(text: str, known_titles: Iterable[str]) -> list[str]:
    """Return the units that a question names, in order and without repeats.

    Only units of the known titles count. Titles may be short names (`정통망법 제44조`) and need no
    brackets.
    """
    scope, titles = _titles_scope(tuple(known_titles))
    out: dict[str, None] = {}
    for citation in find_citations(text, act="", article="", scope=scope):
        title, number = split_unit(citation.target)
        if title and number and title in titles:
            out[citation.target] = None
    return list(out)


@lru_cache(maxsize=4)
def _titles_scope(titles: tuple[str, ...]) -> tuple[Scope, frozenset[str]]:
    """Return the scope and the titles of a corpus, cached between texts."""
    found = titles_by_key(titles)
    scope = Scope(titles=found, title_pattern=name_pattern(tuple(sorted(found.values()))))
    return scope, frozenset(found.values())


@dataclass(slots=True)
class _State:
    """The last reference, and the text since then.

    - `gap` is the text since the last reference; None if there was none.
    - `named` is an act that was named and whose article is still to come.
    - `begin` is the first end of a range whose second end is still to come.
    """

    location: Location
    last_act: str
    named: str | None = None
    gap: str | None = None
    begin: Location | None = None


class CitationReader:
    """Resolves the tokens of a text in order.

    `title_of` names the act of a token and `emit` receives each reference: the reader of the
    verifier (`verifying/mentions.py`) replaces both.

    A bracket has its own state; after it the state before it continues
    (`제3항(「형법」 제216조로 한정한다), 제4항`).
    """

    act_words: tuple[str, ...] = (
        ACT_WORDS  # what a word before an article ends with if it names an act
    )
    gap = _GAP  # the words that may lie between the references of a list
    after_act = _AFTER_ACT  # the words that may lie between an act and its article
    bracket = re.compile(r"([()])")  # what has a state of its own begins and ends with these
    opening: tuple[str, ...] = ("(",)
    closing: tuple[str, ...] = (")",)

    def __init__(self, text: str, act: str, article: str, scope: Scope) -> None:
        self.text = text
        self.home = Location(act, article)
        self.scope = scope
        self.lines = line_locations(text, self.home)
        self.state = _State(self.home, act)
        self.brackets: list[_State] = []
        self.out: list[Citation] = []
        self.pending = False
        self.start = self.end = 0

    def read(self) -> list[Citation]:
        """Return the references in order of their offsets."""
        last = 0
        for token in self.tokens():
            self._between(self.text[last : token.start])
            if token.kind in ACTS:
                self._act(token)
            else:
                self._provision(token)
            self.state.gap = ""
            last = token.end
        self._flush()
        return self.out

    def tokens(self) -> list[Token]:
        """Return the tokens of the text in order, without overlaps."""
        return reference_tokens(self.text, self.scope.names, self.scope.pattern(), self.act_words)

    def _between(self, words: str) -> None:
        """Process the text between two tokens, bracket by bracket."""
        pieces = self.bracket.split(words) if self.bracket.search(words) else (words,)
        for piece in pieces:
            if piece in self.opening:
                self._flush()
                here = self.state
                self.brackets.append(here)
                # `제419조(제2항을 제외한다)`: a bracket directly after an article is about it.
                inside = "" if piece == "(" and here.gap == "" and here.named is None else None
                self.state = _State(here.location, here.last_act, gap=inside)
            elif piece in self.closing and self.brackets:
                self._flush()
                self.state = self.brackets.pop()
            elif self.state.gap is not None:
                self.state.gap += piece
        if "\n" in words:
            self.brackets.clear()

    def _act(self, token: Token) -> None:
        self._flush()
        state = self.state
        title = self.title_of(token)
        state.named = title
        state.begin = None
        state.last_act = title or state.last_act
        self.start = token.start

    def title_of(self, token: Token) -> str:
        """Return the title that a token of an act names, given the references before it."""
        if token.kind == "self":
            return self.home.act
        if token.kind == "same":
            return self._same_act(token.value)
        if token.kind == "short":
            return self.scope.names.get(token.value, token.value)
        return canonical_title(token.value, self.scope.titles)

    def _same_act(self, tail: str) -> str:
        base = self.state.last_act or self.home.act
        if not tail or not base:
            return base
        act = re.sub(r"(?<!\s)\s*+(시행령|시행규칙)$", "", base)
        return canonical_title(f"{act} {tail}", self.scope.titles)

    def _provision(self, token: Token) -> None:
        state = self.state
        gap = state.gap
        chained = gap == "" or (gap is not None and self.gap.match(gap) is not None)
        if state.named is not None and not (
            gap is not None and (gap in ("", " ") or self.after_act.match(gap))
        ):
            state.named = None
        deeper = DEPTH[token.kind] > state.location.depth
        joined = self.pending and chained and not (gap or "").strip() and deeper
        if not joined:
            self._flush()
            if chained and _RANGE.match(gap or ""):
                state.begin = state.location
            self.start = self.start if state.named is not None else token.start
        state.location = self._resolved(token, chained)
        state.last_act = state.location.act or state.last_act
        state.named = None
        self.pending = True
        self.end = token.end

    def _resolved(self, token: Token, chained: bool) -> Location:
        """Return the location that a token refers to, given the references before it."""
        state, home = self.state, self._home(token.start)
        last, kind, value = state.location, token.kind, token.value
        if kind in ("article", "annex", "form", "supplement"):
            act = state.named if state.named is not None else last.act if chained else home.act
            return Location(act, value)
        if kind == "thisarticle":
            return Location(home.act, home.article)
        if kind == "samearticle":
            there = last.article if last.article.startswith("제") else home.article
            return Location(last.act or home.act, there)
        if kind == "lastarticle":
            return Location(home.act, article_before(home, self.scope))
        if kind == "lastpara":
            return Location(home.act, home.article, paragraph_before(home.para))
        if kind == "samepara":
            return replace(last, item="", sub="")
        if kind == "sameitem":
            return replace(last, sub="")
        here = last if chained and last.article else home
        if kind == "para":
            return Location(here.act, here.article, value)
        if kind == "item":
            return Location(here.act, here.article, here.para, value)
        return replace(here, sub=value)

    def _home(self, offset: int) -> Location:
        """Return the article, 항 and 호 that contain the offset."""
        row = bisect.bisect_right(self.lines, offset, key=lambda line: line[0]) - 1
        return self.lines[row][1]

    def _flush(self) -> None:
        """Emit the pending citation, and the locations of its range if it ends one."""
        if not self.pending:
            return
        self.pending = False
        begin, self.state.begin = self.state.begin, None
        location = self.state.location
        if begin is not None:
            for inner in locations_between(begin, location, self.scope):
                self.emit(inner, inside=True)
        self.emit(location)

    def emit(self, location: Location, *, inside: bool = False) -> None:
        """Add a reference; `inside` is true for those between the ends of a range."""
        if target := unit_of(location):
            self.out.append(Citation(target, location.provision, self.start, self.end))
