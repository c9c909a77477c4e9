"""Yield questions that bind a violation to its sanction, which the law states in another line."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.hard.rewriting import draw_style, rewrite
from kofinlaw.augment.hard.runs import LONGEST_RUN, longest_run
from kofinlaw.augment.hard.stems import asks, topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.offences import SHORTEST_VIOLATION, Offence, read_offences

__all__ = ["KINDS", "generate"]

KINDS = ("sanction",)
ATTEMPTS = 5


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield a question for each violation whose article has at least three other sanctions."""
    around = Surroundings(law, laws)
    known = [o for o in read_offences(law) if len(o.violation) >= SHORTEST_VIOLATION]
    for offence in known:
        # Two clauses may punish the same violation, by who did it.
        if sum(normalize(o.violation) == normalize(offence.violation) for o in known) > 1:
            continue
        here = [o for o in known if o.clause.article.id == offence.clause.article.id]
        others = [s for s in dict.fromkeys(o.sanction for o in here) if s != offence.sanction]
        if len(others) < 3 or not offence.violation.endswith(("자", "사람")):
            continue
        rng = source_rng(seed, "sanction", offence.clause.article.id, normalize(offence.text))
        yield from _question(around, offence, here, others, rng)


def _statement(offence: Offence, sanction: str) -> str:
    # Without the provision that it violates, it may be another offence (`신용공여를 한 자`).
    done = offence.text
    if sanction.endswith("과태료"):
        return f"{done}에게는 {sanction}를 부과한다"
    return f"{done}는 {sanction}에 처한다".replace("사람는", "사람은")


def _question(
    around: Surroundings,
    offence: Offence,
    here: Sequence[Offence],
    others: list[str],
    rng: random.Random,
) -> Iterator[Draft]:
    article = offence.clause.article
    source = around.source((article,))
    rng.shuffle(others)
    for _ in range(ATTEMPTS):
        style = draw_style(rng)
        subject = topic(around.law, around.laws, (article,), style, source, rng)
        texts = [
            rewrite(_statement(offence, s), style) + "." for s in (offence.sanction, *others[:4])
        ]
        runs = [longest_run(text, source) for text in texts]
        if runs[0] > LONGEST_RUN and sum(run >= runs[0] for run in runs[1:]) < 2:
            continue
        options = distinct(texts[0], texts[1:])
        if len(options) < 3:
            return
        openings = [o.clause.main[:40] for o in here if o.sanction in others[:4]]
        yield Draft(
            kind="sanction",
            stem=asks(subject, negative=False, rng=rng),
            answer=texts[0],
            distractors=options,
            units=(article.id,),
            focus=(offence.clause.main[:40], offence.text[:25], *dict.fromkeys(openings)),
            document=around.law.title,
            hard=True,
        )
        return
