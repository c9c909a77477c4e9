"""Read the acts of a corpus: clauses by act, and all sentences to check options against."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kofinlaw.augment.reading.application import applied_articles
from kofinlaw.augment.reading.clauses import Clause, clauses
from kofinlaw.augment.reading.delegation import delegating_sentences, family_titles, receivers
from kofinlaw.augment.reading.names import addressees, normalize, subject
from kofinlaw.augment.reading.parties import Parties
from kofinlaw.augment.reading.tables import AnnexTable, read_tables
from kofinlaw.records import Article, Chunk, Rejected, record_fault

__all__ = ["Law", "Laws", "read_laws"]

_DECREE = re.compile(r" (?:시행령|시행규칙)$")


@dataclass(frozen=True)
class Law:
    """One act with its clauses in order."""

    title: str
    articles: tuple[Article, ...]
    # For a decree: the articles of its act, whose definitions apply to the decree too.
    parent_articles: tuple[Article, ...] = ()
    # Of its act, its decree and its rule: all but its own.
    related_articles: tuple[Article, ...] = ()
    # The tables of its annexes, where the passages of the corpus are read too.
    tables: tuple[AnnexTable, ...] = ()

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """All clauses of all articles that can be read."""
        return self._read[0]

    @cached_property
    def unread(self) -> tuple[Rejected, ...]:
        """The articles whose clauses cannot be read, with the reason."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[tuple[Clause, ...], tuple[Rejected, ...]]:
        found: list[Clause] = []
        unread: list[Rejected] = []
        for article in self.articles:
            try:
                found += clauses(article)
            except Exception as error:
                detail = f"{article.source}: {record_fault(error)}"
                unread.append(Rejected(article.id, "augment", "failed", detail, article.text))
        return tuple(found), tuple(unread)

    @cached_property
    def by_number(self) -> dict[str, Article]:
        """Articles by number (`제9조`)."""
        return {article.number: article for article in self.articles}

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """The headings of the articles, in order."""
        return tuple(article.heading for article in self.articles)

    @cached_property
    def by_article(self) -> dict[str, tuple[Clause, ...]]:
        """Clauses by article id."""
        found: dict[str, list[Clause]] = defaultdict(list)
        for clause in self.clauses:
            found[clause.article.id].append(clause)
        return {key: tuple(value) for key, value in found.items()}

    @cached_property
    def parties(self) -> Parties:
        """Which parties overlap, by this act and, for a decree, by its act too."""
        return Parties((*self.articles, *self.parent_articles))

    @cached_property
    def delegations(self) -> tuple[str, ...]:
        """The sentences with which the act, its decree or its parent delegate work to others."""
        return delegating_sentences((*self.articles, *self.related_articles))

    def delegates_of(self, name: str) -> frozenset[str]:
        """Return the parties that receive work of `name` in a delegation."""
        if name not in self._delegates:
            mine = {who for who in (name, *self.actors) if self.parties.overlap(who, name)}
            received = "\n".join(receivers(sentence, mine) for sentence in self.delegations)
            self._delegates[name] = frozenset(
                who for who in self.actors if who not in mine and who in received
            )
        return self._delegates[name]

    def delegators_of(self, name: str) -> frozenset[str]:
        """Return the parties whose work `name` receives in a delegation.

        Where a rule names the 감독원장, its act often names the 금융위원회 for the same work.
        """
        return frozenset(who for who in self.actors if name in self.delegates_of(who))

    @cached_property
    def _delegates(self) -> dict[str, frozenset[str]]:
        """Results of `delegates_of` by name."""
        return {}

    @cached_property
    def actors(self) -> list[str]:
        """The offices and parties of the act's sentences, most frequent first."""
        seen: Counter[str] = Counter()
        for clause in self.clauses:
            for name in (subject(clause.main), *addressees(clause.main)):
                if name:
                    seen[name] += 1
        return [name for name, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))]

    @cached_property
    def applied(self) -> dict[str, tuple[str, ...]]:
        """For each article, by number, the texts of provisions that apply it elsewhere (준용)."""
        texts = [
            (clause.article.number, f"{clause.article.heading} {clause.body}")
            for clause in self.clauses
        ]
        return applied_articles(texts, tuple(self.by_number))

    @cached_property
    def chapters_of(self) -> dict[str, set[str]]:
        """For each office or party the chapters in which it acts or is acted towards."""
        found: dict[str, set[str]] = defaultdict(set)
        for clause in self.clauses:
            for name in (subject(clause.main), *addressees(clause.main)):
                if name:
                    found[name].add(clause.article.path)
        return dict(found)


@dataclass(frozen=True)
class Laws:
    """Every act of the corpus."""

    acts: tuple[Law, ...]

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Titles in the order of the corpus."""
        return tuple(law.title for law in self.acts)

    @cached_property
    def headings(self) -> Counter[str]:
        """How many articles of the corpus have each heading."""
        return Counter(article.heading.strip() for law in self.acts for article in law.articles)

    @cached_property
    def by_title(self) -> dict[str, Law]:
        """Acts by title."""
        return {law.title: law for law in self.acts}

    @cached_property
    def sentences(self) -> frozenset[str]:
        """Every sentence and 호 of the corpus, normalised. None of them is a false statement."""
        found = set()
        for law in self.acts:
            for clause in law.clauses:
                for text in (clause.main, clause.proviso, *clause.rest, *clause.items):
                    found.add(normalize(text))
        return frozenset(found)


def read_laws(articles: Iterable[Article], chunks: Iterable[Chunk] = ()) -> Laws:
    """Group the articles of statutes and rules by act, in order, without deleted articles.

    `chunks` are the passages of the corpus, for the tables of annexes. Other kinds of document are
    left out. Raises nothing: a corpus without acts gives no law.
    """
    tables = read_tables(chunks)
    grouped: dict[str, list[Article]] = {}
    for article in articles:
        if not article.deleted and article.kind in ("statute", "rule"):
            grouped.setdefault(article.title, []).append(article)
    return Laws(tuple(_law(title, grouped, tables.get(title, ())) for title in grouped))


def _law(
    title: str, grouped: Mapping[str, Sequence[Article]], tables: tuple[AnnexTable, ...]
) -> Law:
    parent = grouped.get(_DECREE.sub("", title), ()) if _DECREE.search(title) else ()
    related = (a for name in family_titles(title, grouped) for a in grouped[name])
    return Law(title, tuple(grouped[title]), tuple(parent), tuple(related), tables)
