"""Tell whether a condition lost what its verb needs, because the law says it further ahead.

Of `영향을 줄 수 있는지를 검토하여 …, 심각한 영향을 줄 수 있다고 판단되는 경우` only the end is a
condition, and it does not say on what.
"""

from __future__ import annotations

import re

__all__ = ["lacks_argument"]

# Words that need another one with this particle before them, anywhere in the condition.
_NEEDED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(verb), re.compile(needed))
    for verb, needed in (
        (r"영향을 (?:주|줄|준|미치|미칠|미친|끼치|끼칠|끼친)", r"(?:에|에게|에까지)(?:도|만|는)? "),
        (r"(?:해당하|해당되|해당할|해당한|해당된)", r"(?:에|에도|에만) "),
        (r"(?:의하|의한|따른|따라) ", r"에 (?:의하|의한|따른|따라)"),
        (r"(?:관련되|관련된|관련한) ", r"(?:[와과이가에]|에서) "),
        (r"(?:응하|응한|응할|반하|반한|준하|준한|상당하|미달하|미달한)", r"에 "),
        (r"(?:비하여|대하여|관하여|비추어|갈음하|갈음할)", r"[에을를] "),
    )
)
# Verbs with an object, active and at the end of the condition.
_TRANSITIVE = re.compile(
    r"(?P<noun>제출|보고|통지|통보|고지|제시|기재|취소|변경|지정|선임|해임|임명|위촉|발행|양도|양수|취득|설정|제공|위반"
    r"|초과"
    r"|증명|소명|확인|체결|이행|부과|납부|지급|갱신|수행|작성|공개|공시|공고|처분|매각|매입|인수|교부"
    r"|반환|회수|보유|소유|처리|수집|이용|파기|삭제|정정|첨부|보완|제한|침해|방해|지연|해제|달성|보호|유지"
    r"|확보|연장|단축|면제|감면|조정)"
    r"(?:하는|한|할|하지 (?:아니|않)[가-힣]{0,20}|하려는|할 수 (?:있|없)는|하였[가-힣]{0,20}"
    r"|하기 (?:곤란|어려)[가-힣]{0,20})"
    r"(?: (?:필요가|우려가|염려가|수가) (?:있는|없는))? (?:경우|때)$"
)
_OBJECT = re.compile(r"[가-힣0-9」\"”)][을를](?= )|(?:[도만]|사항|여부) ")


def lacks_argument(case: str) -> bool:
    """Return whether the condition (`…한 경우`) does not say what its verb is about."""
    if any(verb.search(case) and not needed.search(case) for verb, needed in _NEEDED):
        return True
    last = _TRANSITIVE.search(case)
    # `승인 취소한 경우`, `신탁을 … 취소한 경우`: the object before the verb, with or without 을.
    return last is not None and not _OBJECT.search(case[: last.start()])
