"""Write noun phrases in another way: 및 → 와, 또는 → 이나, 의 left out, lists in another order."""

from __future__ import annotations

import re

from kofinlaw.augment.reading.particles import tagged
from kofinlaw.data.korean.words import josa, particle_pair

__all__ = ["drop_genitive", "join_nouns", "reverse_lists", "split_pairs", "split_verbs"]

_VERBAL = re.compile(r"(?:(?:[하했되받]|시키)[가-힣]{0,20}|[할한함된될]|시킨|시킬)[,.]?$")
_NOT_A_NOUN = re.compile(
    r"(?:[을를에는은며고면나]|에서|에게|까지|부터|으로|하여|거나|[가-힣]지|않|때|경우)$"
)
# What ends before a further noun of a list.
_JOINTS = ("과 ", "와 ", "및 ", "또는 ", "나 ", "ㆍ", ", ")
_JOINED = re.compile(
    r"(?<![0-9A-Za-z가-힣ㆍ])(?P<a>[0-9A-Za-z가-힣ㆍ]+) (?P<word>및|또는) (?P<b>\S+)"
)


def join_nouns(text: str) -> str:
    """Join nouns with 와/과 instead of 및, and with (이)나 instead of 또는."""

    def joined(match: re.Match[str]) -> str:
        a, b = match.group("a"), match.group("b")
        if (
            match.string[: match.start()].endswith(("과 ", "와 "))
            or _NOT_A_NOUN.search(a)
            or _VERBAL.search(b)
            or _VERBAL.search(a)
        ):
            return match.group(0)
        pair = "과/와" if match.group("word") == "및" else "이나/나"
        return f"{josa(a, pair)} {b}"

    return _JOINED.sub(joined, text)


_BODY = r"[가-힣]*(?:위원회|총회|이사회|장관|법원|회사|은행|조합|금고|중앙회|업자|기관|원장|정부)"
_GENITIVE = re.compile(
    rf"(?<![가-힣0-9])(?P<owner>{_BODY})의 (?=(?:승인|허가|인가|결의|동의|임원|직원|주식|자본금"
    r"|정관|업무|의결|심의|결정|명령|요청|등록)(?:[을를이가은는에]|으로)(?![가-힣]))"
    r"|(?<![가-힣0-9])(?P<thing>[가-힣]{2,})의 (?=(?:"
    r"변경|설립|해산|폐지|합병|양도|등기|발행|작성|종류|방법|절차|내용|명칭|범위"
    r"|기준|요건|결과|기간|지급|비율|금액|제출|찬성|출석|제공|보호|이용|처리|운영"
    r"|관리|지원|조성|집행|처분|취득|사용|공개|보존|지정|신청|청구|심사|조사|검사"
    r"|평가|구성|임기|소재지|취소|정지|해임|선임|임명|위촉|추천|보고|통지|공고"
    r"|체결|이행|양수|매각|매수|보관|반환|상환|정산|보전|배상|보상|열람|교부|발급"
    r"|송달|수립|시행|개발|육성|촉진|향상|강화|확보|안정|발생|종료|개시|진행|계산"
    r"|산정|적립|납입|납부|징수|부과|감면|면제|행사|제한|금지|수집|전송|파기|삭제"
    r"|정정|거래|인수|출자|회수|감독|설치|가입|탈퇴|소집|개최"
    r")(?:[을를이가은는에]|으로)(?![가-힣]))"
)
_PERSON_END = re.compile(r"(?:자|인|원|주|사|관|장)$")
_NOT_AN_OWNER = re.compile(
    r"(?:이상|이하|이내|미만|초과|각각|기타|상당|외|밖|다음|등|간|중|후|전|자기|자신|본인|타인|일부|전부|일정|소정|분|별도|복수|특정)$"
)
_PAIR = re.compile(
    r"(?<![가-힣ㆍ])(?P<a>[가-힣]{2,3})ㆍ(?P<b>[가-힣]{2,3})(?=(?:[을를이가은는의에]|에서|으로)(?![가-힣]))"
)


