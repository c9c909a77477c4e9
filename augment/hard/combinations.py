"""Yield sets of statements 가, 나, 다 in the stem, with their combinations as options."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.hard.stems import topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.hard.topic_sets import (
    false_version,
    statement_groups,
    true_version,
    usable_statements,
)
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.rewording.runs import shares_run

__all__ = ["COMBINATIONS", "KINDS", "generate"]

KINDS = ("combination",)
_LETTERS = ("가", "나", "다")
# Every combination of one to three letters, as exams print them.
COMBINATIONS: tuple[tuple[int, ...], ...] = ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
_ASKED = (
    "에 관한 설명으로 옳은 것만을 <보기>에서 모두 고른 것은?",
    "에 관한 <보기>의 설명 중 옳은 것을 모두 고르면?",
    "에 대한 설명으로 옳은 것을 <보기>에서 있는 대로 고른 것은?",
)


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield for each group of statements one question for every three of them."""
    around = Surroundings(law, laws)
    for number, group in enumerate(statement_groups(around, seed)):
        rng = source_rng(seed, "combination", group[0].article.id, str(number))
        usable = [s for s in usable_statements(around, group, rng) if s.slots]
        rng.shuffle(usable)
        for start in range(0, len(usable) - 2, 3):
            chosen = usable[start : start + 3]
            right = rng.choice(COMBINATIONS)
            texts = [
                true_version(s) if place in right else false_version(s, rng)
                for place, s in enumerate(chosen)
            ]
            articles = tuple({s.article.id: s.article for s in chosen}.values())
            source = around.source(articles)
            subject = topic(around.law, around.laws, articles, chosen[0].style, source, rng)
            if any(shares_run(text, source) for text in texts):
                continue
            shown = " ".join(f"{_LETTERS[i]}. {text}" for i, text in enumerate(texts))
            yield Draft(
                kind="combination",
                stem=f"{subject}{rng.choice(_ASKED)} <보기> {shown}",
                answer=_letters(right),
                distractors=_wrong(right, rng),
                units=tuple(a.id for a in articles),
                focus=tuple(s.fact.line for s in chosen),
                document=law.title,
                hard=True,
            )


def _letters(combination: Sequence[int]) -> str:
    return ", ".join(_LETTERS[i] for i in combination)


def _wrong(right: tuple[int, ...], rng: random.Random) -> tuple[str, ...]:
    """Return four other combinations in random order."""
    others = [c for c in COMBINATIONS if c != right]
    rng.shuffle(others)
    return tuple(_letters(c) for c in others[:5])
