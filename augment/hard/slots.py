"""Find the bound slots of a fact, and the values that make it false.

A slot is one place of a sentence: a figure, its bound, the party that acts, duty or permission, the
act that is needed. Wrong values come from the neighbouring provisions, so that their words are in
the evidence and only the binding differs. In doubt a value is not used.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kofinlaw.augment.generators.false_figures import (
    bound_makes_false,
    figure_makes_false,
    other_figures,
)
from kofinlaw.augment.generators.false_parties import other_parties
from kofinlaw.augment.generators.falsity import modality_is_decided
from kofinlaw.augment.hard.condition_slots import false_cases
from kofinlaw.augment.hard.facts import Fact
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import bracketed
from kofinlaw.augment.reading.endings import (
    NEAREST_CONTRADICTION,
    allows,
    forbids,
    limits_to_one_party,
    read_ending,
)
from kofinlaw.augment.reading.figures import find_figures, is_half
from kofinlaw.augment.reading.names import is_name, normalize, subject
from kofinlaw.augment.reading.particles import replace_span
from kofinlaw.data.korean.words import bigrams

__all__ = ["FARTHEST", "Slot", "SlotKind", "altered", "read_slots"]

# A wrong figure is at most so many times the right one, or so small a part of it.
FARTHEST = 8.0
# Figures of the law's usual ones that are tried; those whose number the article has are used.
NEAR = 20
# Share of bigrams above which two sentences are about the same thing (0 to 1).
SAME_THING = 0.4
SlotKind = Literal["figure", "bound", "actor", "duty", "act", "condition"]

# Acts that are a right: who may do them can hardly be shown not to have to.
_RIGHT = re.compile(
    r"신청|제기|청구|행사|이의|항고|항소|상고|요구|요청|선택|주장|취소|해지|해제|철회|열람|항변|거절|거부|위임|위탁"
    r"|참여|출석|진술|제안|발의|면제|감경|감면|공탁|변제|양도|포기|대리|겸|둘|선임"
)
_BOUND = re.compile(r"\s?(?P<bound>이상|이하|미만|초과)(?![가-힣]{3})")
_BOUNDS = ("이상", "이하", "미만", "초과")
_GRANT = re.compile(r"(?<=의 )(?P<act>승인|허가|인가|동의)(?=[을를] 받)")
_GRANTS = ("승인", "허가", "인가", "동의")
# What a business does towards an authority or a party; each is another act.
_ACT = re.compile(
    r"(?<=[에게을를] )(?P<act>신고|등록|보고|통지|공고|공시|신청)(?=하여야 한다$|해야 한다$)"
)
_ACTS = ("신고", "등록", "보고", "통지", "공고", "공시", "신청")
_CLAUSE_WORD = re.compile(r"(?:면|때|경우|여|고|서|거나|은|는|한|된|의|에)(?:\s|$)")
# A figure that is a part of another: `9명 이내의 위원`, `위원장 1명을 포함한`.
_TRIVIAL = ("1명", "1인", "1회", "1개월 중")


@dataclass(frozen=True)
class Slot:
    """A place of a fact's text: `text[start:end]` is `value`; each of `wrong` makes it false."""

    kind: SlotKind
    start: int
    end: int
    value: str
    wrong: tuple[str, ...]


def altered(fact: Fact, slot: Slot, value: str) -> str:
    """Return the fact with another value in the slot, with the right particle after it."""
    return replace_span(fact.text, slot.start, slot.end, value)


def read_slots(
    law: Law, laws: Laws, fact: Fact, delegations: Sequence[str], rng: random.Random
) -> list[Slot]:
    """Return the slots of a fact that have at least one wrong value.

    Figures, parties and acts come from the text of the same article, so that the shown text holds
    the words of every version.

    Args:
        law: The act.
        laws: All acts; no altered fact is a sentence of one of them.
        fact: The fact.
        delegations: Sentences that delegate work, as `Law.delegations` has them.
        rng: Draws the order of the values.
    """
    near = fact.clause.article.text
    slots = [
        *_figures(fact, near, rng),
        *_bounds(fact),
        *_actors(law, fact, near, delegations, rng),
        *_duties(fact),
        *_grants(fact, near),
        *_acts_done(law, fact),
        *_conditions(law, fact, rng),
    ]
    out = []
    for slot in slots:
        wrong = tuple(
            value
            for value in slot.wrong
            if normalize(altered(fact, slot, value)) not in laws.sentences
        )
        if wrong:
            out.append(Slot(slot.kind, slot.start, slot.end, slot.value, wrong))
    return out


