"""Measure how much two texts or names say the same, for `falsity` and its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kofinlaw.augment.generators.drafts import distinct
from kofinlaw.augment.reading.clauses import item_noun
from kofinlaw.augment.reading.names import normalize
from kofinlaw.data.korean.words import bigrams

__all__ = [
    "CLOSE",
    "COMBINED",
    "bigram_share",
    "combines",
    "content_bigrams",
    "drop_overlapping_names",
    "drop_similar",
    "names_overlap",
    "names_same_kind",
    "resembles",
]

# Share of the shorter text's bigrams above which two texts may mean the same.
CLOSE = 0.28
# Share of a text's bigrams found in several items above which these items together may say it.
COMBINED = 0.7
# Who decides the details says nothing about the details.
_DELEGATES = re.compile(
    r"(?:(?:대통령|총리|부)령으로|(?<!\S)\S*(?:위원회|장관)[가이]) "
    r"(?:정하는|정하여 고시하는|정한) ?"
)


def content_bigrams(text: str) -> set[str]:
    """Return the bigrams of a text without its delegation phrases (대통령령으로 정하는)."""
    return set(bigrams(_DELEGATES.sub("", text)))


def resembles(text: str, others: Sequence[set[str]], close: float = CLOSE) -> bool:
    """Return whether a text says much the same as one of `others`, given by their content bigrams.

    `close` is the share of the shorter text's bigrams (0 to 1) above which two texts are alike.
    """
    grams = content_bigrams(text)
    if not grams:
        return True
    return any(len(grams & other) / min(len(grams), len(other) or 1) > close for other in others)


def drop_similar(texts: Sequence[str]) -> list[str]:
    """Return the texts without those that resemble an earlier one, in order."""
    out: list[str] = []
    seen: list[set[str]] = []
    for text in texts:
        if not resembles(text, seen):
            out.append(text)
            seen.append(content_bigrams(text))
    return out


def combines(text: str, items: Sequence[set[str]]) -> bool:
    """Return whether several items say the text together:
    청소년 보호 in one, 기술의 개발 in another.
    """
    grams = content_bigrams(text)
    return len(grams & set().union(*items)) > COMBINED * len(grams)


def names_same_kind(text: str, items: Sequence[str]) -> bool:
    """Return whether an item names a thing of the same kind: 보유기간, where an item has 보관기간.

    The last two letters decide. A noun that ends many items (행위, 사항, 경우) does not count.
    """
    head = text.rstrip(". ")[-2:]
    return not item_noun(text) and any(
        re.search(rf"[가-힣]{head}(?![가-힣]{{2}})", item) for item in items
    )


def bigram_share(text: str, grams: set[str]) -> float:
    """Return the share of the text's distinct bigrams that are in `grams` (0 to 1)."""
    own = set(bigrams(text))
    return len(own & grams) / max(len(own), 1)


def names_overlap(first: str, second: str) -> bool:
    """Return whether one name contains or abbreviates the other: 금융회사 and 금융회사등."""
    a, b = sorted((normalize(first), normalize(second)), key=len)
    return a in b or _abbreviates(a, b)


def _abbreviates(short: str, full: str) -> bool:
    """Return whether the letters of the short name are in the full one, in order: 국정원장,
    국가정보원장. First and last letters are the same.
    """
    if len(short) < 3 or short[0] != full[0] or short[-2:] != full[-2:]:
        return False
    letters = iter(full)
    return all(letter in letters for letter in short)


def drop_overlapping_names(answer: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names without the answer and those that overlap an earlier one, in order.

    금융회사 and 금융회사등 among the options would both be half right.
    """
    out: list[str] = []
    for name in distinct(answer, names):
        if not any(names_overlap(name, other) for other in out):
            out.append(name)
    return tuple(out)
