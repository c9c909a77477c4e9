"""Find the articles of an act that another provision applies to other parties (준용)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

__all__ = ["applied_articles", "named_articles"]

_APPLIES = re.compile(r"준용|적용한다|같다")
_ARTICLE = r"제\d+조(?:의\d+)?"
# `제79조 내지 제83조`, `제79조부터 제83조까지`: the articles between them too.
_RANGE = re.compile(rf"(?P<first>{_ARTICLE})\S{{0,60}}?(?: ?내지 ?|부터 )(?P<last>{_ARTICLE})")
_NUMBER = re.compile(_ARTICLE)


def named_articles(text: str, numbers: Sequence[str]) -> set[str]:
    """Return the articles that a text names, with those inside a range.

    `numbers` are the numbers of the act's articles, in order.
    """
    place = {number: index for index, number in enumerate(numbers)}
    found = set(_NUMBER.findall(text))
    for match in _RANGE.finditer(text):
        first, last = place.get(match.group("first")), place.get(match.group("last"))
        if first is not None and last is not None:
            found.update(numbers[first : last + 1])
    return found


def applied_articles(
    texts: Sequence[tuple[str, str]], numbers: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return for each article the texts that apply it elsewhere.

    `texts` are (number of the article, text of one of its clauses). The heading belongs to the
    text: `제88조(조사위원에 대한 준용)`.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for number, text in texts:
        if _APPLIES.search(text):
            for named in named_articles(text, numbers):
                if named != number:
                    found[named].append(text)
    return {number: tuple(held) for number, held in found.items()}
