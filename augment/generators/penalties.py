"""Ask about penalties: an offence's sanction, a sanction's offences, the violated article."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.falsity import (
    articles_not_violated,
    offences_punished_otherwise,
    other_sanctions,
)
from kofinlaw.augment.generators.stems import QUOTED_SHARE, choose, closing
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.offences import SHORTEST_VIOLATION, Offence, read_offences
from kofinlaw.data.korean.words import josa

__all__ = ["generate"]


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """Ask for the sanction and the violated article of each offence,
    then questions over each penal clause.
    """
    known = read_offences(law)
    by_clause: dict[tuple[str, str], list[Offence]] = {}
    for offence in known:
        by_clause.setdefault((offence.clause.article.id, offence.clause.label), []).append(offence)
        rng = source_rng(seed, "penalty", offence.clause.article.id, normalize(offence.text))
        yield from _sanction_of(law, offence, known, rng)
        yield from _violated(law, offence, known, rng)
    for (article, label), group in by_clause.items():
        rng = source_rng(seed, "penalty_group", article, label)
        yield from _grouped(law, group, known, rng)


def _sanction_of(
    law: Law, offence: Offence, known: Sequence[Offence], rng: random.Random
) -> Iterator[Draft]:
    """Ask which sanction the offence carries, unless two clauses list the offence."""
    if sum(normalize(o.text) == normalize(offence.text) for o in known) > 1:
        return
    wrong = other_sanctions(offence, known, rng)
    if len(wrong) >= 3:
        yield Draft(
            kind="penalty",
            stem=_sanction_stem(law, offence, rng),
            answer=offence.sanction,
            distractors=wrong[:8],
            units=(offence.clause.article.id,),
            focus=(offence.clause.main[:40], offence.text[:25]),
            numeric=True,
            document=law.title,
        )


def _sanction_stem(law: Law, offence: Offence, rng: random.Random) -> str:
    """Return a stem that gives the offence and asks for its sanction."""
    name, text = law_name(law.title), offence.text
    end = closing(rng)
    quoted = [
        f'{name}상 "{text}"에 대한 벌칙 또는 과태료는?',
        f'{name}상 "{text}"에 대한 제재로 {end}',
    ]
    plain = [
        f"{name}상 {text}에 대한 벌칙 또는 과태료는?",
        f"{name}에 따를 때 {text}에 대한 제재로 {end}",
        f"{name}상 {text}에 대하여 정한 벌칙 또는 과태료는 무엇인가?",
        f"{text}에 대하여 {name}에서 정한 제재는?",
        f"{name}에서 {text}에 대한 처벌 또는 과태료로 {end}",
    ]
    return choose(quoted if rng.random() < QUOTED_SHARE else plain, rng)


def _group_stem(name: str, rng: random.Random, *, negative: bool) -> str:
    """Return a stem that gives the sanction (`name`) and asks for an offence."""
    end = closing(rng, negative=negative)
    if negative:
        forms = [
            f"{name}의 대상으로 정한 것이 아닌 것은?",
            f"{name}의 대상이 아닌 것은?",
            f"{name}의 대상에 해당하지 않는 것은?",
            f"다음 중 {name}의 대상으로 규정되지 않은 것은?",
            f"{name}의 대상으로 {end}",
        ]
    else:
        forms = [
            f"{name}의 대상으로 정한 것은?",
            f"{name}의 대상에 해당하는 것은?",
            f"다음 중 {name}의 대상으로 규정된 것은?",
            f"{name}의 대상이 되는 것은?",
            f"{name}의 대상으로 {end}",
        ]
    return choose(forms, rng, negative=negative)


def _violated(
    law: Law, offence: Offence, known: Sequence[Offence], rng: random.Random
) -> Iterator[Draft]:
    """Ask which provision the offence violates."""
    if (
        not offence.article
        or len(offence.violation) < SHORTEST_VIOLATION
        or sum(o.violation == offence.violation for o in known) > 1
    ):
        return
    wrong = articles_not_violated(offence, known, rng)
    where = f"{law_name(law.title)} {offence.clause.article.number}"
    topic = josa(offence.violation, "은/는")[len(offence.violation) :]
    if len(wrong) >= 3:
        yield Draft(
            kind="violated_article",
            stem=choose(
                [
                    f'{where}에 따르면 "{offence.violation}"{topic} 어느 규정을 위반한 것인가?',
                    f"{where}에 따르면 {offence.violation}{topic} 어느 규정을 위반한 것인가?",
                    f"{where}에 따를 때 {offence.violation}{topic} 무슨 규정을 어긴 것인가?",
                ],
                rng,
            ),
            answer=offence.article,
            distractors=wrong[:8],
            units=(offence.clause.article.id,),
            focus=(offence.text[:30],),
            document=law.title,
        )


def _grouped(
    law: Law, group: Sequence[Offence], known: Sequence[Offence], rng: random.Random
) -> Iterator[Draft]:
    """Ask which offence does not carry the clause's sanction, and which one does."""
    clause, sanction = group[0].clause, group[0].sanction
    foreign = offences_punished_otherwise(group, known, rng)
    # The text names the violated article: 보고를 하지 아니한 자 alone may be another offence too.
    listed = [o.text for o in group if len(o.violation) >= SHORTEST_VIOLATION]
    rng.shuffle(listed)
    name = f"{law_name(law.title)} {clause.article.number}에서 {sanction}"
    for odd in foreign[:2]:
        wrong = distinct(odd.text, listed[:6])
        if len(wrong) >= 3:
            yield Draft(
                kind="penalty_not",
                stem=_group_stem(name, rng, negative=True),
                answer=odd.text,
                distractors=wrong,
                units=(clause.article.id,),
                focus=(clause.main[:40], *(text[:20] for text in wrong[:4])),
                negative=True,
                document=law.title,
            )
    if not listed:
        return
    wrong = distinct(listed[0], [o.text for o in foreign[:8]])
    if len(wrong) >= 3:
        yield Draft(
            kind="penalty_named",
            stem=_group_stem(name, rng, negative=False),
            answer=listed[0],
            distractors=wrong,
            units=(clause.article.id,),
            focus=(clause.main[:40], listed[0][:20]),
            document=law.title,
        )
