"""Write a rule's actor and condition in the first person, and ask what the rule says for it.

`임차인은 … 통지한 경우에는 … 하여야 한다` gives `저는 임차인입니다. … 통지했습니다. 어떻게 해야
하나요?` The query holds who acts and when, and leaves out what the rule says.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from kofinlaw.augment.reading.acts import Laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.conditions import clear_alone, condition_of, without_subject
from kofinlaw.augment.reading.endings import allows, forbids
from kofinlaw.augment.reading.names import acting_subject
from kofinlaw.augment.reading.particles import has_topic
from kofinlaw.augment.retrieval.query_text import LONGEST, SHORTEST, Query, without_citations

__all__ = ["happened", "scenario_queries"]

# The end of a condition before its noun, and the same as the end of a spoken sentence.
_HAPPENED = tuple(
    (re.compile(pattern + r" ?(?:경우|때)$"), new)
    for pattern, new in (
        (r"지 (?:아니한|아니하는|않은|않는)", "지 않았습니다"),
        (r"하려는", "하려고 합니다"),
        (r"하고자 하는", "하려고 합니다"),
        (r"받으려는", "받으려고 합니다"),
        (r"(?<=[이가을를는은에] )있는", "있습니다"),
        (r"(?<=수 )있는", "있습니다"),
        (r"(?<=[이가을를는은에수] )없는", "없습니다"),
        (r"받은", "받았습니다"),
        (r"얻은", "얻었습니다"),
        (r"알게 된", "알게 되었습니다"),
        (r"(?<=[가-힣])하는", "합니다"),
        (r"(?<=[가-힣])되는", "됩니다"),
        (r"(?<=[가-힣])된", "되었습니다"),
        (r"(?<!필요)(?<!중요)(?<!부당)(?<!현저)(?<!정당)(?<!부득이)(?<=[가-힣])한", "했습니다"),
    )
)
_BODY = re.compile(r"(?:회사등?|업자|은행|법인|기관|조합|협회|중앙회|공사|센터|가맹점)$")
_AUTHORITY = re.compile(r"(?:위원회|법원|정부|국가|지방자치단체|이사회|심의회|조정부|감독원)$")
_OFFICE = re.compile(r"(?:장관|청장|원장|위원장|대통령|시장|서장|지사|의 장)$")
# `분실을 통지하려는 자는 … 하여야 한다`: what somebody does, and the rule for it.
_DOER = re.compile(
    r"^(?P<act>[^,]{8,90}[한하는받된은]) (?:자|사람|회사|법인|경우)(?:는|은|에는) (?P<rule>.{8,})$"
)
_ELSEWHERE = re.compile(r"각 ?호|(?:수 있습니다|인정합니다|판단합니다)\.$")
_DUTY = re.compile(r"야 한다\.?$")


def happened(case: str) -> str:
    """Return `분실을 통지한 경우` as `분실을 통지했습니다`; empty for an unknown ending."""
    for pattern, new in _HAPPENED:
        if pattern.search(case):
            return pattern.sub(new, case)
    return ""


def scenario_queries(laws: Laws, rng: random.Random) -> Iterator[Query]:
    """Yield a scenario for one clause of each article that has an actor and one condition."""
    for law in laws.acts:
        for article in law.articles:
            clauses = law.by_article.get(article.id, ())
            made = [query for clause in clauses if (query := _scenario(clause))]
            if made:
                yield rng.choice(made)


def _scenario(clause: Clause) -> Query | None:
    sentence = clause.main.rstrip(". ")
    situation = _in_first_person(sentence)
    asked = _asked(sentence)
    if not situation or not asked or _ELSEWHERE.search(situation):
        return None
    text = without_citations(f"{situation} {asked}")
    if not SHORTEST <= len(text) <= LONGEST:
        return None
    return Query(text, clause.article.id, sentence)


def _in_first_person(sentence: str) -> str:
    """Return who speaks and what happened; empty if the sentence does not say both."""
    who, condition = acting_subject(sentence), condition_of(sentence)
    if who and condition is not None:
        case = without_subject(condition.case)
        event = happened(case) if clear_alone(case) else ""
        return f"{_speaker(who)} {event}." if event else ""
    doer = _DOER.match(sentence)
    case = f"{doer.group('act')} 경우" if doer else ""
    event = happened(case) if case and not has_topic(case) and clear_alone(case) else ""
    return f"{event}." if event else ""


def _speaker(who: str) -> str:
    """Return how the one who acts says who is speaking."""
    if _AUTHORITY.search(who):
        return f"저는 {who}에서 일합니다."
    if _OFFICE.search(who):
        return f"저는 {who} 밑에서 일합니다."
    return f"저희 회사는 {who}입니다." if _BODY.search(who) else f"저는 {who}입니다."


def _asked(sentence: str) -> str:
    """Return what is asked, by the sense of the rule; empty for a rule that binds nobody."""
    if forbids(sentence):
        return "무엇을 하면 안 되나요?"
    if allows(sentence):
        return "제가 할 수 있는 일은 무엇인가요?"
    return "어떻게 해야 하나요?" if _DUTY.search(sentence) else ""
