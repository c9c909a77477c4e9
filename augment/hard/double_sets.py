"""Yield double sets: two statements of an article in one sentence, each right or wrong (2×2).

`A는 …해야 하고, B는 …할 수 있다`: reading only one of the two statements leaves two options.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.hard.facts import clause_facts
from kofinlaw.augment.hard.slots import altered, read_slots
from kofinlaw.augment.hard.stems import asks, topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.hard.topic_sets import Statement
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.rewording.rewriting import Style, draw_style, rewrite
from kofinlaw.augment.rewording.runs import LONGEST_RUN, longest_run
from kofinlaw.augment.rewording.sentence_ends import connected

__all__ = ["KINDS", "LONGEST", "generate"]

KINDS = ("double_set",)
# Longest statement in characters, and the longest run that a statement may share with the law.
LONGEST = 95
ATTEMPTS = 4


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield a question for each two neighbouring statements of an article."""
    around = Surroundings(law, laws)
    for article in law.articles:
        found = []
        for fact in clause_facts(law, article.id):
            if len(fact.text) <= LONGEST:
                rng = source_rng(seed, "double", article.id, fact.clause.label)
                slots = tuple(read_slots(law, laws, fact, around.delegations, rng))
                if slots:
                    found.append(Statement(fact, slots))
        for first, second in itertools.pairwise(found):
            yield from _question(around, first, second, seed)


def _question(
    around: Surroundings, first: Statement, second: Statement, seed: int
) -> Iterator[Draft]:
    article = first.article
    source = around.source((article,))
    rng = source_rng(seed, "double_set", article.id, first.fact.line, second.fact.line)
    for _ in range(ATTEMPTS):
        style = draw_style(rng)
        subject = topic(around.law, around.laws, (article,), style, source, rng)
        ones, others = _both(first, style, rng), _both(second, style, rng)
        options = [_joined(one, other) for one in ones for other in others]
        runs = [longest_run(option, source) for option in options]
        if not all(options) or (runs[0] > LONGEST_RUN and sum(r >= runs[0] for r in runs) < 3):
            continue
        wrong = distinct(options[0], options[1:])
        if len(wrong) < 3:
            return
        yield Draft(
            kind="double_set",
            stem=asks(subject, negative=False, rng=rng),
            answer=options[0],
            distractors=wrong,
            units=(article.id,),
            focus=(first.fact.line, second.fact.line),
            document=around.law.title,
            hard=True,
        )
        return


def _both(statement: Statement, style: Style, rng: random.Random) -> tuple[str, str]:
    """Return the statement and its version with one slot altered."""
    # A figure or a party is better than an ending, whose right form can be guessed.
    rank = {slot: (slot.kind == "duty", rng.random()) for slot in statement.slots}
    slot = min(statement.slots, key=rank.__getitem__)
    false = altered(statement.fact, slot, rng.choice(slot.wrong[:2]))
    return rewrite(statement.fact.text, style), rewrite(false, style)


def _joined(one: str, other: str) -> str:
    """Return two statements as one sentence; empty where the first does not end in 다."""
    first = connected(one, "고")
    return f"{first}, {other}." if first else ""
