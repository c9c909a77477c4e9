"""What a generator yields: a question with its right answer and more wrong ones than needed."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from kofinlaw.augment.generators.clauses import Clause
from kofinlaw.augment.generators.names import normal

LONGEST_QUOTE = 130
_RELATIVE = re.compile(r"(?<!조)제\d+항|같은 [조항호]|전[항조]|각 호|이 [장절조]|제\d+호")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Draft:
    """A question before its options are chosen and placed.

    `distractors` stand by preference, at least three; `focus` are phrases of the evidence that
    decide (kept when it is packed); `units` the gold articles, best first.
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


def source_rng(seed: int, *parts: str) -> random.Random:
    """Random numbers that depend on the seed and the place alone, never on what came before."""
    return random.Random("\u241f".join([str(seed), *parts]))


def cite(clause: Clause, rng: random.Random, *, share: float = 0.25) -> str:
    """`「법」` or, for a share of questions and wherever the text needs it, `「법」 제9조제1항`."""
    title = f"「{clause.article.title}」"
    if _RELATIVE.search(clause.main) or rng.random() < share:
        return f"{title} {clause.place}"
    return title


def law_name(title: str) -> str:
    """The act's name as a question quotes it."""
    return f"「{title}」"


def tidy(text: str) -> str:
    """One line, single blanks."""
    return _SPACES.sub(" ", text).strip()


def distinct(answer: str, candidates: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Candidates that differ from the answer and from each other, order kept."""
    seen = {normal(answer)}
    out = []
    for candidate in candidates:
        key = normal(candidate)
        if key and key not in seen:
            seen.add(key)
            out.append(candidate)
    return tuple(out)
