"""Give the edges between rules a type: hierarchy, citation, annex, delegation, penalty, definition.

The types are read by rule from articles and from their references (`graph.citation_graph`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from kofinlaw.data.law.annexes import annex_name, split_unit

__all__ = [
    "EDGES",
    "EDGE_KINDS",
    "Edge",
    "EdgeKind",
    "Link",
    "Rule",
    "defined_terms",
    "typed_edges",
]

EdgeKind = Literal["belongs_to", "cites", "annex", "delegates", "penalises", "defines"]
EDGES = "edges.jsonl"
"""The file of a corpus that holds one typed edge a line."""
EDGE_KINDS: tuple[EdgeKind, ...] = get_args(EdgeKind)

_SUBORDINATE = re.compile(r" (?:시행령|시행규칙)$")
_ACT = re.compile(r"(?:법|법률|시행령|시행규칙)$")
_NAMED_ACT = re.compile(r"「([^「」\n]{2,80})」")
_FIRST_ARTICLES = 2  # a rule of an authority names the acts that it fills in at its beginning
_DELEGATES = re.compile(
    r"(?:대통령령|총리령|[가-힣]{2,12}부령)(?:으로|이|에서) 정|(?:정하여|정해) ?고시|고시로 정"
)
_PENALTY = re.compile(r"벌칙|과태료|과징금")
_VIOLATED = re.compile(r"[ 가-힣]{0,12}위반")
_DEFINED = re.compile(
    r'["“](?P<term>[^"“”\n]{2,25})["”](?:\([^()\n]{0,40}\))?(?:이라 함은|라 함은|이란|란)'
)
# `이하 이 조에서 "위원회"라 한다` holds in one article only.
_SHORT = re.compile(r'이하 ?["“](?P<term>[^"“”\n]{2,25})["”](?:이라|라) ?한다')
_WORD = re.compile(r"(?<![가-힣A-Za-z])[가-힣A-Za-z]{2}")
_TERM_PREFIX = 2  # letters by which a term is looked up
# Short names of acts and of provisions, which say nothing about the subject.
_NO_SUBJECT = re.compile(r"^(?:이 |같은 )?(?:법|영|규칙|규정|세칙|시행령|시행규칙)$")


class Rule(NamedTuple):
    """An article as the edges need it; `id` is its unit (`전자금융거래법 제9조`)."""

    id: str
    title: str
    heading: str
    text: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Rule:
        """Return the rule of an article's JSON record."""
        return cls(record["id"], record["title"], record["heading"], record["text"])


