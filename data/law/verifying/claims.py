"""Read what a text says about a provision next to its reference: its heading, and quoted words.

`제12조(손해배상)` claims a heading. `제3조는 "…"라고 정한다`, `"…"라고 정한 제3조` and
`"…"(제3조)` quote.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern
from kofinlaw.data.law.verifying.mentions import Mention
from kofinlaw.data.law.verifying.words import letters

__all__ = ["Claimed", "claimed"]

_LONG_QUOTE = 15  # letters from which a quotation counts without a verb such as 정한다
_LONG_HEADING = 8  # letters from which words in `[…]` are a heading
_FAR = 40  # characters between a reference and its quotation
_HEADING = re.compile(
    r"\s?\(\s*(?:\(\s?)?(?P<words>[가-힣A-Za-z「][가-힣A-Za-z0-9ㆍ·,、「」 \-]{0,58}?)\s*\)"
)
_OTHER_BRACKET = re.compile(r"[ ]?[\[<]\s?(?P<words>[가-힣][가-힣0-9ㆍ·,、「」 \-]{0,58}?)\s?[\]>]")
_THIRD = re.compile(r"\s?\(\s*(?P<words>제3자[가-힣ㆍ·, ]{0,40}?)\s*\)")
_NO_HEADING = re.compile(
    r"^(?:이하|다만|단[,\s]|구\s|현행|현재|종전|위\s|같은\s|동(?:법|조|항|\s)|이\s?하|앞서|위에서|따라서|또는|및\s|현\s|"
    r"(?:본문|단서|전단|후단|전문|신설|삭제|개정|별표)(?:[\s,]|$)|(?:전문|제목|일부)개정|본조신설|법률\s제)"
    r"|(?:한다|함|된다|됨|[을를은는]\s?(?:제외|포함)|경우|것|참조|부분|한정|본다|이다|까지|같다|따라|의하여)$"
    r"|제\s?\d+(?:\s?-\s?\d+)?\s?[조항호목]|\d{4}|부칙|개정되|판례$|제\s?\d심$|의\s주장$|^청구원인$|^「[^「」]*」$"
)
_QUOTE = re.compile(
    r"[“\"](?P<double>[^“”\"\n]{4,800})[”\"]|(?<![가-힣A-Za-z])[‘'](?P<single>[^‘’'\n]{4,800})[’']"
    r"|「(?P<corner>[^「」\n]{4,800})」(?=(?:이?라)?고\s?(?:규정|정하|정한|명시|밝히))"
)
_QUOTES = AnchoredPattern(re.compile(r"[“\"‘'「](?<![가-힣A-Za-z][‘'])"), _QUOTE)
_BETWEEN = re.compile(
    r"\s*+(?:[(\[][^()\[\]]{1,60}[)\]])?+\s*+(?:본문|단서|전단|후단|전문)?+\s*+"
    r"(?P<particle>에\s?따르면|에\s?의하면|에\s?따라|은|는|에서는?|에는?|이|가|의|도|상|:)?+"
    r"(?:\s?[가-힣]{1,12}(?=[\s,:]))?+\s*+[,:]?+\s*+"
)
_SAYING = frozenset(["은", "는", "에 따르면", "에 의하면", "에따르면", "에의하면", ":"])
_VERB = re.compile(
    r"\s*[가-힣]{0,8}?(?:라고|다고|라는|고|도록|이?라|는|라며)\s*(?:[가-힣]{1,10}\s){0,2}?"
    r"(?:규정|정하|정한|명시|되어|돼|하고|한다|한\s?[것바]|하여|합니다|했|적|밝히|선언|말하|써)"
)
_BEFORE = re.compile(
    r"\s*(?:\(\s*(?:구\s)?|(?:이?라고|고|이?라는)\s*(?:[가-힣]{1,6}\s)?(?:규정|정|명시)(?:하는|하고\s?있는|한|된)\s*(?:구\s)?"
    r"|[ ]?(?:[-–]|\n?[—―])\s?(?:구\s)?)"
)
# `제8조 “…한다.”`, `제8조(“…한다.”)`, `제8조는 다음과 같이 규정한다. “…한다.”`
_DIRECTLY = re.compile(
    r"[ ]?(?:[(:]|[-–—][ ])?"
    r"|(?:의\s?)?(?:내용|규정|문언)?[은는이]?\s다음과\s같(?:다|습니다|이\s?(?:규정|정)(?:한다|하고\s있다))[.:]\s?"
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a text says about a provision: the heading and the quoted words, empty without any."""

    heading: str = ""
    quoted: str = ""


