"""Penalties: what an act is punished with, what a penalty punishes, which article was violated."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.clauses import Clause, simplify
from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.enumerations import content, resembles
from kofinlaw.augment.generators.names import normal
from kofinlaw.augment.generators.quantities import near, quantities
from kofinlaw.data.korean.words import josa

_MONEY = r"\d[\d,천백십억만]*\s?원"
_SANCTION = re.compile(
    rf"(?:\d+년 이하의 (?:징역|금고)(?:(?:이나| 또는) {_MONEY} 이하의 벌금)?"
    rf"|{_MONEY} 이하의 (?:벌금|과태료))"
)
_VIOLATES = re.compile(
    r"^(?P<article>제\d+조(?:의\d+)?(?:제\d+항)?(?:제\d+호)?)[을를] 위반하여 (?P<deed>.+)$"
)
_POINTS = re.compile(r"같은 [조항호]|동[조항]|각 호|이 조")
_DEED_END = re.compile(r"(자|행위|경우|사람)$")
LONGEST_DEED = 80
# `필요한 조치를 하지 아니한 자` could be met by several articles; longer deeds name theirs.
SHORTEST_DEED = 18
# Share of bigrams from which two deeds are much the same; half of them end in 하지 아니한 자.
ALIKE = 0.4


@dataclass(frozen=True)
class Offence:
    """A 호 of a penal clause: what is done, with what it is met."""

    clause: Clause
    text: str
    deed: str
    article: str
    sanction: str


def offences(law: Law) -> list[Offence]:
    """Short offences of the act whose clause names one sanction."""
    out = []
    for clause in law.clauses:
        sanctions = _SANCTION.findall(clause.main)
        if len(sanctions) != 1 or "각 호" not in clause.main or clause.restricted:
            continue
        for item in clause.items:
            text, restricted = simplify(item)
            text = text.rstrip(". ")
            if (
                restricted
                or _POINTS.search(text)
                or len(text) > LONGEST_DEED
                or not _DEED_END.search(text)
            ):
                continue
            match = _VIOLATES.match(text)
            deed = match.group("deed") if match else text
            article = match.group("article") if match else ""
            out.append(Offence(clause, text, deed, article, sanctions[0]))
    return out


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Questions both ways for each offence; by clause what is not met with its sanction."""
    known = offences(law)
    by_clause: dict[tuple[str, str], list[Offence]] = {}
    for offence in known:
        by_clause.setdefault((offence.clause.article.id, offence.clause.label), []).append(offence)
        rng = source_rng(seed, "penalty", offence.clause.article.id, normal(offence.text))
        yield from _sanction_of(law, offence, known, rng)
        yield from _violated(law, offence, known, rng)
    for (article, label), group in by_clause.items():
        rng = source_rng(seed, "penalty_group", article, label)
        yield from _grouped(law, group, known, rng)


def _sanction_of(
    law: Law, offence: Offence, known: list[Offence], rng: random.Random
) -> Iterator[Draft]:
    if sum(normal(o.text) == normal(offence.text) for o in known) > 1:
        return
    real = [o.sanction for o in known if o.clause.article.id == offence.clause.article.id]
    rng.shuffle(real)
    wrong = distinct(offence.sanction, [*real, *_varied(offence.sanction, rng)])
    if len(wrong) >= 3:
        yield Draft(
            kind="penalty",
            stem=f'{law_name(law.title)}상 "{offence.text}"에 대한 벌칙 또는 과태료는?',
            answer=offence.sanction,
            distractors=wrong[:8],
            units=(offence.clause.article.id,),
            focus=(offence.clause.main[:40], offence.text[:25]),
            numeric=True,
            document=law.title,
        )


def _varied(sanction: str, rng: random.Random) -> list[str]:
    """The sanction with one of its figures changed."""
    out = []
    for quantity in quantities(sanction):
        for text in near(quantity, rng, 3):
            out.append(sanction[: quantity.start] + text + sanction[quantity.end :])
    rng.shuffle(out)
    return out


def _violated(
    law: Law, offence: Offence, known: list[Offence], rng: random.Random
) -> Iterator[Draft]:
    if (
        not offence.article
        or len(offence.deed) < SHORTEST_DEED
        or sum(o.deed == offence.deed for o in known) > 1
    ):
        return
    deed = [content(offence.deed)]
    home = [o for o in known if o.article and not resembles(o.deed, deed, ALIKE)]
    home.sort(key=lambda o: (o.clause is not offence.clause, rng.random()))
    stem_article = offence.article.split("조")[0]
    apart = [o.article for o in home if o.article.split("조")[0] != stem_article]
    wrong = distinct(offence.article, apart)
    where = f"{law_name(law.title)} {offence.clause.article.number}"
    topic = josa(offence.deed, "은/는")[len(offence.deed) :]
    if len(wrong) >= 3:
        yield Draft(
            kind="violated_article",
            stem=f'{where}에 따르면 "{offence.deed}"{topic} 어느 규정을 위반한 것인가?',
            answer=offence.article,
            distractors=wrong[:8],
            units=(offence.clause.article.id,),
            focus=(offence.text[:30],),
            document=law.title,
        )


def _grouped(
    law: Law, group: list[Offence], known: list[Offence], rng: random.Random
) -> Iterator[Draft]:
    """Which deed is not met with the clause's sanction, and which one is."""
    clause, sanction = group[0].clause, group[0].sanction
    listed = {normal(o.deed) for o in group}
    body = [content(text) for text in clause.items]
    foreign = [
        o
        for o in known
        if o.sanction != sanction
        and len(o.deed) >= SHORTEST_DEED
        and normal(o.deed) not in listed
        and not resembles(o.deed, body, ALIKE)
    ]
    foreign.sort(key=lambda o: (o.clause.article.id != clause.article.id, rng.random()))
    # With the article that is violated: 보고를 하지 아니한 자 alone may be another's deed too.
    deeds = [o.text for o in group if len(o.deed) >= SHORTEST_DEED]
    rng.shuffle(deeds)
    name = f"{law_name(law.title)} {clause.article.number}에서 {sanction}"
    for odd in foreign[:2]:
        wrong = distinct(odd.text, deeds[:6])
        if len(wrong) >= 3:
            yield Draft(
                kind="penalty_not",
                stem=f"{name}의 대상으로 정한 것이 아닌 것은?",
                answer=odd.text,
                distractors=wrong,
                units=(clause.article.id,),
                focus=(clause.main[:40], *(d[:20] for d in wrong[:4])),
                negative=True,
                document=law.title,
            )
    if not deeds:
        return
    wrong = distinct(deeds[0], [o.text for o in foreign[:8]])
    if len(wrong) >= 3:
        yield Draft(
            kind="penalty_named",
            stem=f"{name}의 대상으로 정한 것은?",
            answer=deeds[0],
            distractors=wrong,
            units=(clause.article.id,),
            focus=(clause.main[:40], deeds[0][:20]),
            document=law.title,
        )
