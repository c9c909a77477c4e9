"""Assign questions to slices: negative stems, number of options, numeric options, and so on."""

from __future__ import annotations

import re

from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.records import Key, Question

__all__ = ["ARTICLE", "NUMBER", "is_numeric", "slices_of"]

# Numbers with units, perhaps followed by a bound: "3억 5천만원 이하", "9월 8일". The possessive
# quantifiers prevent backtracking over long digit strings.
NUMBER = re.compile(
    r"(약|최대|최소|매|연|월|만|제)?\s*(\d[\d,.]*+\s*+[^\d\s]{0,6}\s*)+"
    r"(이내|이상|이하|미만|초과|전|후|까지|동안|부터)?"
)
ARTICLE = re.compile(r"제\s*\d+\s*조")
# Slice names of a key, and the name of the same slice here; empty is left out.
_RENAMED = {
    "four": "options-4",
    "five": "options-5",
    "cites_article": "article-quoted",
    "free": "",
}


def is_numeric(options: tuple[str, ...]) -> bool:
    """Return whether most options are a number with a unit (`7일`, `5천만원 이하`)."""
    if not options:
        return False
    return sum(bool(NUMBER.fullmatch(text.strip())) for text in options) * 2 > len(options)


def slices_of(question: Question, key: Key | None = None) -> tuple[str, ...]:
    """Return the names of a question's slices in a fixed order; those of the key come last.

    Multiple choice: `negative` or `positive`, `options-N`, `numeric`, `article-quoted`.
    """
    names: list[str] = []
    given = key.slices if key else ()
    if question.options:
        negative = "negative" in given
        if "positive" not in given:
            negative = negative or is_negative(question.question)
        names.append("negative" if negative else "positive")
        names.append(f"options-{len(question.options)}")
        if "numeric" in given or is_numeric(question.options):
            names.append("numeric")
    if ARTICLE.search(question.question):
        names.append("article-quoted")
    names += [_RENAMED.get(name, name) for name in given]
    return tuple(dict.fromkeys(name for name in names if name))