def claimed(
    text: str, found: Sequence[Mention], headings: Collection[str] = frozenset()
) -> list[Claimed]:
    """Return what the text says about each reference; the references are in order.

    `headings` are the letters of headings: words in brackets that are one claim a heading, whatever
    their form.
    """
    quotes = [
        (m.start(), m.end(), m["double"] or m["single"] or m["corner"])
        for m in _QUOTES.finditer(text)
    ]
    starts, ends = [one[0] for one in quotes], [one[1] for one in quotes]
    out = []
    for index, mention in enumerate(found):
        if not mention.location.article or mention.inside:
            out.append(Claimed())
            continue
        heading = "" if mention.location.provision else _heading(text, mention.end, headings)
        quoted = ""
        if quotes:
            others = (found[row].start for row in range(index + 1, len(found)))
            later = (start for start in others if start >= mention.end)
            quoted = _after(text, mention, quotes, starts, next(later, len(text)))
            quoted = quoted or _before(text, mention, quotes, ends)
        out.append(Claimed(heading, quoted))
    return out


def _heading(text: str, end: int, headings: Collection[str]) -> str:
    match = _HEADING.match(text, end) or _THIRD.match(text, end)
    other = None if match or text[end : end + 1] not in "[< " else _OTHER_BRACKET.match(text, end)
    found = match or other
    if found is None:
        return ""
    words = found["words"]
    if other and not _is_long(words):
        return ""  # `[양도담보]` names a subject in the lists of courts
    if letters(words) in headings:
        return words.strip()
    if _NO_HEADING.search(words) and not (words.startswith("제3자") and words[-1] != "다"):
        return ""
    return words.strip() if re.search(r"[가-힣]", words) else ""


def _is_long(words: str) -> bool:
    """Return whether words in `[…]` have the form of a heading; 양도담보 is a subject."""
    return len(letters(words)) >= _LONG_HEADING and re.search(r"\s|의", words) is not None


def _after(
    text: str,
    mention: Mention,
    quotes: Sequence[tuple[int, int, str]],
    starts: Sequence[int],
    limit: int,
) -> str:
    row = bisect.bisect_left(starts, mention.end)
    if row == len(quotes):
        return ""
    start, end, words = quotes[row]
    if start >= limit or start - mention.end > _FAR:
        return ""
    if _DIRECTLY.fullmatch(text, mention.end, start) and text[start] in '“"':
        whole = len(letters(words)) >= _LONG_QUOTE and words.rstrip(". ").endswith("다")
        if whole:
            return words
    between = _BETWEEN.fullmatch(text, mention.end, start)
    if between is None:
        return ""
    if _VERB.match(text, end, end + 60):
        return words
    if text[start] not in '“"':  # single marks without a verb may hold a paraphrase
        return ""
    said = between["particle"] in _SAYING or text[start - 2 : start].strip()[-1:] in (":", ",")
    return words if said and len(letters(words)) >= _LONG_QUOTE else ""


def _before(
    text: str, mention: Mention, quotes: Sequence[tuple[int, int, str]], ends: Sequence[int]
) -> str:
    row = bisect.bisect_right(ends, mention.start) - 1
    if row < 0 or mention.start - ends[row] > _FAR:
        return ""
    if not _BEFORE.fullmatch(text, ends[row], mention.start):
        return ""
    bracket = re.search("[(–—―-]", text[ends[row] : mention.start])
    words = quotes[row][2]
    return words if not bracket or len(letters(words)) >= _LONG_QUOTE else ""
