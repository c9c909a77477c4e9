"""Decide from a question's words whether it asks for a choice or for a text."""

from __future__ import annotations

import re

__all__ = ["asks_both", "asks_choice", "asks_text", "asks_to_pick", "names_parts"]

_ORDER = r"(?:시오|세요|십시오|[으]?라(?![가-힣])|여라|거라|아라|어라|오[.?])"
# `번호를 쓰시오`, `기호를 나열하시오`: a choice, although something is written.
_NAMES_MARK = re.compile(
    r"(?:번호|기호|부호|보기)(?:만|[을를])?(?:를)?\s?(?:모두\s?|순서대로\s?|골라\s?|찾아\s?|각각\s?){0,3}"
    rf"(?:쓰|적으|써|적어|말하|나열하|제시하|고르)\s?{_ORDER}?"
)
_TRUE = r"(?:옳|맞|바르|올바르|알맞|적절하|적합하|적당하|타당하|정확하|틀리|잘못|그르|해당|거리)"
# A question that asks to pick one of what follows.
_PICKS = re.compile(
    r"고르시|고르세|고르라|고르면|고르십|고르고|골라|골라라|고른\s|고름|[은는인한될할된린른운난]\s?것은|것은\s?(?:[?？:：(\[]|\Z)"
    rf"|{_TRUE}[^\n?.]{{0,24}}것(?:[은을]|으로|만)"
    r"|것[을를]\s?(?:모두\s?|전부\s?)?(?:고|골|선택|찾)|선택하(?:시|세|라|십)|찾으시오|몇\s?번"
    r"|다음\s?(?:중|가운데)|아래\s?(?:중|가운데)|보기\s?(?:중|가운데)|[.중]\s?어느\s?것|짝지은\s?것"
    r"|[Ww]hich\b|[Cc]hoose\b|[Ss]elect\b|[Pp]ick\b"
)
_STRONGLY = re.compile(
    r"고르시|고르세|고르라|고르면|고르십|고르고|골라|고른\s?것|[은는인한될할된린른]\s?것은|것을\s?(?:모두\s?)?고|선택하(?:시|세|라|십)"
    r"|찾으시오|몇\s?번|어느\s?것|짝지은\s?것|[Ww]hich\b|[Cc]hoose\b|[Ss]elect\b"
)
_ASKS = re.compile(r"[은는]\s?무엇|무엇인가|어느|어떤|몇|누구|언제|얼마|해당하는|아닌\s?것")
_VERBS = (
    r"(?:설명|서술|기술|논술|논|약술|상술|진술|나열|열거|제시|비교|대조|정의|분석|평가|검토|요약|작성"
    r"|답변|예시|계산|산출|해설|증명|논증|추론|정리|기재|제안|구분|소개|언급|도출|설계)"
)
_WRITES = re.compile(
    rf"{_VERBS}\s?(?:하시오|하세요|하십시오|하라(?![가-힣])|하여라|해라|하시기|해\s?주|하여\s?주|해\s?보|해\s?줘"
    r"|하여\s?보|할\s?것(?![은을이도과])|하고\s?,?\s?[^?\n]{0,40}시오|바랍니다|하되[ ,])"
    rf"|(?:쓰|적으|밝히|구하|들어\s?보|답하|들|말하|논평하)\s?(?:시오|세요|십시오|라(?![가-힣]))"
    r"|(?:써|적어|말해|들어|알려|풀어)\s?(?:라(?![가-힣])|보[시세라]|\s?주[시세십]|\s?줘)"
    rf"|(?:[을를]|하여|해|관해|대해|관하여|대하여|간략히|간단히|각각|자세히)\s(?:{_VERBS[3:-1]})\.?\s*(?:\Z|\n|[(\[])"
    r"|[Ee]xplain\b|[Dd]escribe\b|[Dd]iscuss\b"
)
# `다음 물음에 답하시오` announces the question, which follows.
_ANNOUNCES = re.compile(
    r"(?:물음|질문|문제|문항|다음)에?\s?(?:각각\s?|모두\s?)?답하(?:시오|세요|십시오|라)[.:]?"
)
_PART = r"(?:[ㄱ-ㅎ㉠-㉭㉮-㉻가나다라마바사아자차카타파하①-⑳ⓐ-ⓩⅠ-Ⅻ]|[A-Na-n]|\d{1,2}|[oOxX○×])"
_COMBINED = re.compile(
    rf"[(\[]?{_PART}[)\].]?(?:\s?(?:[,、·/~→+&=:-]|및|과|와|-\s?>)?\s?[(\[]?{_PART}[)\].]?){{0,12}}"
    r"\s?(?:만|뿐)?"
)


def asks_to_pick(text: str) -> bool:
    """Return whether the text asks to pick something: `옳은 것은?`, `다음 중 …`, `고르시오`."""
    return bool(_PICKS.search(text))


def asks_choice(text: str) -> bool:
    """Return whether the text may ask for one of several options: it asks to pick, or what."""
    return bool(_PICKS.search(text) or _ASKS.search(text))


def asks_text(text: str) -> bool:
    """Return whether the text asks to explain, describe or write something.

    Of a text that also asks to pick (`옳은 것을 고르고 그 이유를 설명하시오`), the last demand
    decides.
    """
    picks, writes = _demands(text)
    return writes > picks


def asks_both(text: str) -> bool:
    """Return whether the text asks to pick and then to write (`고르고 … 설명하시오`)."""
    picks, writes = _demands(text)
    return writes > picks >= 0


def _demands(text: str) -> tuple[int, int]:
    """Return where the last demand to pick and the last one to write begin; -1 without one."""
    rest = _ANNOUNCES.sub("", _NAMES_MARK.sub("고르시오", text))
    picks, writes = (
        max((found.start() for found in pattern.finditer(rest)), default=-1)
        for pattern in (_STRONGLY, _WRITES)
    )
    return picks, writes


def names_parts(option: str) -> bool:
    """Return whether an option only names statements of the stem: `ㄱ, ㄷ`, `㉠-㉡-㉢`, `○, ×`."""
    return bool(_COMBINED.fullmatch(option.strip()))
