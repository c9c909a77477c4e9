"""Yield calculations of a last day: from the day of an event, by the law's period.

Periods are counted by the Civil Act (민법): the first day does not count (제157조); a period in
weeks, months or years ends on the day before the day that corresponds to its first day, or on the
last day of the month if there is none (제160조). 제161조 (a period that ends on a Saturday or
holiday) is left out, and the stem says so.
"""

from __future__ import annotations

import calendar
import datetime as dt
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.hard.facts import Fact, clause_facts
from kofinlaw.augment.hard.stems import act_or_article
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.figures import find_figures, near_values
from kofinlaw.augment.reading.particles import subject_topics, topic_as_subject, topic_ends
from kofinlaw.augment.rewording.clefts import OWN_TIME, relative_clause
from kofinlaw.augment.rewording.rewriting import draw_style, rewrite
from kofinlaw.augment.rewording.runs import longest_run
from kofinlaw.data.korean.words import josa

__all__ = ["KINDS", "generate", "last_day"]

KINDS = ("deadline",)
ATTEMPTS = 5
_PERIOD = re.compile(
    r"(?P<event>(?<!\S)\S*[가-힣](?:한|된|은|는|던|난|온|간|인) 날)부터 (?P<number>\d{1,3}) ?"
    r"(?P<unit>일|주일|주|개월|년) ?(?:이내|내|안)에,? "
)
# These days are counted by another rule, or it is not clear what they count from.
_UNCLEAR = re.compile(r"영업일|다음 날|기산|전날|말일|불변기간|소멸|시효")
# `그 신청을 받은 날`: nothing is before it in the question.
_POINTER = re.compile(r"^(?:그|이|해당|동|같은) ")
_UNTOLD = re.compile(
    r"^(?:그|이|해당|동|같은) |^(?:사유|사실|때|날|결과|기간|것|이)(?:[을를이가] |$)|경우|때"
)
_JOINED = re.compile(r"(?:[여쳐고며해]|아|어|[아어]서|으?면|따라|거나) ")
_CONDITION = re.compile(r"(?:(?:경우|때)(?:에는|에도|에|,)?|[가-힣]면|[가-힣]려면) ")
# `설치보고는 … 7일 이내에 해야 한다`: the topic is what is done, not who does it.
_TOPIC_IS_OBJECT = re.compile(r"(?:^|[^을를야] )(?:하여야 한다|해야 한다|한다|할 수 있다)$")
_RULE = "(초일은 산입하지 않으며, 말일이 토요일이나 공휴일인 경우는 고려하지 않는다)"


@dataclass(frozen=True)
class _Case:
    """A sentence with a period: its parts, and the period."""

    head: str
    event: str
    tail: str
    number: int
    unit: str


