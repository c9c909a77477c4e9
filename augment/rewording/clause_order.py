"""Move the parts of a sentence of the law: conditions, receivers, objects, purposes, periods."""

from __future__ import annotations

import re

from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import tagged, topic_ends
from kofinlaw.data.korean.words import josa

__all__ = [
    "front_adverbial",
    "front_condition",
    "front_dative",
    "front_object",
    "object_as_topic",
]

_ADVERBIAL = re.compile(
    r"^(?P<who>[^,]{2,30}?)(?P<particle>은|는) (?P<case>[^,]{6,70}?(?:경우|때))에는,? (?P<rest>.+)$"
)


def front_condition(text: str) -> str:
    """Move a condition before its subject: `A는 B한 경우에는 …` → `B한 경우 A는 …`."""
    match = _ADVERBIAL.match(text)
    if not match or subject(text) != match.group("who"):
        return text
    if re.search(r"^(?:그|이|해당) |(?:경우|때)에는?(?= )|[은는] ", match.group("case")):
        return text
    who = match.group("who") + match.group("particle")
    return f"{match.group('case')}에 {who} {match.group('rest')}"


_DATIVE = re.compile(
    r"^(?P<head>.{0,300}?(?:[은는] |(?:경우|때)(?:에는)?,? ))(?P<object>[^,]{0,300}[을를] )"
    r"(?P<to>(?!그 )[가-힣ㆍ]{2,}(?:에게|에) )(?P<verb>[가-힣]+(?: [가-힣]+){0,2})$"
)


_OBJECT = re.compile(
    r"^(?P<head>.{0,300}?(?:[은는] |(?:경우|때)(?:에는|에)?,? |면 ))"
    r"(?P<how>(?:[^ ,]+ ){0,40}?[^ ,]+"
    r"(?:의하여|따라|통하여|에게|에|으로|까지|이내에|일간|년간|월간) )"
    r"(?P<object>(?:[^ ,]+ ){0,2}[^ ,]+[을를] )(?P<verb>[가-힣]+(?: [가-힣]+){0,2})$"
)
_MODIFIES = re.compile(r"(?:[는은한할된될인던운]|있을|없을|받을|[가-힣]려는|의) ")


def front_object(text: str) -> str:
    """Move an object before how or by when: `서면으로 의견을 낸다` → `의견을 서면으로 낸다`."""
    match = _OBJECT.match(text)
    if not match:
        return text
    thing, how = match.group("object"), match.group("how")
    if _MODIFIES.search(thing) or re.match(r"(?:그|이|이를|해당|각|및|또는) ?", thing):
        return text
    if re.search(r"(?:[여라고서에게로]|또는|및) ", thing):
        return text
    if re.search(
        r"(?:경우|때)(?:에는|에)?,? |[은는이가] |(?:하고|하며|거나|여) ", how
    ) or re.search(r"(?:및|또는) $", how):
        return text
    if not _whole_head(text, match.group("head")):
        return text
    return match.group("head") + thing + how + match.group("verb")


def _whole_head(text: str, head: str) -> bool:
    """Return whether the head ends with its topic or its condition, not inside a noun phrase."""
    bare = head.rstrip(" ,")
    if not bare.endswith(("은", "는")):
        return True
    return len(bare) in topic_ends(text)


def front_dative(text: str) -> str:
    """Move a receiver before the object: `주권을 그에게 준다` → `그에게 주권을 준다`."""
    match = _DATIVE.match(text)
    if not match or re.search(
        r"(?:경우|때)(?:에는|에)?,? |[은는] |(?:하고|하며|하여|해|거나) ", match.group("object")
    ):
        return text
    if not _whole_head(text, match.group("head")):
        return text
    return match.group("head") + match.group("to") + match.group("object") + match.group("verb")


_FRONTED = re.compile(
    r"^(?P<who>[^,]{2,30}?)(?P<topic>은|는) "
    r"(?P<case>[^,]{6,60}?(?:위하여|이내에|정하는 바에 따라)),? (?P<rest>.+)$"
)


def front_adverbial(text: str) -> str:
    """Move a purpose, a period or `정하는 바에 따라` before the subject.

    It stays where it may belong to a modifier: `이익을 위하여 설립한 법인을`.
    """
    match = _FRONTED.match(text)
    if not match or subject(text) != match.group("who"):
        return text
    start = match.start("rest")
    topics = [end for end in topic_ends(text) if match.start("case") < end <= start]
    marks = [(tag, at) for _, tag, at, _ in tagged(text) if tag in ("ETM", "JKO", "JKS")]
    named = any(tag == "JKS" for tag, at in marks if match.start("case") <= at < start)
    after = [tag for tag, at in marks if at >= start]
    if topics or named or (after and after[0] == "ETM"):
        return text
    who = match.group("who") + match.group("topic")
    return f"{match.group('case')} {who} {match.group('rest')}"


_MAIN_VERB = re.compile(
    r"(?:하여야 한다|해야 한다|할 수 있다|하여서는 아니 된다|할 수 없다|하지 못한다|한다)$"
)
_PLAIN_OBJECT = re.compile(
    r"(?P<before>^|.*[^,] )(?P<object>(?:[0-9A-Za-z가-힣ㆍ]+의 |[0-9A-Za-z가-힣ㆍ]+ (?:및|또는) )?"
    r"[0-9A-Za-z가-힣ㆍ]{2,})[을를] (?P<verb>(?:[^ ,]+ ){0,3}[^ ,]+(?: [^ ,]+)?)$"
)
_POINTING = re.compile(r"^(?:그|이|이를|해당|각|같은|다른|모든|필요한|일정한)(?: |$)")


def object_as_topic(text: str) -> str:
    """Make the object the topic: `은행은 결과를 알려야 한다` → `결과는 은행이 알려야 한다`.

    Only for an object without a clause before it, in a sentence with one topic and one clause.
    """
    who = subject(text)
    if not who or not text.startswith(who) or not _MAIN_VERB.search(text):
        return text
    if topic_ends(text) != {len(who) + 1} or "," in text:
        return text
    rest = text[len(who) + 2 :]
    match = _PLAIN_OBJECT.match(rest)
    if not match or _POINTING.search(match.group("object")):
        return text
    offset = len(who) + 2
    start, end = offset + match.start("object"), offset + match.end("object")
    verb_start = offset + match.start("verb")
    before = ""
    for form, tag, at, stop in tagged(text):
        if tag == "JKS" or (tag == "ETM" and at >= verb_start and form not in ("ᆯ", "을")):
            return text
        if tag == "EC" and verb_start <= at < len(text) - 6:
            return text
        if tag == "EC" and at < verb_start and form not in ("어", "아", "여", "어서", "아서"):
            return text
        if tag == "JKO" and at > end:
            return text
        if stop <= start:
            before = tag
    # A noun right before the object belongs to it; so does a verb before a noun (`정한 기준을`).
    if before.startswith(("N", "XS", "ETM", "JKG", "MM", "JC", "S")):
        return text
    thing, verb = match.group("object"), match.group("verb")
    return f"{josa(thing, '은/는')} {josa(who, '이/가')} {match.group('before')}{verb}".replace(
        "  ", " "
    )
