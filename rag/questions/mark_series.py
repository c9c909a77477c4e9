"""Find series of option marks (`1)`, `(1)`, `①`, `가.`, `A.`, `보기 1` …) anywhere in a text.

A series is gap-free: it begins with the first mark of its style and misses none. Marks may begin
lines or lie within one. Days (`2024. 1. 5.`), decimals (`3.5%`) and references to a mark (`①항`,
`①과 ②`) are no marks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kofinlaw.data.korean.marks import JAMO, ROMAN, SIGN_SERIES, SYLLABLES, sign_number

__all__ = ["Mark", "Series", "has_gap", "series_of", "shadow"]

# The rank of a series of `SIGN_SERIES`. In Korean law a 항 (①) holds 호 (1.), and a 호 holds 목
# (가.): a series of a lower level after one of a higher level is a list inside its last option.
_RANKS: dict[str, int] = {
    **dict.fromkeys(("circled", "filled", "sans", "filled sans", "double"), 0),
    **dict.fromkeys(("enclosed", "full stop", "circled upper"), 1),
    **dict.fromkeys(("circled lower", "enclosed lower", "great roman sign", "small roman sign"), 2),
    **dict.fromkeys(("circled syllable", "enclosed syllable", "circled jamo", "enclosed jamo"), 3),
}
# Signs that need brackets or a dot: their pattern, and the rank of their series.
_TOKENS: dict[str, tuple[str, int]] = {
    "number": (r"\d{1,2}", 1),
    "upper": ("[A-N]", 1),
    "lower": ("[a-n]", 2),
    "roman": ("ix|iv|vi{0,3}|x|i{1,3}", 2),
    "ROMAN": ("IX|IV|VI{0,3}|X|I{1,3}", 2),
    "syllable": (f"[{SYLLABLES}]", 2),
    "jamo": (f"[{JAMO}]", 3),
}
# Forms of a mark around its sign; a dot or colon before a digit belongs to a number.
_BRACKETED = r"[(<\[{{]({sign})[)>\]}}][.:]?"
_CLOSED = r"({sign})\)"
# Only figures have blanks in their brackets: `( 가 )` is a gap to fill in.
_SPACED = r"[(<\[{{] ?({sign}) ?[)>\]}}][.:]?"
_SPACED_CLOSED = r"(?<!\( )({sign}) ?\)"
_DOTTED = r"({sign}) ?\.(?!\d)"
_COLON = r"({sign}) ?:(?!\d)"
_WORD = r"(?:보기|선택지|선지|답지|[Oo]ption|[Cc]hoice) ?({sign})(?: ?[.):]|(?![\w%.):]))"
_COUNTED = r"({sign}) ?번(?: ?[.):]|(?= ))"
_BARE = r"({sign})(?= |$)"
# `1.10일 이내`: the figure behind the dot counts something, so it is no decimal.
_DENSE = (
    r"({sign})\.(?=\d+ ?(?:년|개월|월|일|주|시간|분|초|명|인|개|회|차|호|조|항|[만천백]|영업일))"
)
_LINE = r"^[ >|]*(?:[-*+•·◦▪○●□■] *){0,3}(?:__)?"  # blanks and Markdown before a mark
_STRONG = r"(?:\*\*|__)?"  # emphasis ends behind it
_AFTER = r"(?<=[ \n?:;.,)\]>|*])(?:[-*•·] |\*\*|__)?"
_BLANK = r"(?<=[ \n?:])"
_TIGHT = r"(?<![\d(제])"


class _Style(NamedTuple):
    """How the marks of a style are found: at the start of a line and within one.

    A text without every letter of `needs` and one of `one_of` (if it has any) has no series.
    """

    rank: int
    front: re.Pattern[str]
    inline: re.Pattern[str] | None
    needs: frozenset[str]
    one_of: frozenset[str] = frozenset()


# The first two signs of a token, and what a form must have.
_FIRST_SIGNS = {
    **{"number": "12", "upper": "AB", "lower": "ab", "roman": "i", "ROMAN": "I"},
    **{"syllable": "가나", "jamo": "ㄱㄴ"},
}
_NEEDS = {"closed": ")", "dotted": ".", "dense": ".", "colon": ":", "counted": "번"}
_ONE_OF = {"bracketed": "([<{", "word": "보선답oOcC"}


def _styles() -> dict[str, _Style]:
    """Return the styles by name."""
    out: dict[str, _Style] = {}
    for name, signs in SIGN_SERIES.items():
        own = rf"[(\[]?([{signs}])[.):\]]{{0,2}}(?!\d){_STRONG}"
        front = re.compile(_LINE + own, re.MULTILINE)
        out[name] = _Style(_RANKS[name], front, re.compile(own), frozenset(signs[:2]))
    for name, (sign, rank) in _TOKENS.items():
        forms = {"bracketed": _BRACKETED, "closed": _CLOSED, "dotted": _DOTTED}
        if name.lower() != "roman":
            forms["colon"] = _COLON
        if name in ("number", "upper"):
            forms |= {"word": _WORD, "counted": _COUNTED}
        if name == "number":
            forms |= {"dense": _DENSE, "bracketed": _SPACED, "closed": _SPACED_CLOSED}
        if name in ("number", "upper", "syllable", "jamo"):
            forms["bare"] = _BARE
        for form, text in forms.items():
            own = text.format(sign=sign) + _STRONG
            inline = form != "dense"
            out[f"{name} {form}"] = _Style(
                rank,
                re.compile(_LINE + own, re.MULTILINE),
                re.compile((_BLANK if form == "bare" else _AFTER) + own) if inline else None,
                frozenset(_FIRST_SIGNS[name] + _NEEDS.get(form, "")),
                frozenset(_ONE_OF.get(form, "")),
            )
    return out


_STYLES = _styles()
_TIGHT_STYLES = {
    f"number {name} tight": _Style(
        1, re.compile(_LINE + own, re.MULTILINE), re.compile(_TIGHT + own), frozenset("12")
    )
    for name, own in (
        ("closed", _CLOSED.format(sign=r"\d{1,2}")),
        ("bracketed", _BRACKETED.format(sign=r"\d{1,2}")),
        ("dotted", _DOTTED.format(sign=r"\d{1,2}")),
    )
}
_DAYS = re.compile(r"(?<!\d)(?:(?:19|20)\d\d|['’]\d\d) ?[.년] ?\d{1,2} ?[.월](?: ?\d{1,2} ?[.일])?")
# What follows a sign that only refers to a list: `①항`, `①과 ②`, `㉠, ㉡`.
_REFERS = re.compile(
    r"[항호목조](?![가-힣])|[과와의에은는를](?=[ ,.\n]|\Z)| ?(?:및 |[,·、~/→-]|\n|\Z)"
)
_QUESTION_END = re.compile(
    r"(?:[?:]|\? ?[(\[][^()\[\]\n]{0,40}[)\]]|것은|시오\.?|세요\.?|십시오\.?|고르면|고르라\.?"
    r"|인가|는가|무엇|(?P<full>[.)\]>]))"
    r"[\"'”’)\]>|*_]{0,8}\Z"
)
_WEAKEST = 4  # the rank of a series that any other one may hold
_STARTS = 64  # the latest starts of a style that are tried
_BEFORE = 64  # characters before a mark that are read
_WIDE = str.maketrans(
    {
        **{chr(0xFF10 + n): str(n) for n in range(10)},
        **{chr(0xFF21 + n): chr(65 + n) for n in range(26)},
        **{chr(0xFF41 + n): chr(97 + n) for n in range(26)},
        **dict(zip("（）．：［］〈〉＜＞｛｝？，【】〔〕", "().:[]<><>{}?,[][]", strict=True)),
        **dict.fromkeys("\t\u00a0\u2002\u2003\u2009\u200a\u202f\u3000", " "),
    }
)


class Mark(NamedTuple):
    """A mark of an option: where it begins and ends, its number from 1, and whether it begins a
    line.
    """

    start: int
    end: int
    number: int
    in_front: bool


class Series(NamedTuple):
    """The marks 1, 2, 3 … of a style in their order.

    - `rank` is the level of the style in Korean law, 0 the highest.
    - `opening` is 2 if the first mark begins a line or follows a question, 1 if it follows a
      sentence, 0 within a sentence.
    - `jump` is the number of a later mark of the style that does not follow, or comes again; 0
      without one.
    """

    style: str
    rank: int
    marks: tuple[Mark, ...]
    opening: int
    jump: int = 0

    @property
    def start(self) -> int:
        """Where the first mark begins."""
        return self.marks[0].start

    @property
    def last(self) -> int:
        """Where the last mark begins."""
        return self.marks[-1].start


def shadow(text: str) -> str:
    """Return the text with narrow figures, letters, brackets and blanks, of the same length."""
    return text.translate(_WIDE)


def series_of(text: str) -> list[Series]:
    """Return the best series of each style with two marks or more, in the order of their starts.

    `text` is a `shadow` with `\\n` at the ends of lines. Marks directly behind a letter
    (`1)이용자2)은행`) count only where no other series is found.
    """
    seen = _DAYS.sub(lambda found: "\x00" * len(found[0]), text)
    return _found(seen, _STYLES) or [one for one in _found(seen, _TIGHT_STYLES) if one.opening == 2]


def has_gap(text: str) -> bool:
    """Return whether marks of one style rise from line to line, but begin late or miss one.

    `text` is a `shadow` in which no series was found. Figures that something else may explain
    (`3년`, `3번`, `1.5일`) are no marks here.
    """
    for style, (_, front, *_) in _STYLES.items():
        if style.endswith((" bare", " counted", " dense")):
            continue
        roman = style.lower().startswith("roman ")
        numbers = [mark.number for mark in _marks(text, front, None, roman=roman)]
        if len(numbers) > 1 and numbers == sorted(set(numbers)):
            return True
    return False


def _found(text: str, styles: Mapping[str, _Style]) -> list[Series]:
    found: list[Series] = []
    letters = frozenset(text)
    for style, (rank, front, inline, needs, one_of) in styles.items():
        if not needs <= letters or (one_of and one_of.isdisjoint(letters)):
            continue
        marks = _marks(text, front, inline, roman=style.lower().startswith("roman "))
        fronts = [mark for mark in marks if mark.in_front]
        best = _best(text, fronts)
        if len(marks) > len(fronts):
            mixed = _best(text, marks)
            later = mixed and best and mixed[0].start > best[-1].start
            if mixed and (not best or later or len(mixed) > len(best)):
                best = mixed
        if best:
            opening = _opening(text, best[0])
            if "bare" in style and opening < 2:
                if "number" not in style or len(best) < 4:
                    continue
                rank = _WEAKEST  # figures within a text may be in order by chance
            found.append(Series(style, rank, tuple(best), opening, _jump(fronts, best)))
    return sorted(found, key=lambda one: one.start)


def _marks(
    text: str, front: re.Pattern[str], inline: re.Pattern[str] | None, *, roman: bool
) -> list[Mark]:
    """Return all marks of a style in the order of the text."""
    found: dict[int, Mark] = {}
    for match in front.finditer(text):
        number = ROMAN.index(match[1].lower()) + 1 if roman else sign_number(match[1])
        found[match.end()] = Mark(match.start(), match.end(), number, in_front=True)
    for match in inline.finditer(text) if inline is not None else ():
        if match.end() not in found and not _REFERS.match(text, match.end()):
            number = ROMAN.index(match[1].lower()) + 1 if roman else sign_number(match[1])
            found[match.end()] = Mark(match.start(), match.end(), number, in_front=False)
    return sorted(found.values())


def _best(text: str, marks: Sequence[Mark]) -> list[Mark]:
    """Return the latest series of the best opening; empty without one of two marks."""
    places: dict[int, list[Mark]] = {}
    for mark in marks:
        places.setdefault(mark.number, []).append(mark)
    best: list[Mark] = []
    best_opening = -1
    stem = len(text) - len(text.lstrip())
    for first in reversed(places.get(1, [])[-_STARTS:]):
        opening = _opening(text, first)
        if opening <= best_opening or first.start <= stem:
            continue
        chain = [first]
        while (following := _next(text, chain[-1], places.get(len(chain) + 1, []))) is not None:
            chain.append(following)
        if len(chain) >= 2:
            best, best_opening = chain, opening
    return best


def _next(text: str, mark: Mark, places: Sequence[Mark]) -> Mark | None:
    """Return the first place behind a mark with text between; marks in front of lines need none."""
    first = bisect_right(places, mark)
    for index in range(first, min(first + _STARTS, len(places))):
        place = places[index]
        if place.in_front or text[mark.end : place.start].strip():
            return place
    return None


def _opening(text: str, mark: Mark) -> int:
    if mark.in_front:
        return 2
    found = _QUESTION_END.search(text[max(0, mark.start - _BEFORE) : mark.start].rstrip())
    if not found:
        return 0
    return 1 if found["full"] else 2


def _jump(marks: Sequence[Mark], best: Sequence[Mark]) -> int:
    """Return the number of the first later mark in front of a line that does not follow."""
    later = [mark.number for mark in marks if mark.start > best[-1].start]
    return next((number for number in later if 1 < number <= len(best) + 3), 0)
