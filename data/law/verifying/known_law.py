"""Know what a corpus says: the articles of each act with their periods, annexes and decisions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.citation_locations import Scope
from kofinlaw.data.law.citations import document_aliases
from kofinlaw.data.law.former_names import NAMES, FormerName, read_names
from kofinlaw.data.law.provisions import provision_tree, read_lines
from kofinlaw.data.law.titles import ALIASES, canonical_title, title_key
from kofinlaw.data.law.verifying.decision_numbers import DECISION, decision_key
from kofinlaw.data.law.verifying.hanja_names import HanjaNames
from kofinlaw.data.law.verifying.words import letters
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk, Provision

__all__ = ["ArticleText", "KnownAct", "KnownDecision", "KnownLaw"]

_ANNEX = re.compile(r"^별[표지]")
_HEADER = re.compile(r"제\d+(?:-\d+)?조(?:의\d+)*\s*(?:\((?P<heading>[^()]{1,80})\))?")
_DECREE = re.compile(r"(?<!\s)\s*+(시행령|시행규칙)$")
_DELETED = re.compile(r"^\W*삭\s?제")


@dataclass(slots=True)
class ArticleText:
    """A text of an article, and the period in which it was in force.

    `since` and `until` are ISO days, empty where the corpus does not know them. `provisions` is the
    tree of the article; None until it is read from `text` (texts of earlier versions).
    """

    heading: str
    text: str
    deleted: bool
    since: str = ""
    until: str = ""
    provisions: Sequence[Provision] | None = None
    _words: dict[str, str] | None = field(default=None, repr=False)

    @property
    def words(self) -> Mapping[str, str]:
        """The text of each provision with everything below it, by its path (`제1항제2호`)."""
        if self._words is None:
            if self.provisions is None:
                lines, _ = read_lines(self.text, 0, len(self.text))
                self.provisions = provision_tree(lines)[1]
            self._words = dict(_paths(self.provisions))
        return self._words


def _paths(provisions: Iterable[Provision]) -> Iterator[tuple[str, str]]:
    for one in provisions:
        below = list(_paths(one.children))
        yield one.label, "\n".join([one.text, *(words for _, words in below)])
        yield from below


@dataclass(slots=True)
class KnownAct:
    """An act of the corpus.

    - `articles` are the texts of each article, the newest first.
    - `annexes` are the names of its annexes.
    - `as_of` is the day of its newest version, `oldest` the first day that the corpus knows; both
      are ISO days, empty for a document without a day.
    - `whole` says that all articles are known, also those without a passage.
    """

    title: str
    as_of: str = ""
    oldest: str = ""
    articles: dict[str, list[ArticleText]] = field(default_factory=dict)
    annexes: list[str] = field(default_factory=list)
    whole: bool = False


@dataclass(frozen=True, slots=True)
class KnownDecision:
    """A court decision of the corpus: its title (`대법원 2010도11015`) and its ISO day."""

    title: str
    day: str


class KnownLaw:
    """The acts and decisions of a corpus, for checking references to them."""

    def __init__(
        self,
        acts: Mapping[str, KnownAct],
        decisions: Mapping[str, KnownDecision] | None = None,
        former: Iterable[FormerName] = (),
    ) -> None:
        self.acts = dict(acts)
        self.decisions = dict(decisions or {})
        self.former = {title_key(one.name): one for one in former}
        self._names: dict[str, dict[str, str]] = {}  # what has been looked up
        self._titles: dict[str, str] = {}

    @classmethod
    def of_corpus(cls, folder: Path) -> KnownLaw:
        """Read the corpus of a folder: `chunks.jsonl`, and `articles.jsonl` and `earlier.jsonl`.

        Raises UserError if the folder has no corpus, or a file is broken (with file and line).
        """
        return cls.of_chunks(folder / "chunks.jsonl")

    @classmethod
    def of_chunks(cls, chunks: Path) -> KnownLaw:
        """Read the corpus of a file of passages, and what lies next to it, as `of_corpus` does."""
        folder = chunks.parent
        if not chunks.is_file():
            raise UserError(
                "no corpus in this folder: chunks.jsonl is missing",
                where=str(folder),
                remedy="name a run's folder `data`, for example runs/quickstart/data",
            )
        reading = _Reading()
        for chunk in read_chunks(chunks):
            reading.add(chunk)
        listed = folder / "articles.jsonl"
        for article in read_jsonl(listed, Article) if listed.is_file() else ():
            reading.add_article(article)
        return cls(reading.finished(), reading.decisions, read_names(folder / NAMES))

    @classmethod
    def of_articles(cls, articles: Iterable[Article]) -> KnownLaw:
        """Return what a list of whole acts says; it has one text of each article."""
        reading = _Reading()
        for article in articles:
            reading.add_article(article)
        return cls(reading.finished())

    @cached_property
    def scope(self) -> Scope:
        """The titles and article numbers, for reading references."""
        known = {title: list(act.articles) for title, act in self.acts.items()}
        known |= {one.name: [] for one in self.former.values() if one.name not in known}
        return Scope.of(known, attached=True)

    @cached_property
    def hanja_names(self) -> HanjaNames:
        """The names of acts and headings, for reading them in Chinese characters."""
        return HanjaNames([*self.scope.titles.values(), *ALIASES], self.headings)

    @cached_property
    def headings(self) -> frozenset[str]:
        """The letters of the headings of all articles."""
        return frozenset(
            letters(one.heading)
            for act in self.acts.values()
            for entries in act.articles.values()
            for one in entries
            if one.heading
        )

    @cached_property
    def _by_ends(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        out: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for title in self.acts:
            key = title_key(title)
            out.setdefault((key[:2], key[-2:]), []).append((key, title))
        return out

    def title_of(self, name: str) -> str:
        """Return the title in the corpus that a name means; empty if the corpus has no such act.

        A name is a title in any spacing, or a short name in common use. Other abbreviations are not
        resolved: `특정범죄 가중처벌 등에 관한 법률` is not the act on 특정경제범죄.
        """
        held = self._titles.get(name)
        if held is None:
            if len(self._titles) > 50_000:
                self._titles.clear()
            title = canonical_title(name, self.scope.titles)
            held = self._titles[name] = title if title in self.acts else ""
        return held

    def former_name(self, name: str) -> FormerName | None:
        """Return the former name of acts of the corpus that a name is, if it is one."""
        found = self.former.get(title_key(name))
        if found is None and (match := _DECREE.search(name)):
            act = self.former.get(title_key(name[: match.start()]))
            titles = tuple(f"{one} {match[1]}" for one in act.titles) if act else ()
            known = tuple(one for one in titles if one in self.acts)
            return FormerName(name, known, act.same) if act and known else None
        return found

    def names_in(self, act: str) -> dict[str, str]:
        """Return the short names that an act of the corpus defines: `법`, `영`, `규정`."""
        names = self._names.get(act)
        if names is None:
            known = self.acts.get(act)
            texts = [entries[0].text for entries in known.articles.values()] if known else []
            names = document_aliases(act, "\n".join(texts), self.scope.titles)
            self._names[act] = names
        return names

    def close_title(self, name: str) -> str:
        """Return the title that the letters of a name fit in their order, if there is one alone."""
        short = title_key(name)
        if len(short) <= 5:
            return ""
        alike = [
            title
            for key, title in self._by_ends.get((short[:2], short[-2:]), ())
            if _in_order(short, key) or _in_order(key, short)
        ]
        return alike[0] if len(alike) == 1 else ""

    def find_words(self, act: KnownAct, wanted: str) -> str:
        """Return the number of the article of an act that contains these letters, or empty."""
        for number, texts in act.articles.items():
            if any(wanted in letters(one.text) for one in texts):
                return number
        return ""


def _in_order(short: str, title: str) -> bool:
    rest = iter(title)
    return all(letter in rest for letter in short)


class _Reading:
    """Collects the acts and decisions of a corpus from its passages and articles."""

    def __init__(self) -> None:
        self.acts: dict[str, KnownAct] = {}
        self.decisions: dict[str, KnownDecision] = {}
        self._since: dict[str, str] = {}
        # By title, number, and the days between which the text was in force.
        self._passages: dict[tuple[str, str, str, str], list[str]] = {}

    def add(self, chunk: Chunk) -> None:
        """Add a passage."""
        if chunk.kind == "case":
            for match in DECISION.finditer(chunk.title):
                found = KnownDecision(chunk.title, chunk.as_of)
                self.decisions.setdefault(decision_key(match), found)
            return
        title, name = split_unit(chunk.unit)
        act = self.acts.setdefault(chunk.title, KnownAct(chunk.title))
        act.as_of = max(act.as_of, chunk.as_of)
        day = chunk.since or chunk.as_of
        act.oldest = min(act.oldest or day, day) if day else act.oldest
        if title != chunk.title:
            return
        if _ANNEX.match(name):
            if name not in act.annexes:
                act.annexes.append(name)
            return
        if not chunk.until:
            self._since[chunk.unit] = chunk.since
        since = chunk.since or (chunk.as_of if chunk.until else "")
        self._passages.setdefault((title, name, since, chunk.until), []).append(chunk.text)

    def add_article(self, article: Article) -> None:
        """Add an article of the newest version of an act."""
        if article.kind == "case":
            return
        act = self.acts.setdefault(article.title, KnownAct(article.title, article.as_of))
        act.whole = True
        act.oldest = act.oldest or article.as_of
        entry = ArticleText(article.heading, article.text, article.deleted)
        entry.since = self._since.get(article.id, "")
        entry.provisions = article.provisions
        act.articles.setdefault(article.number, []).append(entry)

    def finished(self) -> dict[str, KnownAct]:
        """Return the acts, with the texts of each article in order, the newest first."""
        listed = {title: frozenset(act.articles) for title, act in self.acts.items()}
        for (title, number, since, until), texts in self._passages.items():
            if number.startswith("제") and (until or number not in listed[title]):
                entry = _of_passages(texts, since, until)
                self.acts[title].articles.setdefault(number, []).append(entry)
        for act in self.acts.values():
            for entries in act.articles.values():
                entries.sort(key=lambda one: one.until or "9999", reverse=True)
                if len(entries) > 1 and not entries[0].since:  # deleted: it has no passage
                    entries[0].since = entries[1].until
        return self.acts


def _of_passages(texts: Sequence[str], since: str, until: str) -> ArticleText:
    """Return the article of its passages: each begins with a line of title and header."""
    match = _HEADER.search(texts[0].partition("\n")[0])
    heading = (match["heading"] or "") if match else ""
    body = "\n".join(text.partition("\n")[2] for text in texts)
    return ArticleText(heading, body, bool(_DELETED.match(body)), since, until)