class Link(NamedTuple):
    """A resolved reference from one unit to another; `end` is its end in the source's text."""

    source: str
    target: str
    text: str
    end: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A typed edge between two units, or between two documents (`belongs_to`).

    - `belongs_to`: document → the document above it (시행령 → 법, 고시 → 법); `text` is empty.
    - `cites`: article → article that it cites; `text` are the words of the first reference.
    - `annex`: article → annex that it cites.
    - `delegates`: article of an act or decree → article below it that fills it in.
    - `penalises`: article with a penalty → article whose violation it punishes.
    - `defines`: article that defines a term → article that uses it; `text` is the term.
    """

    kind: EdgeKind
    source: str
    target: str
    text: str


def typed_edges(rules: Callable[[], Iterable[Rule]], links: Iterable[Link]) -> Iterator[Edge]:
    """Yield the typed edges of a corpus, each (kind, source, target, term) once.

    Args:
        rules: Returns the articles that are not deleted, document by document. It is called twice,
            so that no text has to be kept in memory except those of penalties.
        links: The resolved references of the articles and annexes.
    """
    survey = _Survey(rules())
    for child, parents in survey.parents.items():
        for parent in parents:
            yield Edge("belongs_to", child, parent, "")
    seen: set[tuple[str, str, str]] = set()
    for link in links:
        if link.source == link.target:
            continue
        for edge in survey.edges_of(link):
            key = (edge.kind, edge.source, edge.target)
            if key not in seen:
                seen.add(key)
                yield edge
    yield from survey.definitions(rules())


def defined_terms(rule: Rule) -> tuple[str, ...]:
    """Return the terms that an article defines for its whole document, in order, each once.

    These are `"접근매체"란 …` in an article on definitions, and `이하 "…"이라 한다` everywhere.
    """
    found: dict[str, None] = {}
    if "정의" in rule.heading or "용어" in rule.heading:
        found |= dict.fromkeys(
            match.group("term").strip() for match in _DEFINED.finditer(rule.text)
        )
    found |= dict.fromkeys(match.group("term").strip() for match in _SHORT.finditer(rule.text))
    return tuple(term for term in found if _WORD.match(term) and not _NO_SUBJECT.match(term))


class _Survey:
    """What the first pass over the articles finds: parents, terms, delegations and penalties."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        titles: dict[str, int] = {}
        named: dict[str, dict[str, None]] = {}
        self._terms: dict[str, dict[str, str]] = {}
        self._delegating: set[str] = set()
        self._penalties: dict[str, str] = {}
        for rule in rules:
            count = titles[rule.title] = titles.get(rule.title, 0) + 1
            if count <= _FIRST_ARTICLES and not _ACT.search(rule.title):
                names = dict.fromkeys(_NAMED_ACT.findall(rule.text))
                named.setdefault(rule.title, {}).update(names)
            if _DELEGATES.search(rule.text):
                self._delegating.add(rule.id)
            if _PENALTY.search(rule.heading):
                self._penalties[rule.id] = rule.text
            for term in defined_terms(rule):
                self._terms.setdefault(rule.title, {}).setdefault(term, rule.id)
        self.parents: dict[str, list[str]] = {
            title: found for title in titles if (found := _parents(title, titles, named))
        }

    def edges_of(self, link: Link) -> Iterator[Edge]:
        """Yield the edges of one reference: its own, and the delegation or penalty behind it."""
        source, target = split_unit(link.source)[0], split_unit(link.target)
        is_annex = annex_name(target[1])
        yield Edge("annex" if is_annex else "cites", link.source, link.target, link.text)
        if link.target in self._delegating and target[0] in self.parents.get(source, ()):
            yield Edge("delegates", link.target, link.source, link.text)
        text = self._penalties.get(link.source)
        if text is not None and not is_annex and _VIOLATED.match(text, link.end):
            yield Edge("penalises", link.source, link.target, link.text)

    def definitions(self, rules: Iterable[Rule]) -> Iterator[Edge]:
        """Yield an edge for each term that an article uses and that another one defines."""
        title = None
        known: dict[str, str] = {}
        prefixes: dict[str, list[str]] = {}
        for rule in rules:
            if rule.title != title:
                title, known = rule.title, self._known(rule.title)
                prefixes = {}
                for term in sorted(known, key=len, reverse=True):
                    prefixes.setdefault(term[:_TERM_PREFIX], []).append(term)
            for term in _used(rule.text, prefixes):
                if known[term] != rule.id:
                    yield Edge("defines", known[term], rule.id, term)

    def _known(self, title: str) -> dict[str, str]:
        """Return the terms of a document: its own first, then those of the documents above it."""
        known = dict(self._terms.get(title, {}))
        for parent in self.parents.get(title, ()):
            for term, unit in self._terms.get(parent, {}).items():
                known.setdefault(term, unit)
        return known


def _parents(
    title: str, titles: Mapping[str, int], named: Mapping[str, Mapping[str, None]]
) -> list[str]:
    bases = [_SUBORDINATE.sub("", title), *(_SUBORDINATE.sub("", n) for n in named.get(title, ()))]
    above = [bases[0]] if _SUBORDINATE.search(title) else []
    if title.endswith(" 시행규칙"):
        above.append(f"{bases[0]} 시행령")
    for base in bases[1:]:
        above += [base, f"{base} 시행령"]
    return [name for name in dict.fromkeys(above) if name != title and name in titles]


def _used(text: str, prefixes: Mapping[str, list[str]]) -> dict[str, None]:
    """Return the longest term at each beginning of a word, each once."""
    used: dict[str, None] = {}
    for match in _WORD.finditer(text):
        for term in prefixes.get(match.group(), ()):
            if text.startswith(term, match.start()):
                used[term] = None
                break
    return used
