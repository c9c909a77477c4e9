"""Replace official words by plain ones of the same meaning, and write figures in another way."""

from __future__ import annotations

import re

from kofinlaw.augment.reading.figures import format_won, parse_won
from kofinlaw.augment.reading.particles import replace_span

__all__ = ["plain_figures", "plain_words"]

_BODY = r"(?<![가-힣])[가-힣]*(?:위원회|회사|은행|이사회|협회|중앙회|기관|법원|센터)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"하기 위하여 필요한 ", "하는 데 필요한 "),
        (r"(?<=규정이) 있는 경우를 제외하고는 ", " 없으면 "),
        (r"(?<![가-힣])그 (?=(?:결과|내용|이유|취지|뜻)[을를이] )", ""),
        (r"(?<=[은는한된]) 후(?=에? )", " 뒤"),
        (r"(?<=[가-힣]) 범위(?: ?안| ?내)?에서 ", " 범위에서 "),
        (r"(?<=[12]명을 )포함한 (?=\d)", "포함해 "),
        (r"(?<=위원으로 )구성한다$", "이루어진다"),
        (r"(?<=[금역]에 )처한다$", "처해진다"),
        (r"(?<=그 의장)이 된다$", "을 맡는다"),
        (r"(?<=필요한 조치를 )하(?=[여고는])", "취하"),
        (r"(?<=필요한 조치를 )(?=할 |한 )", "취"),
        (r"인터넷 홈페이지(를| 등을) 이용하여 ", r"인터넷 홈페이지\1 통해 "),
        (r"(?<![가-힣])내보여야", "보여 줘야"),
        (r"(?<=[가-힣])[을를] 위하여 필요한 ", "에 필요한 "),
        (r"정당한 사유 없이", "정당한 이유 없이"),
        (r"우려가 있", "염려가 있"),
        (r"(?<![가-힣])즉시 ", "곧바로 "),
        (r"(?<=\d년)간 ", " 동안 "),
        (r"(?<=개월)간 ", " 동안 "),
        (r"(?<=\d일)간 ", " 동안 "),
        (r"(?<![가-힣])최근 (?=\d)", "지난 "),
        (r"(?<![가-힣])매월 ", "달마다 "),
        (r"(?<![가-힣])매 ?사업연도 ", "사업연도마다 "),
        (r"(?<![가-힣])매 ?분기 ", "분기마다 "),
        (r"경우에 한(?:정)?하여 ", "경우에만 "),
        (r"(?<=[을를]) 명할 수 있다", " 명령할 수 있다"),
        (r"(?<![가-힣])성명(?=[과,을ㆍ ])", "이름"),
        (r"부득이한 사유", "어쩔 수 없는 사유"),
        (r"(?<=다고 )인정(?=[하되][는여어며고지])", "판단"),
        (r"(?<=다고 )인정(?=[한할된될] )", "판단"),
        (r"할 것을 (?=(?:권고|요구|요청|명령|명|지시)(?:하|할|한|받))", "하도록 "),
        (r"(?<=[가-힣]에) 있어서(?= )", "서"),
        (r"의 규정에 (?:의한|따른) ", "에 따른 "),
        (r"의 규정에 (?:의하여|따라) ", "에 따라 "),
        (r"(?<=[가-힣])(자|인|주)으?로부터 ", r"\1에게서 "),
        (rf"({_BODY})(?:으로|로)부터 ", r"\1에서 "),
        (r"(?<=[을를] )행(?=[하한할])", ""),
        (r"(?<![가-힣])서면으로 (?!또는|및)", "문서로 "),
        (r"상당한 기간", "적절한 기간"),
        (r"(?<=[을를] )이용하여 ", "활용해 "),
        (r"(?<![가-힣])시책(?=[을에이과])", "정책"),
        (r"신속(?:하게|히) ", "빠르게 "),
        (r"(?<=[가-힣])하고, ", "하며, "),
        (r"거짓이나 그 밖의 부정한 방법", "거짓 등 부정한 방법"),
        (r"고의 또는 중대한 과실", "고의나 중과실"),
        (r"에 소요되는 ", "에 드는 "),
        (r"(?<![가-힣])업무 수행상 ", "업무를 하면서 "),
        (r"사업연도 종료 후 ", "사업연도가 끝난 뒤 "),
        (
            rf"({_BODY})[이가] (?=(?:정하|인정하|고시하|지정하|승인하|요구하|요청하|필요하))",
            r"\1에서 ",
        ),
        (
            r"(?<=[가-힣])[을를] (?=(?:심사|조사|검사|감독|검토|심의|의결|평가|점검)"
            r"(?:하[여고는]|한다|할|한|해))",
            "에 대해 ",
        ),
    )
)
_PERCENT = re.compile(r"100분의 ?(?P<number>\d+(?:\.\d+)?)")
_THOUSANDS = re.compile(r"(?<![\d천백십])(?P<won>\d+천만원|\d+천만 원)(?![\d])")


def plain_words(text: str) -> str:
    """Return the text with plain words and particles of the same meaning."""
    for pattern, new in _PATTERNS:
        text = pattern.sub(new, text)
    return text


def plain_figures(text: str) -> str:
    """Return the text with percent for hundredths and with `3,000만원` for `3천만원`.

    The values are equal; only the writing differs from the law's.
    """
    for match in reversed(list(_PERCENT.finditer(text))):
        text = replace_span(text, *match.span(), f"{match.group('number')}퍼센트")

    def thousands(match: re.Match[str]) -> str:
        value = parse_won(match.group("won"))
        return f"{value // 10_000:,}만원" if value % 10_000 == 0 else format_won(value)

    return _THOUSANDS.sub(thousands, text)
