"""Define the draft that a generator yields, and help generators to write drafts."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.short_names import needs_article

__all__ = ["LONGEST_QUOTE", "Draft", "distinct", "law_name", "must_cite", "source_rng"]

LONGEST_QUOTE = 130
_RELATIVE = re.compile(r"(?<!조)제\d+항|같은 [조항호]|전[항조]|각 ?호|이 [장절조]|제\d+호")


@dataclass(frozen=True)
class Draft:
    """A question with its right answer and more wrong ones than needed.

    Attributes:
        kind: The kind of question, one of the keys of `settings.WEIGHTS`.
        stem: The question as the model reads it, in Korean.
        answer: The right option. Of a negative question it is the option that is not so.
        distractors: The wrong options, preferred ones first. All differ from the answer and from
            each other in their letters and digits. A draft with fewer than three is not used.
        units: Ids of the articles that decide the question, the most important first.
        focus: Phrases of these articles that decide it. Packed evidence always keeps their lines.
        negative: Whether the stem asks for what is not so (옳지 않은 것은, 아닌 것은).
        numeric: Whether the options are figures.
        document: Title of the act.
        hard: Whether the options differ in one slot and share no long run with the law.
        readings: For an option (by its text) the words of the deciding line that make it right;
            the right option first. Empty where no evidence with another answer can be made.
    """

    kind: str
    stem: str
    answer: str
    distractors: tuple[str, ...]
    units: tuple[str, ...]
    focus: tuple[str, ...]
    negative: bool = False
    numeric: bool = False
    document: str = ""
    hard: bool = False
    readings: tuple[tuple[str, str], ...] = ()


def source_rng(seed: int, *parts: str) -> random.Random:
    """Return random numbers that depend on the seed and `parts` only, not on earlier draws."""
    return random.Random("\u241f".join([str(seed), *parts]))


def must_cite(clause: Clause) -> bool:
    """Return whether the sentence refers to its own article (`제1항에 따라`) or uses a short name
    that only its article explains, so that a question about it has to cite it."""
    return bool(_RELATIVE.search(clause.main)) or needs_article(clause.article, clause.body)


def law_name(title: str) -> str:
    """Return the act's name as a question quotes it."""
    return f"「{title}」"


def distinct(answer: str, candidates: Sequence[str]) -> tuple[str, ...]:
    """Return the candidates that differ from the answer and from each other, in order."""
    seen = {normalize(answer)}
    out = []
    for candidate in candidates:
        key = normalize(candidate)
        if key and key not in seen:
            seen.add(key)
            out.append(candidate)
    return tuple(out)