def _figures(fact: Fact, near: str, rng: random.Random) -> list[Slot]:
    text = fact.text
    found = find_figures(text)
    # A number of the article counts wherever it is (`제3항`, `2주`): its word is in the shown text.
    words = set(bigrams(near))
    # In the case of a bracket its own figure is right: `3개월(예비허가를 받은 경우 1개월) 이내`.
    cases = find_figures(bracketed(fact.clause.article, fact.origin.rstrip(". ")))
    out = []
    for figure in found:
        others = [f for f in found if f is not figure and f.dimension == figure.dimension]
        if others or figure.text in _TRIVIAL or text.count(figure.text) > 1:
            continue
        if is_half(text, figure):
            continue
        wrong = []
        for value in other_figures(figure, near, rng, NEAR):
            parsed = find_figures(value)[0]
            # `2개월` for `30일` is fine; 1명 for 9명 이내 is not worth asking.
            near_enough = 1 / FARTHEST <= parsed.value / (figure.value or 1) <= FARTHEST
            if any((c.dimension, c.value) == (parsed.dimension, parsed.value) for c in cases):
                continue
            if near_enough and value not in _TRIVIAL and figure_makes_false(text, figure, parsed):
                wrong.append(value)
        here = tuple(value for value in wrong if words.issuperset(bigrams(value)))
        out.append(Slot("figure", figure.start, figure.end, figure.text, here))
    return out


def _bounds(fact: Fact) -> list[Slot]:
    text = fact.text
    if allows(text) or forbids(text) or text.endswith(("지 아니한다", "없다")):
        return []
    found = find_figures(text)
    penal = re.search("벌칙|과태료|과징금", fact.clause.article.heading)
    if len(found) != 1 or penal or found[0].text in _TRIVIAL:
        return []
    match = _BOUND.match(text, found[0].end)
    if (
        not match
        or text.count(match.group("bound")) > 1
        or "범위" in text[match.end() : match.end() + 5]
    ):
        return []
    near = fact.clause.article.text
    wrong = tuple(
        b
        for b in _BOUNDS
        if b != match.group("bound")
        and b in near
        and bound_makes_false(text, found[0], match.group("bound"), b)
    )
    return [Slot("bound", match.start("bound"), match.end("bound"), match.group("bound"), wrong)]


def _actors(
    law: Law, fact: Fact, near: str, delegations: Sequence[str], rng: random.Random
) -> list[Slot]:
    text = fact.text
    who = subject(text)
    if not who or not text.startswith(who) or forbids(text) or not _clean_name(who):
        return []
    if text.endswith(("수 없다", "못한다")) or not _acts(text, who):
        return []
    rest = text[len(who) :]
    shared = "\n".join(sentence for sentence in delegations if who in sentence)
    wrong = [
        name
        for name in other_parties(law, fact.clause, who, rng)
        if _clean_name(name)
        and name not in rest
        and name not in shared
        and name in near
        and not _part_of(name, who)
        and not _does_so_too(law, fact, name)
    ]
    if not wrong:
        return []
    return [Slot("actor", 0, len(who), who, tuple(wrong))]


