"""Duty, permission, prohibition: what a sentence's ending says, and the other endings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.drafts import LONGEST_QUOTE, Draft, cite, source_rng

_DUTY = r"하여야 한다|해야 한다"
_MAY = r"할 수 있다"
_NOT = (
    r"하여서는 아니 된다|하여서는 아니된다|해서는 아니 된다|해서는 안 된다|할 수 없다|하지 못한다"
)
_ENDING = re.compile(rf"(?P<verb>[가-힣ㆍ]*?)(?P<end>{_DUTY}|{_MAY}|{_NOT})\.?$")
_BAN = re.compile(r"(?:서는 (?:아니 ?|안 ?)된다|수 없다|지 못한다)\.?$")
# `인증심사원만 수행할 수 있다`: nobody else may, as with 수행하여야 한다.
_ONLY = re.compile(r"[가-힣]만 (?:\S+ ){0,2}$")
# Only readings that are false beside the true one: who may also may leave it, so `may` has no
# 하지 아니할 수 있다 beside it, and neither has a prohibition.
_OTHERS = {
    "duty": ("할 수 있다", "하여서는 아니 된다", "하지 아니할 수 있다", "하도록 노력하여야 한다"),
    "may": ("하여야 한다", "하여서는 아니 된다", "하도록 노력하여야 한다", "한 것으로 본다"),
    "not": ("하여야 한다", "할 수 있다", "하도록 노력하여야 한다", "한 것으로 본다"),
}


def reading(sentence: str) -> tuple[str, str, str] | None:
    """(what comes before the verb, the verb with its ending, `duty`, `may` or `not`)."""
    match = _ENDING.search(sentence.rstrip(". "))
    if not match:
        return None
    end = match.group("end")
    sense = "duty" if re.fullmatch(_DUTY, end) else "may" if re.fullmatch(_MAY, end) else "not"
    return sentence[: match.start()], match.group("verb") + end, sense


def forbids(sentence: str) -> bool:
    """Whether the sentence is a ban, whatever its verb (넘겨서는 안 된다)."""
    return bool(_BAN.search(sentence.rstrip()))


def allows(sentence: str) -> bool:
    """Whether the sentence is a permission, whatever its verb (둘 수 있다)."""
    return sentence.rstrip(". ").endswith("수 있다")


def others(ending: str, sense: str) -> list[str]:
    """The same verb with the endings that would make the sentence false."""
    match = _ENDING.search(ending)
    verb = match.group("verb") if match else ""
    return [verb + other for other in _OTHERS[sense]]


def flip(sentence: str) -> str:
    """The sentence with the nearest other ending (duty ↔ permission, prohibition → permission)."""
    found = reading(sentence)
    if not found:
        return ""
    before, ending, sense = found
    # `허가를 받지 아니하고는 할 수 있다` is no sentence.
    if _ONLY.search(before) or (sense == "not" and "고는 " in before):
        return ""
    other = {"duty": 0, "may": 0, "not": 1}[sense]
    return f"{before}{others(ending, sense)[other]}."


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """One blank for the ending of each short sentence that binds, allows or forbids."""
    for clause in law.clauses:
        found = reading(clause.main)
        if not found or not 30 <= len(clause.main) <= LONGEST_QUOTE or clause.proviso:
            continue
        before, ending, sense = found
        if "노력" in before[-8:] or len(before) < 15 or _ONLY.search(before):
            continue
        rng = source_rng(seed, "modality", clause.article.id, clause.label)
        yield Draft(
            kind="modality",
            stem=f'{cite(clause, rng)}의 다음 빈칸에 알맞은 것은? "{before.rstrip()} (   )."',
            answer=ending,
            distractors=tuple(others(ending, sense)),
            units=(clause.article.id,),
            focus=(clause.main[-25:],),
            document=law.title,
        )
