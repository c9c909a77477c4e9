"""Yield calculations of an amount: a share of a given sum, as the law sets it in hundredths."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.hard.facts import Fact, clause_facts
from kofinlaw.augment.hard.stems import act_or_article
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.figures import find_figures, format_won, near_values
from kofinlaw.augment.reading.particles import replace_span
from kofinlaw.augment.rewording.rewriting import draw_style, rewrite
from kofinlaw.augment.rewording.runs import longest_run
from kofinlaw.data.korean.words import josa

__all__ = ["KINDS", "generate"]

KINDS = ("share",)
ATTEMPTS = 5
# What a share is taken of: an amount of money, one or two words before 의.
_BASE = re.compile(
    r"(?<![가-힣])(?P<base>(?:[가-힣]+의 |[가-힣]*[^은는을를이가에의한할된와과로여고며따\s] )?"
    r"[가-힣]*(?:금|액|자본|자산|재산|매출|이익|수익|예금|부채))의 $"
)
_SUMS = (10, 20, 50, 80, 100, 200, 300, 400, 500, 600, 800, 1000, 2000, 5000)


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield a question for each sentence with one share of an amount of money."""
    around = Surroundings(law, laws)
    for article in law.articles:
        for fact in clause_facts(law, article.id, closed=False):
            yield from _question(around, fact, seed)


def _question(around: Surroundings, fact: Fact, seed: int) -> Iterator[Draft]:
    shares = [f for f in find_figures(fact.text) if f.unit == "분의"]
    if len(shares) != 1 or not shares[0].text.startswith("100분의"):
        return
    figure = shares[0]
    base = _BASE.search(fact.text[: figure.start])
    if not base:
        return
    article = fact.clause.article
    rng = source_rng(seed, "share", article.id, fact.clause.label)
    source = around.source((article,))
    hidden = replace_span(fact.text, figure.start, figure.end, "일정 비율")
    # The options are amounts that no text holds, so a longer run of the rule gives nothing away.
    styles = [draw_style(rng) for _ in range(ATTEMPTS)]
    rule = min((rewrite(hidden, style) for style in styles), key=lambda t: longest_run(t, source))
    for _ in range(ATTEMPTS):
        total = rng.choice(_SUMS) * 10**8
        answer = total * round(figure.value * 100) // 100
        wrong = distinct(
            format_won(answer), [format_won(n) for n in _slips(fact, total, answer, rng)]
        )
        name = base.group("base").strip()
        if len(wrong) < 3:
            continue
        yield Draft(
            kind="share",
            stem=(
                f"{act_or_article(around.law, article, fact.text, rng)} 다음 규정에서 "
                f"{josa(name, '이/가')} {format_won(total)}이라면 "
                f"'일정 비율'에 해당하는 금액은? ({rule}.)"
            ),
            answer=format_won(answer),
            distractors=wrong,
            units=(article.id,),
            focus=(fact.line, figure.text),
            numeric=True,
            document=around.law.title,
            hard=True,
        )
        return


def _slips(fact: Fact, total: int, answer: int, rng: random.Random) -> list[int]:
    """Return the amounts that typical slips give: another share, a wrong decimal, the rest."""
    figure = next(f for f in find_figures(fact.text) if f.unit == "분의")
    others = [f for f in find_figures(fact.clause.article.text) if f.unit == "분의"]
    texts = [f.text for f in others] + near_values(figure, rng, 3)
    found = []
    for text in texts:
        parsed = find_figures(text)
        if parsed and parsed[0].value != figure.value:
            found.append(total * round(parsed[0].value * 1000) // 1000)
    found += [answer // 10, total - answer, answer * 10]
    slips = [n for n in dict.fromkeys(found) if 0 < n != answer and n <= 2 * total][:6]
    rng.shuffle(slips)
    return slips[:5]
