"""Rewrite a sentence of the law by rule, so that it means the same and is no copy of the law.

A rule replaces function words or verbs, joins nouns with another particle, reverses a list or moves
a part. No rule touches a figure, a party, a negation or the text inside quotation marks. All
options of a question about one statement are rewritten with the same `Style`.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.rewording.clause_order import (
    front_adverbial,
    front_condition,
    front_dative,
    front_object,
    object_as_topic,
)
from kofinlaw.augment.rewording.function_words import WORDS, Rule, contract, negation
from kofinlaw.augment.rewording.noun_phrases import (
    drop_genitive,
    join_nouns,
    reverse_lists,
    split_pairs,
    split_verbs,
)
from kofinlaw.augment.rewording.plain_verbs import plain_verbs
from kofinlaw.augment.rewording.plain_words import plain_figures, plain_words
from kofinlaw.augment.rewording.sentence_ends import ban, duty, keep, possibility, state

__all__ = ["RULES", "Rule", "Style", "draw_style", "rewrite"]

_QUOTED = re.compile(r"「[^「」]*」|[\"“][^\"“”]*[\"”]|['‘][^'‘’]*['’]")


@dataclass(frozen=True)
class Style:
    """The drawn form of each choice that the rules leave open, as (pattern, replacement) by rule.

    `front` moves a condition before its subject, and `topic` makes the object the topic.
    """

    front: bool
    topic: bool = False
    forms: dict[str, int] = field(default_factory=dict)


RULES: dict[str, tuple[Rule, ...]] = {
    "lists": (keep, reverse_lists),
    "two_verbs": (split_verbs,),
    "join": (join_nouns,),
    "order": (front_dative, front_object),
    "verbs": (plain_verbs,),
    "words": (plain_words,),
    "figures": (plain_figures,),
    "possibility": (possibility, keep),
    "duty": (duty, keep),
    "ban": (ban,),
    "genitive": (drop_genitive,),
    **WORDS,
    "pairs": (split_pairs,),
    "state": (state,),
    "negation": (negation,),
    "contract": (contract,),
}


def draw_style(rng: random.Random) -> Style:
    """Draw one of the forms of each rule."""
    forms = {name: rng.randrange(len(choices)) for name, choices in RULES.items()}
    return Style(front=rng.random() < 0.6, topic=rng.random() < 0.5, forms=forms)


def rewrite(text: str, style: Style) -> str:
    """Return the text with every rule applied outside quotation marks, in the given style."""
    if not subject(text):  # A thing has no 의무: `수표는 … 발행하여야 한다`.
        style = replace(style, forms={**style.forms, "duty": 1})
    if style.topic:
        text = object_as_topic(text)
    if style.front:
        text = front_adverbial(front_condition(text))
    out, last = [], 0
    for match in _QUOTED.finditer(text):
        out += [_rewritten(text[last : match.start()], style), match.group(0)]
        last = match.end()
    out.append(_rewritten(text[last:], style))
    return re.sub(r" +", " ", "".join(out)).strip()


def _rewritten(text: str, style: Style) -> str:
    for name, choices in RULES.items():
        text = _applied(choices[style.forms.get(name, 0) % len(choices)], text)
    return text


@lru_cache(maxsize=20_000)
def _applied(rule: Rule, text: str) -> str:
    """Return the text after one rule. The styles that are tried share most of these steps."""
    return rule(text)
