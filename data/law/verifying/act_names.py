"""Find names of acts that no list of titles has by their form, and names that a text defines.

`… 등에 관한 특례법`, `구 소득세법`, `조세특례제한기본법`;
`독점규제 및 공정거래에 관한 법률(이하 ‘공정거래법’이라 한다)`.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator

from kofinlaw.data.law.citation_tokens import Token

__all__ = ["defined_name", "foreign_words", "is_old", "names_an_act", "overlaps", "unknown_names"]

# `구 상법`, also where a blank before 구 was lost: `대하여구 상법`.
_OLD = re.compile(
    r"(?:(?<![가-힣])(?:[구옛]|(?:종전|개정\s?전|개정되기\s?전)(?:의)?(?=[\s「]))\s?[「(]?|(?<=[가-힣])(?<![연요청지도기친입출창강탐촉복영항인추])구\s[「(]?)\s*$"
)
_COUNTRIES = (
    "미국|일본|일본국|독일|프랑스|영국|중국|중화인민공화국|대만|스위스|오스트리아|이탈리아|캐나다|호주|"
    "러시아|북한|베트남|필리핀|싱가포르|홍콩|유럽연합|유럽|EU|"
    "네덜란드|벨기에|스웨덴|덴마크|인도네시아|태국|말레이시아|브라질|멕시코|뉴질랜드|"
    "캘리포니아|캘리포니아 소비자|뉴욕|델라웨어"
).replace(" ", r"\s")
_STATES = (
    "캘리포니아|뉴욕|델라웨어|텍사스|매사추세츠|일리노이|워싱턴|플로리다|네바다|조지아|버지니아|뉴저지|"
    "오하이오|미시간|펜실베이니아|콜로라도|애리조나|유타|루이지애나|온타리오|퀘벡|바이에른|빅토리아|"
    "뉴사우스웨일스|퀸즐랜드"
)
# Words before a name that make it an act of another country: `미국 캘리포니아 주 민법`. Other
# words that end in 주 are persons (`대주주의 상법 위반`) and cities.
_FOREIGN = re.compile(
    rf"(?<![가-힣])(?:(?:{_COUNTRIES})(?:\s[가-힣]{{2,10}}\s?주)?|(?:{_STATES})\s?주)(?:의|\s연방|의\s연방)?\s?[「(]?$"
)
_OLD_ENDS = frozenset("구옛전의")  # the last characters of _OLD
_FOREIGN_ENDS = frozenset(name[-1] for name in _COUNTRIES.split("|")) | frozenset("주의방")
# The end of the name of an act that the corpus may lack: `… 등에 관한 특례법`.
_LONG_NAME = re.compile(
    r"관한\s?(?:특별조치법|특별법|특례법|법률|(?:규칙|규정)(?=\s?(?:제\s?\d|별표|부칙)))"
    r"(?:\s?(?:시행령|시행규칙))?"
)
_BEFORE_AN_ARTICLE = r"(?=\s*(?:\(|제\s*\d|상\s|의\s|에\s|은\s|을\s))"
_OLD_NAME = re.compile(
    r"구(?<![가-힣]구)\s(?P<name>(?:[가-힣ㆍ·]{1,20}\s){0,4}?[가-힣ㆍ·]{1,20}(?:법|법률))"
    r"(?P<decree>\s?시행령|\s?시행규칙)?" + _BEFORE_AN_ARTICLE
)
_ONE_WORD = re.compile(
    r"(?<![가-힣A-Za-z「])[가-힣]{2,12}(?:특별법|특례법|기본법|특별조치법)(?:\s?시행령|\s?시행규칙)?"
)
# A document that a text names by Latin letters, or by the number of its promulgation:
# `GDPR 제17조`, `법률 제6132호 제3조`. A number behind the act's own name is a version of it.
_LATIN = re.compile(r"(?<![A-Za-z가-힣])[A-Z]{3,20}[A-Za-z]{0,20}(?=\s?제\s?\d{1,4}\s?조)")
_PROMULGATED = re.compile(
    r"(?<![가-힣])(?<![법률령칙정」]\s)(?:법률|대통령령|총리령|[가-힣]{2,8}부령|고시|훈령|예규|조례)"
    r"\s?제\s?\d{1,5}(?:-\d{1,4})?\s?호(?=\s?제\s?\d{1,4}\s?조)"
)
_ONE_WORD_ENDS = ("특별법", "특례법", "기본법", "특별조치법")
_BEFORE = 90  # characters before its last word in which the name of an unknown act begins
_JOINED = re.compile(r"\s*(?:(?:과|와|및|또는|이나|나|의|에|은|는|이|가)\s)?\s*")
_STOP = re.compile(
    r"[.,;:()\[\]{}/\n“”\"‘’'「」<>]|(?<![가-힣])(?:구|위|그리고|따라|따른|의하여|대하여)\s"
    r"|(?<=[가-힣])(?<![연요청지도기친입출창강탐촉복영항인추])구\s|현행\s?"
)
_DEFINED = re.compile(
    r"\s?\((?:[^()]{0,200}?,\s?)?이하\s?(?:이\s?[조항장절]에서\s?)?[‘'“\"「](?P<name>[^‘’'“”\"「」\n]{1,24})[’'”\"」]\s?"
    r"(?:\)|이?라(?:고)?\s?(?:한다|함|하고|약칭|칭|부른))"
)
_DEFINING = re.compile(r"이하\s?(?:이\s?[조항장절]에서\s?)?[‘'“\"「]?(?:구\s)?$")
_NO_ACT = re.compile(r"재판[소관]|학[설자계]|원[은이의에]")
_SAID = re.compile(r"(?:이?라)?고\s?(?:규정|정하|정한|명시|밝히)")  # `「…한다」고 규정한다` quotes


def defined_name(text: str, end: int) -> str:
    """Return the short name that a bracket after an act defines; empty without one.

    `end` is the offset behind the name of the act.
    """
    match = _DEFINED.match(text, end, end + 280)
    return " ".join(match["name"].split()) if match else ""


def names_an_act(text: str, token: Token) -> bool:
    """Return whether the name of an act is one: not `헌법재판소`, and not the name that a bracket
    defines (`이하 ‘법’이라 한다`).
    """
    if _NO_ACT.match(text, token.end):
        return False
    if token.kind == "quoted" and _SAID.match(text, token.end):
        return False
    low = max(0, token.start - 16)
    return text.find("이하", low, token.start) < 0 or not _DEFINING.search(text, low, token.start)


def foreign_words(text: str, start: int) -> str:
    """Return the words before a name that make it an act of another country; empty without any."""
    low = max(0, start - 24)
    if _last_letter(text, low, start) not in _FOREIGN_ENDS:
        return ""
    match = _FOREIGN.search(text, low, start)
    return match[0].strip() if match else ""


def is_old(text: str, start: int, width: int = 10) -> bool:
    """Return whether the words before a name make it an act as it was before an amendment.

    `width` is the number of characters in which these words lie.
    """
    low = max(0, start - width)
    return _last_letter(text, low, start) in _OLD_ENDS and _OLD.search(text, low, start) is not None


def _last_letter(text: str, low: int, start: int) -> str:
    return text[low:start].rstrip().rstrip("「(").rstrip()[-1:]


def overlaps(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Return whether a span shares a character with one of the sorted spans."""
    row = bisect.bisect_left(spans, (end, 0))
    return any(last > start for _, last in spans[max(0, row - 4) : row])


def unknown_names(text: str, ends: list[int]) -> Iterator[Token]:
    """Yield the names of acts that their form shows; `ends` are the ends of the other tokens.

    Two of them may overlap. The first one counts.
    """
    for match in _OLD_NAME.finditer(text):
        name = " ".join(match["name"].split()) + (match["decree"] or "")
        yield Token("act", match.start("name"), match.end(), name)
    for pattern in (_LATIN, _PROMULGATED):
        for match in pattern.finditer(text):
            yield Token("act", match.start(), match.end(), match[0])
    for match in _LONG_NAME.finditer(text):
        row = bisect.bisect_right(ends, match.start())
        low = max(0, match.start() - _BEFORE, ends[row - 1] if row else 0)
        for stop in _STOP.finditer(text, low, match.start()):
            low = stop.end()
        if joined := _JOINED.match(text, low, match.start()):
            low = joined.end()
        if low < match.start():
            yield Token("act", low, match.end(), " ".join(text[low : match.end()].split()))
    one_words = _ONE_WORD.finditer(text) if any(one in text for one in _ONE_WORD_ENDS) else ()
    for match in one_words:
        yield Token("act", match.start(), match.end(), match.group(0))
