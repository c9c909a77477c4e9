"""Detect negative stems of multiple-choice questions (`옳지 않은 것은?`)."""

from __future__ import annotations

import re

__all__ = ["is_negative"]

# Remarks after the question: `(단, …)`, `(다툼이 있으면 판례에 따름)`, `[1점]`, a blank `(  )`.
_REMARK = re.compile(
    r"(?<!\s)\s*+(?:\([^()]*\)|\[[^\[\]]*\]|<[^<>]*>|【[^【】]*】)\s*+[.?？]*+\s*+\Z"
)
# What follows the thing that is asked for: `… 것은 무엇인가?`, `… 것을 모두 고르시오.`
_TAIL = (
    r"(?:만)?(?:[은는을를이가]|으로|로)?"
    r"(?:\s*(?:모두|전부|각각|하나(?:만|를|을)?|한\s*가지(?:만|를)?)){0,5}"
    r"(?:\s*(?:무엇|어느|어떤|어디|누구|몇|고르|고른|고름|골라|찾으|찾는|선택하|짝지|묶)[^?？]{0,200})?"
    r"[\s?？.:,]*+\Z"
)
# Adjectives and verbs that ask for an option that is not so, whatever is asked for.
_NOT_SO = (
    r"(?:(?:옳|맞|바르|올바르|알맞|적절하|적합하|적당하|타당하|바람직하|정확하|일치하|부합하|마땅하"
    r"|(?:해당|포함|명시|규정|열거|언급|인정|제공|표시|고려|요구)\s?(?:하|되)|속하|들어가|나타나"
    r"|(?:되|하)어\s*있|돼\s*있"
    r"|관련(?:이\s*)?있|사용(?:하|되))지\s*(?:않는|않은|않을|아니하는|아니한|못한|못하는)"
    r"|(?:적절|적합|적당|타당|마땅|알맞|온당)[치지]\s*(?:않은|않는|못한|못하는)"
    r"|해당\s*(?:안\s*되는|없는)|(?:되|하)고\s*있지\s*(?:않은|않는)|[가-힣]\)?[이가]?\s*아닌|아닌"
    r"|틀린|그른|잘못된|잘못\s*[가-힣]{1,5}|어긋나는|어긋난|벗어난|벗어나는|무관한"
    r"|(?:거리|관련|관련성|관계|연관|연관성)(?:[이가은는도])?\s*(?:가장\s*)?(?:먼|멀다고\s*보는|적은|없는|없다고\s*보는)"
    r"|상관(?:이\s*)?없는|부적절한|부적합한|부적당한|부정확한|옳지|맞지"
    r"|(?:볼|간주할|인정할|해당할|포함할|포함될|라고\s*(?:말|설명)?할|다고\s*(?:말|설명)?할)\s*수\s*없는)"
)
# Any denial before these asks for the option that is not so: `필요로 하지 않는 것은?`
_HEAD = (
    r"(?:것|보기|항목|사항|내용|설명|진술|행위|조치|기능|작업|일|업무|권한|옵션|정보|요소|서류"
    r"|장치|지문)"
)
_DENIED = r"(?:지\s*(?:않는|않은|않을|아니하는|아니한|못한|못하는)|없는)"
# Persons, places and cases that a law denies something are what the law itself lists:
# `임원이 될 수 없는 자는?` is a positive question.
_LISTED = r"(?:자|사람|곳|때|경우)"
# A word of the thing that is asked for, without a particle that would make it another clause.
_HEAD_WORD = r"[^\s?？.,]{0,60}[^\s?？.,의에을를은는로고면시도며나]"
_NEGATIVE = re.compile(
    rf"{_NOT_SO}\s*+(?:것|{_LISTED}|(?:{_HEAD_WORD}\s++)?{_HEAD_WORD}?){_TAIL}"
    rf"|{_DENIED}\s*{_HEAD}{_TAIL}"
    r"|(?:옳|맞|바르|올바르|알맞)지\s*(?:않게|못하게)\s*[가-힣]{1,6}\s*것[은을]?[\s?？.]*\Z"
)
# What a duty does not cover is listed by the law: `동의를 받지 않아도 되는 경우는?`
_FREE_OF = re.compile(r"(?:않|아니하|안)(?:아|여|해)도\s*(?:되는|될|좋은)\s*\S{0,60}\Z")
# `옳은 것(○)과 옳지 않은 것(×)을 바르게 연결한 것은?`
_BOTH = re.compile(
    r"(?:바르게|옳게|맞게|알맞게|올바르게)\s*"
    r"(?:연결|짝|나열|묶|표시|조합|선택)(?:한|은|된|지은|지어진|인)\s*것[은을]?[\s?？.]*\Z"
)


def is_negative(stem: str) -> bool:
    """Return whether the stem asks for the option that is not true (`옳지 않은 것은?`).

    Only the clause that names what is asked for counts. `신고하지 않은 경우의 과태료는?` is a
    positive question about an omission, and `임원이 될 수 없는 자는?` asks for what the law lists.
    Remarks after the question (`(단, …)`, `[1점]`) and statements below it are ignored.
    """
    clause = _asking_clause(stem)
    if _BOTH.search(clause) or _FREE_OF.search(clause.rstrip("?？. ")):
        return False
    return bool(_NEGATIVE.search(clause))


def _asking_clause(stem: str) -> str:
    """Return the stem up to the end of its last question, without the remarks after it."""
    text = " ".join(_outside_remarks(stem).split())
    for mark in ("?", "？"):
        if mark in text:
            return _outside_remarks(text[: text.rindex(mark) + 1])
    found = list(re.finditer(r"(?:고르시오|고르세요|고르라|고르면|것은)(?=[\s:.]|\Z)", text))
    return text[: found[-1].end()] if found else text


def _outside_remarks(text: str) -> str:
    """Return a text without the remarks in brackets at its end."""
    text = text.strip()
    while (shorter := _REMARK.sub("", text)) != text:
        text = shorter.strip()
    return text
