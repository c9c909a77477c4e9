"""Ask for a figure of the law (deadline, amount, ratio, count), with figures near it as options."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.generators.false_figures import other_figures
from kofinlaw.augment.generators.stems import blank, choose, closing, fill_in, opening
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause, bracketed, simplify
from kofinlaw.augment.reading.figures import (
    Figure,
    clearly_differ,
    find_figures,
    is_half,
    question_word,
)
from kofinlaw.augment.reading.particles import replace_span
from kofinlaw.augment.reading.phrasing import (
    as_modifier,
    as_question,
    leaves_only_list,
    subordinate,
)

__all__ = ["LONGEST_QUOTED", "LONGEST_SENTENCE", "QUESTION_SHARE", "generate"]

LONGEST_SENTENCE = 160
# Characters of a sentence together with the one that it continues.
LONGEST_QUOTED = 260
# Share of the figures that are asked with a question word (며칠) or for a 기간, not with a blank.
QUESTION_SHARE = 0.75
# `제1호 외의 자: (   ) 이상`: the reader cannot know who that is.
_POINTS_ELSEWHERE = re.compile(r"(?<!조)(?<!항)제\d+호|제\d+항")
_OPENS_LIST = re.compile(r"다음 각 ?호")
# `여객 1명당`, `1주의 금액`, `사원 1인에 대하여`: the unit of a price, not a figure to know.
_UNIT_OF_PRICE = re.compile(
    r"(?:당|마다|의 금액|에 대하여|에 대한|의 액면|씩| 또는 (?:여럿|수인|\d))"
)
_SHARES = re.compile(r"주식|의결권|신주|액면|발행")
# The figure is in one of several joined clauses: `매년 1회 소집하고, 의장이 된다`.
_CONTINUES = re.compile(r"(?:고|며|되|지만|으나),? ")
# `그 요청을 받은 날부터 2주 이내에`, `5년간`: the figure can be left out and asked for by its name.
_DEADLINE = re.compile(r" ?이내에 ")
_DURATION = re.compile(r"(?:간|동안) ")


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Yield one question for each figure of a short sentence,
    without penalties and final provisions.

    A 호 is given with the sentence that opens its list, an exception or a further sentence with
    the main one.
    """
    for clause in law.clauses:
        if re.search(r"벌칙|과태료|과징금|부칙|시행일", clause.article.heading):
            continue
        rng = source_rng(seed, "quantity", clause.article.id, clause.label)
        yield from _ask(law, clause, "", clause.main, rng)
        for sentence in (clause.proviso, *clause.rest):
            yield from _ask(law, clause, clause.main, sentence, rng)
        leads = [s for s in (clause.main, *clause.rest) if _OPENS_LIST.search(s)]
        if len(leads) == 1 and not clause.restricted:
            for item in clause.items:
                text, restricted = simplify(item)
                if not restricted and not _POINTS_ELSEWHERE.search(text):
                    yield from _ask(law, clause, leads[0], text, rng)


def _ask(
    law: Law, clause: Clause, context: str, sentence: str, rng: random.Random
) -> Iterator[Draft]:
    if not 20 <= len(sentence) <= LONGEST_SENTENCE or len(context + sentence) > LONGEST_QUOTED:
        return
    if "[" in context + sentence:  # `[이하 "동일차주"라 한다]`
        return
    if not context and leaves_only_list(sentence):
        return
    found = find_figures(sentence)
    around = find_figures(context)
    # `3개월 이내(예비허가를 받은 경우에는 1개월 이내)`: in its case the other one is right.
    cases = f"{clause.proviso} {bracketed(clause.article, sentence)}"
    excepted = {other.text for other in find_figures(cases)}
    for figure in found:
        if (
            (context + sentence).count(figure.text) > 1
            or _is_unit(sentence, figure)
            or is_half(sentence, figure)
            or any(
                not clearly_differ(figure, other)
                for other in [*found, *around]
                if other is not figure and other.dimension == figure.dimension
            )
        ):
            continue
        wrong = distinct(figure.text, other_figures(figure, clause.article.text, rng))
        wrong = tuple(text for text in wrong if text not in excepted)
        question = "" if context else _question(clause, sentence, figure, rng)
        if question:
            wrong = tuple(w for w in wrong if find_figures(w)[0].unit == figure.unit)
        if len(wrong) < 3:
            continue
        gapped = blank(sentence, figure.start, figure.end, [figure.text, *wrong])
        whole = _with_context(context, gapped)
        yield Draft(
            kind="quantity",
            stem=question or fill_in(clause, whole, rng, cited=bool(context)),
            answer=figure.text,
            distractors=wrong,
            units=(clause.article.id,),
            focus=(sentence[max(figure.start - 12, 0) : figure.end],),
            numeric=True,
            document=law.title,
        )


def _with_context(context: str, gapped: str) -> str:
    """Return the sentence after the one it continues; a 호 as one of its list."""
    if not context:
        return gapped
    if _OPENS_LIST.search(context) and not gapped.endswith("다."):
        return f"{context.rstrip()} 그중 하나는 '{gapped.rstrip('. ')}'이다."
    return f"{context.rstrip()} {gapped}"


def _is_unit(sentence: str, figure: Figure) -> bool:
    """Return whether the figure is the unit of a price (`1주의 금액`), or counts shares."""
    if figure.unit == "주" and _SHARES.search(sentence):
        return True
    return figure.value == 1 and bool(_UNIT_OF_PRICE.match(sentence, figure.end))


def _question(clause: Clause, sentence: str, figure: Figure, rng: random.Random) -> str:
    """Return the sentence as a question (며칠, 몇 년 …; …하여야 하는 기간은) for a share of the
    figures; else empty.
    """
    word = question_word(figure)
    if not word or rng.random() > QUESTION_SHARE or _CONTINUES.search(sentence, figure.end):
        return ""
    start = opening(clause, rng)
    forms = []
    if question := as_question(replace_span(sentence, figure.start, figure.end, word)):
        forms += [f"{start}, {question}", f"{start} {question}"]
    for pattern, name in ((_DEADLINE, "기한"), (_DURATION, "기간")):
        match = pattern.match(sentence, figure.end)
        if match and figure.dimension == "days":
            without = sentence[: figure.start] + sentence[match.end() :]
            if doing := as_modifier(subordinate(without)):
                forms += [
                    f"{start} {doing} {name}은?",
                    f"{start} {doing} {name}으로 {closing(rng)}",
                ]
    return choose(forms, rng)
