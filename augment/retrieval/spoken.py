"""Ask about a sentence of the law as people speak: everyday words, a spoken ending."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.reading.acts import Laws
from kofinlaw.augment.reading.phrasing import as_question
from kofinlaw.augment.retrieval.everyday_terms import everyday_terms
from kofinlaw.augment.retrieval.query_text import LONGEST, SHORTEST, Query, without_citations
from kofinlaw.augment.rewording.plain_verbs import plain_verbs
from kofinlaw.augment.rewording.plain_words import plain_words

__all__ = ["spoken_queries", "spoken_question"]

LONGEST_SENTENCE = 120  # characters; people do not ask longer questions
# What the sentence leaves to a list or a decree, and what a definition says of its own words.
_ELSEWHERE = re.compile(r"각 ?호|말한다|목적으로 한다")
_ENDS = (
    (re.compile(r"(?:하여서는|해서는) (?:아니 ?|안 ?)되는가\?$"), "하면 안 되나요?"),
    (re.compile(r"(?P<verb>[가-힣])서는 (?:아니 ?|안 ?)되는가\?$"), r"\g<verb>서는 안 되나요?"),
    (re.compile(r"하여야 하는가\?$"), "해야 하나요?"),
    (re.compile(r"지 (?:아니하는|않는)가\?$"), "지 않나요?"),
    (re.compile(r"(?P<stem>[가-힣])는가\?$"), r"\g<stem>나요?"),
    (re.compile(r"(?P<stem>[가-힣])가\?$"), r"\g<stem>가요?"),  # 자인가 → 자인가요
)
_FORMAL = (
    (re.compile(r"하여야 (?=[가-힣])"), "해야 "),
    (re.compile(r"하여 (?=[가-힣])"), "해서 "),
    (re.compile(r"하지 아니(?:하는|한) "), "하지 않은 "),
    (re.compile(r"지 아니할(?= )"), "지 않을"),
    (re.compile(r"지 아니하(?=[고여면는])"), "지 않"),
    (re.compile(r"그러하지 아니하다"), "그렇지 않다"),
)


def spoken_question(sentence: str) -> str:
    """Return `…하여야 한다.` as `…해야 하나요?`; empty for an unknown ending."""
    question = as_question(sentence)
    for pattern, new in _ENDS:
        if pattern.search(question):
            return pattern.sub(new, question)
    return ""


def spoken_queries(laws: Laws, rng: random.Random) -> Iterator[Query]:
    """Yield a question in everyday words for one sentence of each article that has such a term."""
    for law in laws.acts:
        for article in law.articles:
            made = [
                Query(text, article.id, clause.main)
                for clause in law.by_article.get(article.id, ())
                if (text := _spoken(clause.main))
            ]
            if made:
                yield rng.choice(made)


def _spoken(sentence: str) -> str:
    """Return the question; empty without a term that people say in another way."""
    if len(sentence) > LONGEST_SENTENCE or _ELSEWHERE.search(sentence):
        return ""
    text, terms = everyday_terms(without_citations(sentence))
    if not terms:
        return ""
    question = spoken_question(plain_words(plain_verbs(text.rstrip(". "))))
    for pattern, new in _FORMAL:
        question = pattern.sub(new, question)
    return question if SHORTEST <= len(question) <= LONGEST else ""
