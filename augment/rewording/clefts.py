"""Move a slot to the end of its sentence: `… 알려야 하는 기간은 2주 이내이다`.

There the slot has other words around it than in the law, so that no run of letters leads to it.
"""

from __future__ import annotations

import re

from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import topic_ends
from kofinlaw.augment.reading.phrasing import as_modifier
from kofinlaw.data.korean.words import josa

__all__ = ["OWN_TIME", "actor_last", "period_last", "relative_clause"]

# Endings whose sentence reads well as a clause; not `본다` or `잃는다`.
_ENDINGS = ("수 있다", "수 없다", "한다", "된다", "진다", "받는다", "둔다")
# A second verb with a time of its own: `3개월 이내에 결정하고, 그 결과를 지체 없이 알려야 한다`.
OWN_TIME = re.compile(r"지체 ?(?:없이|하지)|즉시|바로 |곧바로|지체없이")
_WITHIN = re.compile(r"(?P<bound> ?이내| ?내)에,? |(?P<for>간|동안| 동안) ")


def relative_clause(sentence: str) -> str:
    """Return the sentence as a clause before a noun (`…하여야 하는`); empty for none."""
    return as_modifier(sentence) if sentence.endswith(_ENDINGS) else ""


def period_last(sentence: str, period: str) -> str:
    """Return the sentence with its period at the end; empty where it has another form.

    `period` is the figure, of which the sentence holds exactly one.
    """
    start = sentence.find(period)
    match = _WITHIN.match(sentence, start + len(period))
    if start < 0 or not match or not re.search(r"[일월년주간]$", period):
        return ""
    rest = sentence[:start] + sentence[match.end() :]
    if OWN_TIME.search(sentence, match.end()):
        return ""
    who, topics = subject(rest), topic_ends(rest)
    if re.search(r"[으없]면 ", rest) or len(topics) > 1:
        return ""
    if topics and not (who and rest.startswith(who) and len(who) + 1 in topics):
        return ""
    if who and topics:
        rest = josa(who, "이/가") + rest[len(who) + 1 :]
    clause = relative_clause(rest)
    if not clause or len(sentence) - match.end() < 6:
        return ""
    return f"{clause} 기간은 {period}{' 이내' if match.group('bound') else ''}이다"


def actor_last(sentence: str, name: str) -> str:
    """Return the sentence with its subject at the end; empty where it has another form."""
    if not sentence.startswith(name) or sentence[len(name) : len(name) + 2] not in ("은 ", "는 "):
        return ""
    rest = sentence[len(name) + 2 :]
    if re.search(r"(?:^|[^가-힣])(?:그|자기|자신)의? ?", rest[:14]):
        return ""
    clause = relative_clause(rest)
    return f"{clause} 자는 {name}이다" if clause else ""
