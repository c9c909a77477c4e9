"""Know which articles, annexes and 항 each document of an index has, and which were deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from kofinlaw.data.law.annexes import only_deleted, split_unit
from kofinlaw.data.law.citation_locations import Scope
from kofinlaw.data.law.titles import title_key
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk

__all__ = ["DocumentProvisions", "Place", "Provisions", "article_place", "title_ends"]

_ARTICLE = re.compile(r"^제(\d+)(?:-(\d+))?조(?:의(\d+))?$")
_ANNEX = re.compile(r"^별[표지]")
_PARAGRAPH = re.compile(r"^제(\d+)항$")
# The parts of an article's number: (9, 0, 2) for `제9조의2`; empty for another text.
Place = tuple[int, ...]


@dataclass
class DocumentProvisions:
    """The provisions of one document, by their numbers (`제9조의2`, `별표 1`), in order.

    `deleted` are articles and annexes that only say so. `paragraphs` is the number of 항 of an
    article that has any. `whole` says that all articles are known, also those without a passage.
    """

    articles: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    annexes: list[str] = field(default_factory=list)
    paragraphs: dict[str, int] = field(default_factory=dict)
    whole: bool = False


class Provisions:
    """The provisions of all documents of an index, by title."""

    def __init__(self, documents: Mapping[str, DocumentProvisions]) -> None:
        self.documents = dict(documents)

    @classmethod
    def of_passages(cls, chunks: Iterable[Chunk]) -> Provisions:
        """Return what the units of the passages tell; articles without a passage are not known."""
        documents: dict[str, DocumentProvisions] = {}
        for chunk in chunks:
            document = documents.setdefault(chunk.title, DocumentProvisions())
            title, name = split_unit(chunk.unit)
            if title == chunk.title:
                _add(document, name)
                if _ANNEX.match(name) and only_deleted(chunk.text.split("\n")[1:]):
                    document.deleted.append(name)
        return cls(documents)

    @classmethod
    def of_corpus(cls, chunks: Iterable[Chunk], articles: Path) -> Provisions:
        """Return the provisions of a corpus, from its passages and its `articles.jsonl` if any."""
        found = cls.of_passages(chunks)
        if not articles.is_file():
            return found
        for article in read_jsonl(articles, Article):
            document = found.documents.get(article.title)
            if document is None:
                continue
            document.whole = True
            _add(document, article.number)
            if article.deleted:
                document.deleted.append(article.number)
            marks = [_PARAGRAPH.match(one.label) for one in article.provisions]
            count = max((int(mark.group(1)) for mark in marks if mark), default=0)
            if count:
                document.paragraphs[article.number] = count
        for document in found.documents.values():
            document.articles.sort(key=article_place)
        return found

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Provisions:
        """Return the inverse of `to_record`."""
        return cls({title: DocumentProvisions(**values) for title, values in record.items()})

    def to_record(self) -> dict[str, Any]:
        """Return the provisions as JSON values, by title."""
        return {title: asdict(document) for title, document in self.documents.items()}

    @property
    def titles(self) -> Sequence[str]:
        """The titles of the documents."""
        return tuple(self.documents)

    @cached_property
    def scope(self) -> Scope:
        """The titles and article numbers, for reading citations."""
        return Scope.of({title: one.articles for title, one in self.documents.items()})

    @cached_property
    def titles_by_ends(self) -> dict[tuple[str, str], list[str]]:
        """The titles by their `title_ends`, which an abbreviation of a title keeps."""
        found: dict[tuple[str, str], list[str]] = {}
        for title in self.documents:
            found.setdefault(title_ends(title), []).append(title)
        return found

    @cached_property
    def titles_by_last_words(self) -> dict[str, list[str]]:
        """The titles of several words by the key of each row of their last words."""
        found: dict[str, list[str]] = {}
        for title in self.documents:
            words = title.split()
            for first in range(1, len(words)):
                found.setdefault(title_key(" ".join(words[first:])), []).append(title)
        return found


def _add(document: DocumentProvisions, name: str) -> None:
    known = document.annexes if _ANNEX.match(name) else document.articles
    if name not in known and (_ARTICLE.match(name) or _ANNEX.match(name)):
        known.append(name)


def title_ends(title: str) -> tuple[str, str]:
    """Return the first two and the last two letters of a title or name."""
    key = title_key(title)
    return key[:2], key[-2:]


@lru_cache(maxsize=16_384)  # a question may cite thousands of articles
def article_place(number: str) -> Place:
    """Return the parts of an article's number, for comparison; empty for another text."""
    match = _ARTICLE.match(number)
    return tuple(int(part or 0) for part in match.groups()) if match else ()
