"""The acts a generator reads: clauses by act, and the whole corpus to check options against."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from kofinlaw.augment.generators.clauses import Clause, clauses
from kofinlaw.augment.generators.names import addressees, normal, subject
from kofinlaw.augment.generators.parties import Parties
from kofinlaw.records import Article

_DECREE = re.compile(r" (?:시행령|시행규칙)$")


@dataclass(frozen=True)
class Law:
    """One act with its clauses in order."""

    title: str
    articles: tuple[Article, ...]
    # Of a decree: the articles of its act, whose definitions hold for it too.
    above: tuple[Article, ...] = ()

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """All clauses of all articles."""
        return tuple(clause for article in self.articles for clause in clauses(article))

    @cached_property
    def by_number(self) -> dict[str, Article]:
        """Articles by number (`제9조`)."""
        return {article.number: article for article in self.articles}

    @cached_property
    def by_article(self) -> dict[str, tuple[Clause, ...]]:
        """Clauses by article id."""
        found: dict[str, list[Clause]] = defaultdict(list)
        for clause in self.clauses:
            found[clause.article.id].append(clause)
        return {key: tuple(value) for key, value in found.items()}

    @cached_property
    def parties(self) -> Parties:
        """Who is whom, by this act and, for a decree, its act."""
        return Parties((*self.articles, *self.above))

    @cached_property
    def actors(self) -> list[str]:
        """Who acts in this act, most frequent first."""
        seen: Counter[str] = Counter()
        for clause in self.clauses:
            for name in (subject(clause.main), *addressees(clause.main)):
                if name:
                    seen[name] += 1
        return [name for name, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))]


@dataclass(frozen=True)
class Laws:
    """Every act of the corpus."""

    acts: tuple[Law, ...]

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Titles in the corpus's order."""
        return tuple(law.title for law in self.acts)

    @cached_property
    def sentences(self) -> frozenset[str]:
        """Every sentence and 호 of the corpus, normalised; an altered one must not be there."""
        found = set()
        for law in self.acts:
            for clause in law.clauses:
                for text in (clause.main, clause.proviso, *clause.rest, *clause.items):
                    found.add(normal(text))
        return frozenset(found)


def read_laws(articles: Iterable[Article]) -> Laws:
    """Group living articles of statutes and rules by act, in order of first appearance."""
    grouped: dict[str, list[Article]] = {}
    for article in articles:
        if not article.deleted and article.kind in ("statute", "rule"):
            grouped.setdefault(article.title, []).append(article)
    return Laws(
        tuple(
            Law(title, tuple(group), tuple(grouped.get(_DECREE.sub("", title), ())))
            if _DECREE.search(title)
            else Law(title, tuple(group))
            for title, group in grouped.items()
        )
    )
