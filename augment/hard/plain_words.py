"""Replace official words by plain ones of the same meaning, with the right ending of the verb."""

from __future__ import annotations

import re

from kofinlaw.augment.reading.figures import format_won, parse_won
from kofinlaw.augment.reading.particles import replace_span

__all__ = ["plain_figures", "plain_verbs", "plain_words"]

# A verb with 하다 and its plain verb: stem, the forms of 하여, 한, 할 and 하였, and the 으 after a
# final consonant. The Ministry of Government Legislation uses the same pairs when it makes acts
# easier to read (알기 쉬운 법령 정비기준).
_VERBS: dict[str, tuple[str, str, str, str, str, str]] = {
    "제출": ("내", "내", "낸", "낼", "냈", ""),
    "통지": ("알리", "알려", "알린", "알릴", "알렸", ""),
    "기재": ("적", "적어", "적은", "적을", "적었", "으"),
    "교부": ("내주", "내줘", "내준", "내줄", "내줬", ""),
    "송부": ("보내", "보내", "보낸", "보낼", "보냈", ""),
    "준수": ("지키", "지켜", "지킨", "지킬", "지켰", ""),
    "초과": ("넘", "넘어", "넘은", "넘을", "넘었", "으"),
    "수립": ("세우", "세워", "세운", "세울", "세웠", ""),
    "위반": ("어기", "어겨", "어긴", "어길", "어겼", ""),
    "발생": ("생기", "생겨", "생긴", "생길", "생겼", ""),
    "변경": ("바꾸", "바꿔", "바꾼", "바꿀", "바꿨", ""),
    "구비": ("갖추", "갖춰", "갖춘", "갖출", "갖췄", ""),
}
_ENDINGS = (
    ("하여서는", "{a}서는"),
    ("하여야", "{a}야"),
    ("하여도", "{a}도"),
    ("하여", "{a}"),
    ("하였", "{was}"),
    ("하는", "{stem}는"),
    ("하고자", "{stem}고자"),
    ("하고", "{stem}고"),
    ("하거나", "{stem}거나"),
    ("하지", "{stem}지"),
    ("하면", "{stem}{eu}면"),
    ("하며", "{stem}{eu}며"),
    ("하려는", "{stem}{eu}려는"),
    ("하려면", "{stem}{eu}려면"),
    ("하기", "{stem}기"),
    ("하도록", "{stem}도록"),
    ("하게", "{stem}게"),
    ("한", "{past}"),
    ("할", "{future}"),
)


def _forms() -> dict[str, str]:
    out = {}
    for noun, (stem, a, past, future, was, eu) in _VERBS.items():
        for ending, new in _ENDINGS:
            out[noun + ending] = new.format(
                stem=stem, a=a, past=past, future=future, was=was, eu=eu
            )
    return out


# `법령에 위반한` has no object, and 어기다 needs one.
_WITH_OBJECT = ("위반", "초과", "준수")
_FORMS = _forms()
_VERB = re.compile(
    r"(?<=[을를에게이가의로] )(?P<form>"
    + "|".join(sorted(_FORMS, key=len, reverse=True))
    + r")(?=[ ,.은]|$|다|으|던)"
)
_BODY = r"(?<![가-힣])[가-힣]*(?:위원회|회사|은행|이사회|협회|중앙회|기관|법원|센터)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"하기 위하여 필요한 ", "하는 데 필요한 "),
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


def plain_verbs(text: str) -> str:
    """Return the text with plain verbs: `자료를 제출하여야` → `자료를 내야`."""

    def plain(match: re.Match[str]) -> str:
        form = match.group("form")
        if form.startswith(_WITH_OBJECT) and text[match.start() - 2] not in "을를":
            return form
        return _FORMS[form]

    return _VERB.sub(plain, text)


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