def drop_genitive(text: str) -> str:
    """Drop 의 between a noun and what it has: `주주총회의 결의` → `주주총회 결의`."""

    def bare(match: re.Match[str]) -> str:
        owner = match.group("owner") or match.group("thing")
        if match.string[: match.start()].endswith(_JOINTS):
            return match.group(0)
        person = match.group("thing") and _PERSON_END.search(owner)
        return match.group(0) if person or _NOT_AN_OWNER.search(owner) else f"{owner} "

    return _GENITIVE.sub(bare, text)


def split_pairs(text: str) -> str:
    """Write a pair of nouns with 와/과: `일시ㆍ장소를` → `일시와 장소를`."""

    def pair(match: re.Match[str]) -> str:
        a, b = match.group("a"), match.group("b")
        if len(a) != len(b) or b.endswith(("자", "인", "사", "장", "원")):
            return match.group(0)
        return f"{josa(a, '과/와')} {b}"

    return _PAIR.sub(pair, text)


_ITEM = r"[0-9A-Za-z가-힣]{2,}"
_LIST = re.compile(
    rf"(?<![0-9A-Za-z가-힣ㆍ])(?P<items>{_ITEM}(?:(?:ㆍ|, ){_ITEM}){{0,40}})"
    rf"(?P<joint> 및 | 또는 |ㆍ)(?P<last>{_ITEM}?)"
    r"(?P<particle>을|를|이|가|은|는|으로|로|의|에|에게)(?=[ ,]|$)"
)
# What a list has before it, if all of its items are in the list: a particle or an ending.
_BEFORE_A_LIST = ("JKS", "JKO", "JKB", "JX", "EC")
_IN_AN_ITEM = ("NNG", "NNP", "XSN", "XPN", "SL")
_ORDERED = re.compile(
    r"^(?:전부|일부|본인|기타|이상|이하|등|각|그|자기|당사자|각각)$|(?:등|적)$|\d"
)


def reverse_lists(text: str) -> str:
    """Write a list of nouns in the reverse order: `성명 및 주소를` → `주소 및 성명을`.

    A list with a modifier stays, because the modifier may belong to its first item only.
    """
    for match in reversed(list(_LIST.finditer(text))):
        items = [*re.split(r"ㆍ|, ", match.group("items")), match.group("last")]
        if any(_ORDERED.search(item) for item in items) or not _is_list(text, match):
            continue
        joint = match.group("joint") if match.group("joint") != "ㆍ" else " 및 "
        *others, last = reversed(items)
        pair = particle_pair(match.group("particle"))
        ending = josa(last, pair) if pair else last + match.group("particle")
        text = f"{text[: match.start()]}{', '.join(others)}{joint}{ending}{text[match.end() :]}"
    return text


def _is_list(text: str, match: re.Match[str]) -> bool:
    """Return whether the items are nouns, and nothing around the list belongs to one of them."""
    start, end = match.start("items"), match.end("last")
    before = ""
    after = ""
    for form, tag, at, stop in tagged(text):
        if stop <= start:
            before = tag
        elif at >= end and not after and tag.startswith("E"):
            after = tag
        elif at < end and not (
            tag in _IN_AN_ITEM or form in ("및", "또는", "ㆍ", "·", ",") or tag.startswith("SP")
        ):
            return False
    # `법인 또는 대통령령으로 정하는 단체`: what follows belongs to the last item only.
    return after != "ETM" and (not before or before in _BEFORE_A_LIST)


_TWO_VERBS = re.compile(
    r"(?P<a>[가-힣]{2})ㆍ(?P<b>[가-힣]{2})(?=(?:하여야 한다|해야 한다|할 수 있다|한다)$)"
)
_OR_VERBS = re.compile(r"(?P<a>[가-힣]{2})ㆍ(?P<b>[가-힣]{2})(?=(?:하여서는|해서는) (?:아니|안))")


def split_verbs(text: str) -> str:
    """Write two verbs apart: `조사ㆍ분석하여야 한다` → `조사하고 분석하여야 한다`."""
    text = _TWO_VERBS.sub(lambda m: f"{m.group('a')}하고 {m.group('b')}", text)
    return _OR_VERBS.sub(lambda m: f"{m.group('a')}하거나 {m.group('b')}", text)
