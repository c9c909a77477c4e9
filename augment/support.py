"""Is an answer supported by the passage it was written from? Figures, articles, terms, negation.

Every check errs on the side of refusing: a sound answer that is lost costs one example, an
unsound one teaches the model a wrong deadline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.augment.clauses import brackets, clean, sentences
from kofinlaw.augment.law import normal, subject
from kofinlaw.augment.modality import reading
from kofinlaw.augment.quantities import quantities
from kofinlaw.data.korean import bigrams, content_morphemes

_ARTICLE = re.compile(r"제\d+조(?:의\d+)?|제\d+항|제\d+호")
_NUMBER = re.compile(r"\d+")
_NEGATION = re.compile(
    r"아니|않|없|못하|못한|금지|제외|안 된다|안 되|면제|거부|취소"
    r"|미만|초과|이상|이하|이내|이전|이후"
)
# What the sentence is about; 하는, 되는, 있는 … are verbs before a noun.
_TOPIC = re.compile(r"([가-힣]*[^\W\d하되있없받르지키치이])(?:은|는)(?= )")
# Words of asking and answering, not of the law.
_OPEN_WORDS = frozenset(["경우", "질문", "조문", "내용", "규정", "다음", "해당", "이것", "무엇"])


@dataclass(frozen=True)
class Verdict:
    """A check's name, whether it passed, and what it found."""

    check: str
    ok: bool
    detail: str = ""


def support(answer: str, passage: str) -> list[Verdict]:
    """The verdicts of all checks on an answer against the passage it cites."""
    passage = clean(passage)
    return [
        _figures(answer, passage),
        _articles(answer, passage),
        _terms(answer, passage),
        _negation(answer, passage),
        _actor(answer, passage),
    ]


def _figures(answer: str, passage: str) -> Verdict:
    held = {(q.dimension, round(q.value, 6)) for q in quantities(passage)}
    for quantity in quantities(answer):
        if (quantity.dimension, round(quantity.value, 6)) not in held:
            return Verdict("figures", False, quantity.text)
    bare = set(_NUMBER.findall(passage))
    wrong = [n for n in _NUMBER.findall(answer) if n not in bare]
    return Verdict("figures", not wrong, " ".join(wrong))


def _articles(answer: str, passage: str) -> Verdict:
    held = set(_ARTICLE.findall(passage))
    wrong = [a for a in _ARTICLE.findall(answer) if a not in held]
    return Verdict("articles", not wrong, " ".join(wrong))


def _terms(answer: str, passage: str) -> Verdict:
    """Every content word of the answer stands in the passage; long words as they are written."""
    held = set(content_morphemes([passage])[0])
    flat = normal(passage)
    missing = [
        word
        for word in content_morphemes([answer])[0]
        if len(word) > 1 and word not in held and word not in flat and word not in _OPEN_WORDS
    ]
    return Verdict("terms", not missing, " ".join(missing))


def _nearest(answer: str, passage: str) -> str:
    """The passage's sentence or 호 that shares most bigrams with the answer."""
    rows = [s for line in passage.split("\n") for s in sentences(_unbracketed(line))]
    wanted = set(bigrams(answer))
    return max(rows, key=lambda row: len(wanted & set(bigrams(row))), default="")


def _unbracketed(text: str) -> str:
    out, last = "", 0
    for start, end in brackets(text):
        out += text[last:start]
        last = end
    return out + text[last:]


def _negation(answer: str, passage: str) -> Verdict:
    """The same duty, permission or prohibition, and the same words of negation and bounds."""
    source = _nearest(answer, passage)
    said, meant = reading(_sentence(answer)), reading(source)
    if said and meant and said[2] != meant[2]:
        return Verdict("negation", False, f"{said[1]} / {meant[1]}")
    extra = _counts(answer, source)
    if extra:
        return Verdict("negation", False, " ".join(extra))
    if bool(said) != bool(meant) and re.search(r"다\.?$", _sentence(answer)) and meant:
        return Verdict("negation", False, f"{_sentence(answer)[-12:]} / {meant[1]}")
    return Verdict("negation", True)


def _sentence(answer: str) -> str:
    """The answer without a citation in brackets at its end."""
    return re.sub(r"\s*\([^()]*\)\.?$", "", answer.strip())


def _counts(answer: str, source: str) -> list[str]:
    held = _NEGATION.findall(source)
    extra = []
    for word in _NEGATION.findall(answer):
        if word in held:
            held.remove(word)
        else:
            extra.append(word)
    return extra


def _actor(answer: str, passage: str) -> Verdict:
    """Who the answer binds is who the nearest sentence binds, or someone it names as such."""
    source = _nearest(answer, passage)
    said, meant = subject(_sentence(answer)), subject(source)
    if said and meant and normal(said) != normal(meant):
        return Verdict("actor", False, f"{said} / {meant}")
    lost = [topic for topic in _TOPIC.findall(source)[:1] if topic not in answer]
    return Verdict("actor", not lost, " ".join(lost))


def supported(verdicts: Sequence[Verdict]) -> bool:
    """Whether every check passed."""
    return all(verdict.ok for verdict in verdicts)