def _acts(text: str, who: str) -> bool:
    """Return whether the topic acts; in `감사는 공사가 선임한다` it does not."""
    rest = text[len(who) + 1 :]
    # Another party acts in a part of the sentence: `이사회는 … 구성하며, 이사장이 이를 소집한다`.
    if any(is_name(m.group(1)) for m in re.finditer(r"(?<![가-힣ㆍ])([가-힣ㆍ]+)[이가] ", rest)):
        return False
    if re.search(r"(?:야 한다|수 있다|아니 된다|아니된다)$", text):
        return True
    # The object is next to the verb: `위원장은 추천을 받아 총회에서 선임한다` has none.
    return bool(re.search(r"[을를] (?:\S+ )?\S+다$", rest)) and not re.search(
        r"[가-힣][이가] \S+다$", rest
    )


def _part_of(name: str, other: str) -> bool:
    """Return whether one name holds the other without its 등, or is the head of it.

    손해보험회사 and 보험회사등, 감사위원장 and 감사위원회, 금융감독원 and 금융감독원장.
    """
    one, two = (
        re.sub(r"(?<=위원)[장회]$|(?<=원)장$", "", normalize(n).removesuffix("등"))
        for n in (name, other)
    )
    return one in two or two in one


def _does_so_too(law: Law, fact: Fact, name: str) -> bool:
    """Return whether another sentence of the article says that the party does such a thing."""
    verb = fact.text.split()[-2:]
    for clause in law.by_article.get(fact.clause.article.id, ()):
        for sentence in (clause.main, *clause.rest):
            same = sentence.rstrip(". ").split()[-2:] == verb
            if sentence != fact.clause.main and same and name in sentence[:60]:
                return True
    return False


def _clean_name(name: str) -> bool:
    """Return whether it is a plain name, not a clause such as `대금이 지급되면 법원`."""
    words = name.split()
    if re.search(r" 및 | 또는 |[와과] ", name):
        return False
    return is_name(name) and not any(_CLAUSE_WORD.search(word) for word in words[:-1])


def _duties(fact: Fact) -> list[Slot]:
    ending = read_ending(fact.text)
    if not ending or "노력" in fact.text or limits_to_one_party(ending.before):
        return []
    if not modality_is_decided(fact.text, anywhere=True):
        return []
    # Who has a right to act may act or not, so a duty is not plainly false.
    tail = (ending.before[-12:] + ending.verb)[-14:]
    if ending.sense != "not" and _RIGHT.search(tail):
        return []
    if ending.sense == "not" and re.search(
        r"고는 |아니하고|않고|외에는|아니면|제외하고", ending.before
    ):
        return []
    start = len(ending.before) + len(ending.verb)
    wrong = (NEAREST_CONTRADICTION[ending.sense],)
    return [Slot("duty", start, start + len(ending.end), ending.end, wrong)]


def _grants(fact: Fact, near: str) -> list[Slot]:
    match = _GRANT.search(fact.text)
    if not match or any(f"{a}ㆍ" in near or f"ㆍ{a}" in near for a in _GRANTS):
        return []
    act = match.group("act")
    wrong = tuple(other for other in _GRANTS if other != act and other in near)
    return [Slot("act", match.start("act"), match.end("act"), act, wrong)]


def _acts_done(law: Law, fact: Fact) -> list[Slot]:
    """Return the slot of what must be done (신고, 등록, 보고 …), with other acts of the article.

    An act is not used if another sentence of the article needs it of the same thing.
    """
    match = _ACT.search(fact.text)
    if not match:
        return []
    act, thing = match.group("act"), set(bigrams(fact.text[: match.start()]))
    wrong = []
    for other in _ACTS:
        sentences = [
            sentence
            for clause in law.by_article[fact.clause.article.id]
            for sentence in (clause.main, clause.proviso, *clause.rest)
            if other in sentence
        ]
        similar = any(
            len(thing & set(bigrams(s))) > SAME_THING * max(len(thing), 1) for s in sentences
        )
        if other != act and sentences and not similar:
            wrong.append(other)
    return [Slot("act", match.start("act"), match.end("act"), act, tuple(wrong))]


def _conditions(law: Law, fact: Fact, rng: random.Random) -> list[Slot]:
    found = false_cases(law, fact.clause, fact.text, rng)
    if found is None:
        return []
    here, wrong = found
    return [Slot("condition", here.start, here.end, here.case, wrong)]
