"""Ask for a figure of the law (deadline, amount, ratio, count), with figures near it as options."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, cite, distinct, law_name, source_rng
from kofinlaw.augment.generators.falsity import other_figures
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause, as_question, simplify
from kofinlaw.augment.reading.figures import (
    Figure,
    clearly_differ,
    find_figures,
    question_word,
)

__all__ = ["LONGEST_SENTENCE", "QUESTION_SHARE", "generate"]

LONGEST_SENTENCE = 160
# Share of the figures that are asked with a question word (며칠) instead of a blank (0 to 1).
QUESTION_SHARE = 0.4
# `제1호 외의 자: (   ) 이상`: the reader cannot know who that is.
_POINTS_ELSEWHERE = re.compile(r"제\d+호")


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each figure of a short sentence,
    without penalties and final provisions.
    """
    for clause in law.clauses:
        if re.search(r"벌칙|과태료|과징금|부칙|시행일", clause.article.heading):
            continue
        rng = source_rng(seed, "quantity", clause.article.id, clause.label)
        items = [simplify(item)[0] for item in clause.items]
        for sentence in (clause.main, clause.proviso, *clause.rest, *items):
            yield from _ask(law, clause, sentence, rng)


def _ask(law: Law, clause: Clause, sentence: str, rng: random.Random) -> Iterator[Draft]:
    if not 20 <= len(sentence) <= LONGEST_SENTENCE or _POINTS_ELSEWHERE.match(sentence):
        return
    found = find_figures(sentence)
    for figure in found:
        if sentence.count(figure.text) > 1 or any(
            not clearly_differ(figure, other)
            for other in found
            if other is not figure and other.dimension == figure.dimension
        ):
            continue
        wrong = distinct(figure.text, other_figures(figure, clause.article.text, rng))
        question = _question(clause, sentence, figure, rng)
        if question:
            wrong = tuple(w for w in wrong if find_figures(w)[0].unit == figure.unit)
        if len(wrong) < 3:
            continue
        yield Draft(
            kind="quantity",
            stem=question or _blank(law, clause, sentence, figure, rng),
            answer=figure.text,
            distractors=wrong,
            units=(clause.article.id,),
            focus=(sentence[max(figure.start - 12, 0) : figure.end],),
            numeric=True,
            document=law.title,
        )


def _question(clause: Clause, sentence: str, figure: Figure, rng: random.Random) -> str:
    """Return the sentence as a question (며칠, 몇 년 …) for a share of the figures; else empty."""
    word = question_word(figure)
    if not word or rng.random() > QUESTION_SHARE:
        return ""
    question = as_question(sentence[: figure.start] + word + sentence[figure.end :])
    if not question or sentence != clause.main:
        return ""
    return f"{cite(clause, rng)}에 따르면, {question}"


def _blank(law: Law, clause: Clause, sentence: str, figure: Figure, rng: random.Random) -> str:
    """Return the sentence with a blank for the figure, introduced by its citation."""
    blank = sentence[: figure.start] + "(   )" + sentence[figure.end :]
    # A 호 or 다만 alone does not say what the figure is about; the heading does.
    heading = f"({clause.article.heading})" if clause.article.heading else ""
    citation = f"{clause.article.number}{heading}{clause.label}"
    where = cite(clause, rng) if sentence == clause.main else f"{law_name(law.title)} {citation}"
    return f'{where}의 다음 빈칸에 알맞은 것은? "{blank}"'
