"""Read the terms that an act defines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import clean, simplify
from kofinlaw.records import Article, Provision

__all__ = ["Term", "read_terms"]

_DEFINES = re.compile(
    r'^["“”](?P<term>[^"“”]{2,25})["“”](?:\([^()]*\))?(?:이라 함은|라 함은|이란|란) ?'
    r"(?P<meaning>.+?)(?:을|를) 말한다\.?"
)


@dataclass(frozen=True)
class Term:
    """A defined term. `meaning` is without 말한다; `line` is the first 40 characters of the text.

    `complete` is False where a 다만 excludes a part of the definition, so that `meaning` is not all
    of it.
    """

    term: str
    meaning: str
    line: str
    article: Article
    complete: bool


def read_terms(law: Law) -> list[Term]:
    """Return terms of the act's definition articles whose definition is one sentence without 목."""
    found = []
    for article in law.articles:
        if "정의" not in article.heading and "용어" not in article.heading:
            continue
        for node in _leaves(article.provisions):
            text, _ = simplify(clean(node.text), keep=True)
            match = _DEFINES.match(text)
            if match and "각 목" not in match.group("meaning"):
                meaning = match.group("meaning").strip()
                line, complete = clean(node.text)[:40], "다만" not in text
                found.append(Term(match.group("term"), meaning, line, article, complete))
    return found


def _leaves(nodes: tuple[Provision, ...]) -> Iterator[Provision]:
    for node in nodes:
        if node.children:
            yield from _leaves(node.children)
        else:
            yield node
