"""Turn a sentence of the law into a question or a noun phrase, by its ending.

`…하여야 한다.` gives `…하여야 하는가?` and `…하여야 하는`. A subject gets 이 or 가 in a noun
phrase.
"""

from __future__ import annotations

import re

from kofinlaw.augment.reading.names import is_name, subject
from kofinlaw.augment.reading.particles import has_topic, subject_topics, topic_as_subject
from kofinlaw.data.korean.words import josa

__all__ = [
    "as_modifier",
    "as_question",
    "as_quotation",
    "joins_another_subject",
    "leaves_only_list",
    "list_noun",
    "subordinate",
]

# `신청할 수 있으며, 기간은 …`; not `하고자 하는` and `않고는`.
_JOINT = re.compile(r"(?<=[가-힣])(?:며|고|되|지만|으나)(?:,? )(?!하는|한다)")
_ACTOR = re.compile(r"(?P<name>[가-힣ㆍ]{2,20})[이가] ")
_NIEUN = 4  # index of the final consonant ㄴ
# `신청서에는 …`, `정관에는 …`: without the topic particle. `신탁은 …`: with 이 instead.
_PLACE = re.compile(r"^\S+에는 ")
_TOPIC = re.compile(r"^(?P<noun>[가-힣]{2,})(?P<topic>[은는]) ")
# `다음 각 호의 어느 하나에 해당하는 경우에는`, `다음 각 호의 사항을`: the noun that the list gives.
_OPENS_LIST = re.compile(
    r"다음 각 ?호(?:(?:의| 가운데) (?:어느 하나|1)에 해당하는|에 해당하는|에서 정하는|에 따른|의) ?"
    r"(?P<noun>경우|때|행위|사항|업무|사람|자|조치|서류|요건|기준|사유|사무|정보|사업|방법|내용"
    r"|권한|재산|청구권|채권|기관|자료|금액|비용)"
    r"(?P<particle>에는|에(?! 관|대| 대| 따| 의)|를|을|이|가|은|는),? "
)
# `다음 각 호의 사항을 기재한 서면을`: the noun belongs to this verb, not to the sentence's.
_OF_ANOTHER_VERB = re.compile(r"[가-힣]+[한할된될는은] ")


# `다음 각 호의 어느 하나에 해당하는 사항을`, and a penalty, which says nothing of the act.
_LIST_ALONE = re.compile(
    r"다음 각 ?호(?:의|에)?(?: (?:어느 하나|1)에)?(?: 해당하는)? ?[가-힣ㆍ]{1,8}"
    r"(?:[을를은는이가]|에게|에는|에)?,? "
)
_PUNISHED = re.compile(
    r"(?<!\S)\S+ (?:이하|이상)의 \S+(?:(?: 또는|이나|에|과) \S+ (?:이하|이상)의 \S+)*"
    r"(?: 처한다| 부과한다)?"
)
SHORTEST_CONTENT = 12  # letters of a sentence without its party and its list that say enough
# `법 제2조에서 "대통령령으로 정하는 경우"란`: where the term is used, and the term.
_DEFINED = re.compile(
    r"(?P<where>[^\"“”]{2,60}?)에서 (?P<term>[\"“][^\"“”]{2,40}[\"”])(?:이란|란|이라 함은|라 함은)"
)


def _present(bare: str) -> str:
    """Return the sentence without 다 and with 는 or the stem's ㄴ; empty for an unknown ending."""
    if not bare.endswith("다") or len(bare) < 3:
        return ""
    stem = bare[:-1]
    if stem.endswith(("는", "있", "없")):
        return stem.removesuffix("는") + "는"
    if stem.endswith("이") or stem.endswith("아니"):
        return stem[:-1] + chr(ord(stem[-1]) + _NIEUN)
    offset = ord(stem[-1]) - ord("가")
    if 0 <= offset < 11172 and offset % 28 == _NIEUN:
        return stem[:-1] + chr(ord(stem[-1]) - _NIEUN) + "는"
    return ""