def last_day(event: dt.date, number: int, unit: str) -> dt.date:
    """Return the last day of a period of `number` 일, 주, 개월 or 년 that begins with an event.

    The day of the event does not count (민법 제157조). Weeks, months and years are counted by the
    calendar (제160조). Raises ValueError for an unknown unit.
    """
    if unit == "일":
        return event + dt.timedelta(days=number)
    if unit in ("주", "주일"):
        return event + dt.timedelta(days=7 * number)
    months = {"개월": number, "년": 12 * number}.get(unit)
    if months is None:
        raise ValueError(f"unknown unit {unit!r}; known: 일, 주, 주일, 개월, 년")
    first = event + dt.timedelta(days=1)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    if first.day > length:
        return dt.date(year, month + 1, length)
    return dt.date(year, month + 1, first.day) - dt.timedelta(days=1)


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield a question for each period of days, weeks, months or years after an event."""
    around = Surroundings(law, laws)
    for article in law.articles:
        for fact in clause_facts(law, article.id, closed=False):
            case = _case(fact)
            if case is not None:
                rng = source_rng(seed, "deadline", article.id, fact.clause.label)
                yield from _question(around, fact, case, rng)


def _case(fact: Fact) -> _Case | None:
    """Return the parts of a sentence with one period; None for another form."""
    text = fact.text
    match = _PERIOD.search(text)
    if not match or _UNCLEAR.search(text) or len(_PERIOD.findall(text)) > 1:
        return None
    # The event begins after the topic or the last comma before the period.
    before = text[: match.end("event")]
    ends = [e for e in topic_ends(text) if e < match.start("number")]
    ends += [m.end() for m in re.finditer(r", ", text[: match.start("number")])]
    start = max(ends, default=0)
    head = text[:start].strip()
    event = _POINTER.sub("", before[start:].strip(" ,"))
    tail = text[match.end() :]
    if not 4 <= len(event) <= 40 or not event.endswith("날") or _UNTOLD.search(event):
        return None
    # `7일 이내에 결정을 하고 결과를 지체 없이 알려야 한다`: the period is not that of the notice.
    if OWN_TIME.search(tail) or _TOPIC_IS_OBJECT.search(f"{head} {tail}"):
        return None
    # `의결을 거쳐 신청을 받은 날부터 … 통보한다`: which verb an adverb belongs to is open.
    if _JOINED.search(event) or _CONDITION.search(f"{head} ") or _CONDITION.search(f"{tail} "):
        return None
    return _Case(head, event, tail, int(match.group("number")), match.group("unit"))


def _as_clause(case: _Case) -> str:
    """Return the sentence without its period, before 마지막 날: its only topic with 이 or 가.

    Empty where it has another topic, or one that is no subject (`신청서에는`).
    """
    sentence = f"{case.head} {case.tail}".strip()
    topics = topic_ends(sentence)
    if len(topics) > 1 or topics != subject_topics(sentence):
        return ""
    for end in topics:
        sentence = topic_as_subject(sentence[:end]) + sentence[end:]
    return relative_clause(sentence)


def _question(around: Surroundings, fact: Fact, case: _Case, rng: random.Random) -> Iterator[Draft]:
    clause = _as_clause(case)
    if not clause:
        return
    source = around.source((fact.clause.article,))
    # The options are dates that no text holds, so a longer run of the stem gives nothing away.
    styles = [draw_style(rng) for _ in range(ATTEMPTS)]
    style = min(styles, key=lambda s: longest_run(rewrite(clause, s), source))
    event, asked = rewrite(case.event, style), rewrite(clause, style)
    for _ in range(ATTEMPTS):
        day = dt.date(rng.choice((2025, 2026, 2027)), rng.randint(1, 12), rng.randint(1, 28))
        day += dt.timedelta(days=rng.choice((0, 0, 0, 1, 2, 3)))
        answer = last_day(day, case.number, case.unit)
        stem = (
            f"{act_or_article(around.law, fact.clause.article, fact.text, rng)} 기간을 계산할 때, "
            f"{josa(event, '이/가')} {_date(day)}이라면 "
            f"{asked} 마지막 날은? {_RULE}"
        )
        wrong = _slips(fact, case, day, answer, rng)
        if len(wrong) < 3:
            continue
        yield Draft(
            kind="deadline",
            stem=stem,
            answer=_date(answer),
            distractors=tuple(map(_date, wrong)),
            units=(fact.clause.article.id,),
            focus=(fact.line, f"{case.number}{case.unit}"),
            numeric=True,
            document=around.law.title,
            hard=True,
        )
        return


def _slips(
    fact: Fact, case: _Case, day: dt.date, answer: dt.date, rng: random.Random
) -> list[dt.date]:
    """Return the days that typical slips give, at most five, in random order.

    The first day counted, one day too many, a month taken for 30 days or a year for 360, a period
    of another line of the article, and periods near the right one.
    """
    days = {"일": 1, "주": 7, "주일": 7, "개월": 30, "년": 360}[case.unit]
    found = [answer - dt.timedelta(days=1), answer + dt.timedelta(days=1)]
    found.append(day + dt.timedelta(days=days * case.number))
    others = [f for f in find_figures(fact.clause.article.text) if f.dimension == "days"]
    texts = [f.text for f in others]
    figure = find_figures(f"{case.number}{case.unit} 이내")[0]
    texts += near_values(figure, rng, 3)
    for text in texts:
        match = re.match(r"(\d+) ?(일|주일|주|개월|년)$", text)
        if match:
            found.append(last_day(day, int(match.group(1)), match.group(2)))
    slips = [d for d in dict.fromkeys(found) if d != answer]
    earlier, later = [d for d in slips if d < answer], [d for d in slips if d > answer]
    # The right day is the first, the last or between, as often: not always in the middle.
    number = min(rng.randint(0, 4), len(earlier))
    chosen = [*earlier[:number], *later[: 4 - number]]
    rng.shuffle(chosen)
    return chosen


def _date(day: dt.date) -> str:
    return f"{day.year}년 {day.month}월 {day.day}일"
