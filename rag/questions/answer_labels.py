"""Read the option that an answer or a key names: one normaliser for both.

`3`, `３`, `3.0`, `3번`, `(3)`, `③`, `C`, `다`, `ㄷ`, `정답: 3`, `③ 이용자` and the text of the
third option all name the third option. Longer text is not searched: `10일` is not option 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from kofinlaw.data.korean.marks import SIGNS, SYLLABLES, sign_number
from kofinlaw.data.korean.words import normalise
from kofinlaw.rag.questions.mark_series import shadow

__all__ = ["key_labels", "option_label"]

_SIGN = (
    rf"(?P<sign>\d{{1,2}}|{SIGNS}|[A-Na-n]|[{SYLLABLES}]|[ㄱ-ㅎ]"
    r"|VI{0,3}|I[VX]|I{1,3})"
)
_SAID = (
    r"(?:[\[(<]?(?:최종 ?)?(?:정 ?답|답 ?안|답|(?:[Ff]inal )?[Aa]nswer|ANSWER)[\])>]?"
    r"(?: ?번호| number)?(?:은|는| is)? ?[:=-]? ?)?"
    r"(?:(?:보기|선택지|선지|답지|[Oo]ption|[Cc]hoice) ?)?"
)
_MARKED = rf"{_SAID}[(<\[{{]? ?{_SIGN}(?:\.0{{1,6}})? ?[)>\]}}]?"
_ANSWER = re.compile(
    rf"{_MARKED} ?(?:번 ?(?:보기|선택지|선지|문항)?)?[.):,]?"
    r" ?(?:입니다|이다|임|이에요|예요|(?:이|가|을|를)? ?(?:정답|맞|옳|답)[가-힣 ]{0,8})? ?[.!]?"
)
_WITH_TEXT = re.compile(rf"{_MARKED} ?(?:번(?![가-힣]))?[.):,]? ?(?P<text>[^\n]+)")
_ALL = re.compile(
    r"(?:전 ?항|모두|전부|전원|전체|모든 ?(?:보기|선택지|답))(?:이|를|을)?"
    r" ?(?:정 ?답|맞음|인정)(?: ?(?:처리|인정|으로 처리))?"
    r"|all(?: correct)?",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"^(?:복수 ?정답|복수|정 ?답)(?: ?(?:은|인정))? ?[:)\]]? ?")
_BETWEEN = re.compile(
    r" ?(?:[,、/;|·&+]|또는|혹은|및|\bor\b|\band\b|(?<=[번\d①-⑳A-Z])(?:과|와|이나)(?= |\d)) ?| "
)
_QUOTES = " \n\r\"'“”‘’`*_\ufeff\u200b"


def option_label(answer: object, options: Sequence[str] | int) -> str:
    """Return the label ("1" to "9") of the option that an answer names; empty if it names none.

    `options` are the texts of the options, or only their number. A figure is a label also where an
    option's text is that figure; a syllable (`가`) is first compared with the texts.
    """
    text = _text(answer)
    if not text:
        return ""
    count = options if isinstance(options, int) else len(options)
    texts = () if isinstance(options, int) else tuple(_squeezed(option) for option in options)
    narrow = " ".join(shadow(text).split())
    found = _ANSWER.fullmatch(narrow)
    sign = found["sign"] if found is not None else ""
    same = [n for n, option in enumerate(texts, 1) if option == _squeezed(text)]
    if same and not (sign.isdecimal() or (sign.isascii() and sign.isalpha())):
        return str(same[0]) if len(same) == 1 else ""
    if sign:
        return _within(_number(sign), count)
    if same:
        return str(same[0]) if len(same) == 1 else ""
    marked = _WITH_TEXT.fullmatch(narrow)
    if marked is not None and texts:
        number = _number(marked["sign"])
        if 0 < number <= count and _squeezed(marked["text"]) == texts[number - 1]:
            return str(number)
    return ""


def key_labels(value: object, options: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of all options that a key calls right, in order; empty if unreadable.

    Several right answers are a list, or a text like `1,3`, `①③`, `1 또는 3`, `1/3`, `A, C`. Any one
    of them counts as right. `전항정답` and `모두 정답` call every option right.
    """
    if isinstance(value, (list, tuple)):
        parts: list[object] = list(value)
    else:
        single = option_label(value, options)
        if single:
            return (single,)
        text = " ".join(shadow(_text(value)).split())
        if not text:
            return ()
        if _ALL.fullmatch(text.strip(".!()[] ")):
            return tuple(str(number) for number in range(1, len(options) + 1))
        bare = _SEVERAL.sub("", text.strip("[](){}")).strip("[](){} ")
        bare = re.sub(r"(?:모두|중 하나|중 하나도)? ?(?:정답|인정)?[.!]?$", "", bare).strip()
        if re.fullmatch(rf"(?:{SIGNS}){{2,9}}|[A-I]{{2,9}}", bare):
            parts = list(bare)
        else:
            parts = [part for part in _BETWEEN.split(bare) if part]
    labels = [option_label(part, options) for part in parts]
    if not labels or not all(labels):
        return ()
    return tuple(sorted(set(labels)))


def _text(value: object) -> str:
    """Return a value as text: none, NaN and booleans are empty, 3.0 is the figure 3."""
    if value is None or isinstance(value, (bool, dict, list)):
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() else str(value)
    return normalise(str(value)).strip(_QUOTES)


def _number(sign: str) -> int:
    return sign_number(sign) if len(sign) == 1 else sign_number(sign.lower())


def _within(number: int, count: int) -> str:
    return str(number) if 0 < number <= min(count, 9) else ""


def _squeezed(text: str) -> str:
    """Return a text to compare options with: without marks of Markdown and extra blanks."""
    return " ".join(shadow(normalise(text)).strip(_QUOTES).rstrip(".").split())