def as_modifier(sentence: str) -> str:
    """Return `…하여야 한다.` as `…하여야 하는`, the form before a noun.

    Empty for an unknown ending, and for a sentence whose second half has its own subject: of
    `…요청할 수 있으며, 기간은 산입하지 않는다` only that half would belong to the noun.
    """
    return "" if joins_another_subject(sentence) else _present(sentence.rstrip(". "))


def joins_another_subject(sentence: str) -> bool:
    """Return whether a second half after …(으)며, …고 or …되 has its own topic or party."""
    joint = _JOINT.search(sentence)
    if not joint:
        return False
    rest = sentence[joint.end() :]
    return bool(subject_topics(rest)) or any(
        is_name(match.group("name")) for match in _ACTOR.finditer(rest)
    )


def as_question(sentence: str) -> str:
    """Return `…하여야 한다.` as `…하여야 하는가?`; empty for an unknown ending."""
    form = _present(sentence.rstrip(". "))
    return f"{form}가?" if form else ""


def as_quotation(sentence: str) -> str:
    """Return `…하여야 한다.` as `…하여야 한다고`, and `…이다.` as `…이라고`.

    Empty for an unknown ending.
    """
    bare = sentence.rstrip(". ")
    if not _present(bare):
        return ""
    return bare[:-1] + "라고" if bare.endswith(("이다", "아니다")) else bare + "고"


def leaves_only_list(sentence: str) -> bool:
    """Return whether a sentence without its party says nothing but that it has a list.

    `다음 각 호의 사항을 협의ㆍ조정한다`, `다음 각 호의 자는 10년 이하의 징역에 처한다`: a reader
    without the list does not know what the question asks.
    """
    rest, lists = _LIST_ALONE.subn("", sentence)
    if not lists:
        return False
    said = re.sub(r"[^가-힣]", "", _PUNISHED.sub("", rest))
    return len(said) < SHORTEST_CONTENT


def subordinate(sentence: str) -> str:
    """Return the sentence with 이 or 가 after its subject, as in a clause before a noun.

    Empty where the sentence begins with a topic that is not the name of a party.
    """
    who = subject(sentence)
    if who:
        start = sentence.index(who)
        after = start + len(who) + 1
        return sentence[:start] + josa(who, "이/가") + sentence[after:]
    place = _PLACE.match(sentence)
    if place:
        return sentence[: place.end() - 2] + sentence[place.end() - 1 :]
    word = _TOPIC.match(sentence)
    if word and has_topic(word.group("noun") + word.group("topic")):
        return topic_as_subject(word.group(0).rstrip()) + sentence[word.end() - 1 :]
    return "" if has_topic(sentence) else sentence


def list_noun(lead: str) -> tuple[str, str] | None:
    """Return (the opening sentence as a phrase before a noun, the noun that its list gives).

    `위원회는 다음 각 호의 어느 하나에 해당하는 경우에는 조정을 거부할 수 있다.` gives
    (`위원회가 조정을 거부할 수 있는`, `경우`). `법 제2조에서 "…하는 경우"란 다음 각 호의 경우를
    말한다` gives (`법 제2조의`, `"…하는 경우"`). None where the sentence has another form.
    """
    match = _OPENS_LIST.search(lead)
    if not match or len(re.findall("각 ?호", lead)) > 1:
        return None
    noun, particle = match.group("noun"), match.group("particle")
    if noun == "자" and particle not in ("를", "는", "가"):
        return None
    rest = lead[match.end() :]
    head = lead[: match.start()]
    if rest.startswith("말한다"):
        # `법 제2조에서 "…하는 경우"란 다음 각 호의 … 경우를 말한다`: the term itself.
        term = _DEFINED.fullmatch(head.strip())
        return (f"{term.group('where')}의", term.group("term")) if term else None
    if particle in ("을", "를", "이", "가") and _OF_ANOTHER_VERB.match(rest):
        return None
    modifier = as_modifier(subordinate(head + rest))
    return (modifier, noun) if modifier and len(modifier) >= 8 else None
