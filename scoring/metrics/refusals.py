"""Recognise answers that say that the question cannot be answered."""

from __future__ import annotations

import re

from kofinlaw.data.prompting.wording import NO_EVIDENCE

__all__ = ["is_refusal"]

_LETTERS = re.compile(r"[^가-힣]")
# What the answer says it has read: `주어진 조문에서`, `이 자료만으로는`.
_SOURCE = (
    r"(?:조문|근거|자료|정보|내용|문서|규정|법령|지문|본문)"
    r"(?:에서는?|에는?|만으로는?|으로는|로는)"
)
_END = r"(?:습니다|다|어요|음)(?![가-힣])"
_CANNOT = r"(?:찾을|알|확인할|답할|답변할|판단할|도출할|특정할) 수(?:는|가)? 없"
_NOT_THERE = r"(?:나와|명시되어|제시되어|규정되어|기재되어|포함되어|적혀|언급되어) 있지 (?:않|아니)"
_NOTHING = r"(?:내용|답|정답|정보|언급|설명|근거)[이가은는] 없"
_REFUSAL = re.compile(
    rf"{_SOURCE}(?: \S+){{0,6}} (?:{_CANNOT}|{_NOT_THERE}|{_NOTHING}){_END}"
    rf"|{_SOURCE}(?: \S+){{0,6}} 부족(?:하다|합니다)"
    rf"|(?:답|답변|정답)[을를]? {_CANNOT}{_END}"
    rf"|(?:질문|문제|물음)에(?:는|는요)? {_CANNOT}{_END}"
    r"|^(?:잘 )?(?:모르겠습니다|모릅니다|모르겠다|알 수 없습니다|알 수 없다)"
)


def is_refusal(text: str) -> bool:
    """Return whether an answer only says that it cannot answer, by rule.

    It holds the phrase that the product gives itself (NO_EVIDENCE), or says in other words that
    the given texts do not state the answer. `할 수 없다` of a provision is not a refusal.
    """
    if _LETTERS.sub("", NO_EVIDENCE) in _LETTERS.sub("", text):
        return True
    return bool(_REFUSAL.search(" ".join(text.split())))
