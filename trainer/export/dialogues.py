"""Hold the dialogues on which chat templates are compared."""

from __future__ import annotations

__all__ = ["DIALOGUES"]

_LAW = "「은행법」 제8조의 인가 요건은?"
_OPTIONS = "다음 중 옳은 것은?\n1) 3일\n2) 7일\n3) 10일\n4) 30일"
_TABLE = "| 구분 | 기간 |\n|---|---|\n| 장부 | 5년 |"
_SYSTEM = "법령에 근거하여 짧게 답하시오."


def _turns(*texts: str, system: str = "") -> list[dict[str, str]]:
    """Return a dialogue of a user and an assistant in turn, after a system text if there is one."""
    turns = [
        {"role": ("user", "assistant")[number % 2], "content": text}
        for number, text in enumerate(texts)
    ]
    return [{"role": "system", "content": system}, *turns] if system else turns


# Each ends with a question, so that the assistant's turn is opened.
DIALOGUES: tuple[list[dict[str, str]], ...] = (
    _turns("안녕하세요"),
    _turns(_LAW),
    _turns(_OPTIONS),
    _turns(_TABLE),
    _turns("a\n\nb\n"),
    _turns("\"따옴표\" '홑' `역` \\ 역슬래시 {{ 중괄호 }} {% 표시 %}"),
    _turns("emoji 👋🏽 漢字 ①②③ ㆍ·"),
    _turns("1 < 2 & 3 > 2, 'x' &amp; \"y\""),
    _turns("1"),
    _turns(" 앞뒤 공백 "),
    _turns(_LAW, "인가를 받으려면 자본금이 필요합니다.", "얼마인가?"),
    _turns(_LAW, "제8조입니다.\n1. 자본금", _OPTIONS),
    _turns("가", "나", "다", "라", "마"),
    _turns(*"0123456789a"),
    _turns(_LAW, system=_SYSTEM),
    _turns(_OPTIONS, system=_SYSTEM),
    _turns("가", "나", "다", system=_SYSTEM),
    _turns(_TABLE, "5년", "근거는?", system="여러 줄의\n지시문\n\n입니다."),
    _turns("가", "나", "다", "라", "마", system='{{ 중괄호 }} "따옴표"'),
    _turns(("긴 글 " * 200).strip(), system=_SYSTEM),
)
