"""Decide which parties a sentence cannot apply to, or act towards.

The rules are those of `falsity`: in doubt a party is not used. `reading.parties` says which parties
of an act overlap.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from kofinlaw.augment.generators.similarity import drop_overlapping_names, names_overlap
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.delegation import delegating_sentences
from kofinlaw.augment.reading.kinds import party_class
from kofinlaw.augment.reading.names import addressees, subject

__all__ = ["other_addressees", "other_parties"]

# What only an authority does, and authorities that other laws let do nearly anything.
_AUTHORITY = re.compile(
    r"(?:결정|재판|판결|명령|허가|인가|승인|심문|송달|고시|공고|처분|지도|감독|검사|취소|정지|지정|부과|징수|위촉|선임"
    r"|해임)(?:을|를|ㆍ|하|할|한|도)|명하|명할"
)
_MAY_ANYTHING = re.compile(r"^(?:법원|정부|국가|대통령|검사|국무총리|지방자치단체)$")
# What only a human does, and names of humans.
_OF_A_HUMAN = re.compile(r"대표하|대표한|연임|임기|선서|출석하|퇴임|재직|의장이 된|겸직|겸임")
_HUMAN = re.compile(r"(?:장|장관|이사|감사|위원|임원|직원|인|자|사원|주주|검사|회원|고객)$")


def other_parties(law: Law, clause: Clause, name: str, rng: random.Random) -> tuple[str, ...]:
    """Return at most eight parties to whom the clause's sentence about `name` cannot apply.

    Excluded are parties that overlap with `name` in the act, parties with a word of the name, and
    parties to which the article delegates work, or to which the act, its decree or its parent
    delegate work of `name`, because they may act in another's place, and those that delegate work
    to `name`. Where `name` is anyone who did something, no party of the article is used. Parties
    that the article mentions come first, then those that are plausible (`_plausible`). Only a human
    represents, attends or is re-elected.
    """
    words = {w for w in name.split() if len(w) > 1}
    own = "\n".join(delegating_sentences([clause.article]))
    delegates = {actor for actor in law.actors if actor != name and actor in own}
    delegates |= law.delegates_of(name) | law.delegators_of(name)
    apart = [
        other
        for other in law.actors
        if other not in law.parties.local_names
        and not words & set(other.split())
        and not names_overlap(other, name)
        and not any(law.parties.overlap(other, delegate) for delegate in delegates)
        and not law.parties.may_hold_for(other, name)
    ]
    applied = " ".join(law.applied.get(clause.article.number, ()))
    apart = [other for other in apart if other not in applied]
    if name in law.parties.open_roles:
        apart = [other for other in apart if other not in clause.article.text]
    if party_class(name) == "state" and _AUTHORITY.search(clause.main):
        apart = [
            other
            for other in apart
            if party_class(other) != "private" and other not in ("직원", "임직원")
        ]
    if _OF_A_HUMAN.search(clause.main):
        apart = [other for other in apart if _HUMAN.search(other)]
    acting = {
        who
        for near in law.by_article.get(clause.article.id, ())
        for who in (subject(near.main), *addressees(near.main))
    }
    here = [
        other
        for other in apart
        if other in clause.article.text
        and (
            other in acting
            or (party_class(other) == party_class(name) and not _both_bodies(name, other))
        )
    ]
    elsewhere = [
        other
        for other in apart
        if other not in here
        and _plausible(law, clause, name, other)
        and not _MAY_ANYTHING.search(other)
        and not _both_bodies(name, other)
    ][:12]
    rng.shuffle(here)
    rng.shuffle(elsewhere)
    return _different_parties(law, drop_overlapping_names(name, [*here, *elsewhere]))[:8]


def _both_bodies(first: str, second: str) -> bool:
    """Return whether both are businesses. One company may be both, unless an article has both act.

    외부평가기관 may be a 신용평가회사, 채권금융회사 a 대부채권매입추심업자.
    """
    return party_class(first) == party_class(second) == "body"


def _different_parties(law: Law, names: Sequence[str]) -> tuple[str, ...]:
    """Return the parties without those that overlap an earlier one.

    금융위원회 and 금융위원장 among the wrong options would both be refused at sight.
    """
    out: list[str] = []
    for name in names:
        if not any(law.parties.overlap(name, other) for other in out):
            out.append(name)
    return tuple(out)


def _plausible(law: Law, clause: Clause, name: str, other: str) -> bool:
    """Return whether a party that the article does not name could be taken for `name`.

    It is of the same class (`보험계약자` does not convene a board), or it acts in the same chapter
    and both are organisations or officers.
    """
    kind, found = party_class(name), party_class(other)
    if kind == found:
        return True
    together = clause.article.path in law.chapters_of.get(other, ())
    return together and "private" not in (kind, found) and bool(kind and found)


def other_addressees(law: Law, clause: Clause, name: str, rng: random.Random) -> tuple[str, ...]:
    """Return the parties towards whom the sentence does not act:
    also none that it names in another role.

    `전자금융업자에게 행하는 통지를 (   )에게 할 수 있다` may mean 전자금융업자 and its kinds too.
    """
    named = [actor for actor in law.actors if actor != name and actor in clause.main]
    return tuple(
        other
        for other in other_parties(law, clause, name, rng)
        if not any(law.parties.overlap(other, actor) for actor in named)
    )
