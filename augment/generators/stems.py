"""Word the stem of a question: how it names the act, what it asks, and how it ends.

Exams word their stems in many ways, most without a quotation and without the number of an article.
Each function draws one of several forms. A form is used only if its polarity can be read from it
(`choose`): `…할 수 없는 경우에 해당하는 것은?` looks like a negative stem.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from kofinlaw.augment.generators.drafts import must_cite
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.particles import has_pair, in_both_forms
from kofinlaw.data.korean.words import josa
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.records import Article

__all__ = [
    "BLANK",
    "CITED_SHARE",
    "QUOTED_SHARE",
    "SHORTEST_HEADING",
    "blank",
    "choose",
    "closing",
    "fill_in",
    "opening",
    "subject_matter",
]

BLANK = "(   )"
# Shares of the stems (0 to 1) that cite the article where they need not, and that quote the law
# where they can do without.
CITED_SHARE = 0.2
QUOTED_SHARE = 0.15

# Letters of a heading that says enough without its number (`직무` does not).
SHORTEST_HEADING = 4
_OPENINGS = (
    "{law}에 따르면",
    "{law}에 따를 때",
    "{law}의 규정에 따르면",
    "{law}에서 정한 바에 따르면",
    "{law}이 정하는 바에 따를 때",
    "{law}에 의하면",
    "{law}의 내용에 비추어 볼 때",
    "{law}을 기준으로 할 때",
)
_RIGHT = (
    "옳은 것은?",
    "맞는 것은?",
    "올바른 것은?",
    "가장 적절한 것은?",
    "옳은 것을 고르시오.",
    "옳은 것은 무엇인가?",
    "바른 것은?",
    "타당한 것은?",
)
_WRONG = (
    "옳지 않은 것은?",
    "틀린 것은?",
    "잘못된 것은?",
    "맞지 않는 것은?",
    "적절하지 않은 것은?",
    "옳지 않은 것을 고르시오.",
    "옳지 않은 것은 무엇인가?",
    "가장 적절하지 않은 것은?",
)
_FILLERS = (
    "빈칸에 들어갈 말로 {end}",
    "빈칸에 들어갈 내용으로 {end}",
    "(   )에 들어갈 것으로 {end}",
    "(   ) 안에 알맞은 것은?",
    "빈칸에 알맞은 것은?",
    "빈칸을 채우는 말로 {end}",
)
_MATTERS = ("{law}상 {topic}", "{law}에서 정한 {topic}", "{law}에 따른 {topic}", "{law}의 {topic}")


def choose(forms: Sequence[str], rng: random.Random, *, negative: bool = False) -> str:
    """Return one of the forms whose polarity is read as it is meant; empty where there is none."""
    fitting = [form for form in forms if form and is_negative(form) == negative]
    return rng.choice(fitting) if fitting else ""


def closing(rng: random.Random, *, negative: bool = False) -> str:
    """Return the end of a stem that asks for the right or the wrong one: `옳은 것은?`."""
    return rng.choice(_WRONG if negative else _RIGHT)


def opening(clause: Clause, rng: random.Random, *, cited: bool = False) -> str:
    """Return how a stem begins: `「법」에 따르면`, `「법」 제9조제1항에 따를 때`.

    The article is cited for a share of the stems, where the sentence refers to its own article, and
    with `cited`.
    """
    law = f"「{clause.article.title}」"
    if cited or must_cite(clause) or rng.random() < CITED_SHARE:
        law += f" {clause.citation}"
    form = rng.choice(_OPENINGS)
    name = form.replace("{law}을", josa(law, "을/를")).replace("{law}이", josa(law, "이/가"))
    return name.format(law=law)


def subject_matter(
    article: Article, rng: random.Random, headings: Sequence[str], *, cited: bool = False
) -> str:
    """Return what a statement is about: `「법」상 보험료의 납부`, or `「법」 제3조(보험료의 납부)`.

    The number is left out for most articles whose heading no other article has (`headings` are
    those of the act), unless `cited`.
    """
    law = f"「{article.title}」"
    if not article.heading:
        return f"{law} {article.number}"
    # Some texts write `제12조 ((보고의무 등))`.
    shown = re.sub(r"^\((.*)\)$", r"\1", article.heading)
    vague = len(shown) < SHORTEST_HEADING or headings.count(article.heading) > 1
    if cited or vague or rng.random() < CITED_SHARE:
        return f"{law} {article.number}({shown})"
    return rng.choice(_MATTERS).format(law=law, topic=shown)


def blank(text: str, start: int, end: int, options: Sequence[str]) -> str:
    """Return the text with a blank from `start` to `end`.

    A particle after it is given in both forms where the options take different ones: `(   )을(를)`.
    """
    tail = text[end:]
    if not has_pair(options, tail):
        tail = in_both_forms(tail)
    return text[:start] + BLANK + tail


def fill_in(clause: Clause, gapped: str, rng: random.Random, *, cited: bool = False) -> str:
    """Return a stem that asks for the blank of a sentence, quoted for a share of the stems."""
    start = opening(clause, rng, cited=cited)
    end = rng.choice(_FILLERS).format(end=closing(rng))
    if rng.random() < QUOTED_SHARE:
        return rng.choice(
            [f'{start} 다음 {end} "{gapped}"', f'다음은 {_part(start)} {end} "{gapped}"']
        )
    return rng.choice([f"{start} {_sentence(gapped)} {end}", f"{start}, {_sentence(gapped)} {end}"])


def _part(start: str) -> str:
    """Return `「법」의 내용이다.` from an opening."""
    law = re.match(r"「[^」]+」(?: 제\d+조(?:의\d+)?(?:제\d+항(?:의\d+)?)?)?", start)
    return f"{law.group(0) if law else start}의 내용이다."


def _sentence(text: str) -> str:
    """Return the text with a full stop."""
    return text if text.endswith((".", "?")) else f"{text}."
