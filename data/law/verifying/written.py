"""Bring a text into one spelling of its references, with offsets into the text as it was written.

Decomposed Hangul, other brackets and digits, and Chinese characters of references (`民法 第750條`)
become `민법 제750조`. The offsets of every character lead back to the original text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern
from kofinlaw.data.korean.hanja import has_hanja
from kofinlaw.data.korean.spelling import number_in_words, standard_spans
from kofinlaw.data.law.headers import CIRCLED
from kofinlaw.data.law.verifying.bare_articles import bare_article_spans, broken_number_spans
from kofinlaw.data.law.verifying.hanja_names import HanjaNames

__all__ = ["WrittenText", "written_text"]

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u180e"
_ONE_TO_ONE = str.maketrans(
    "（）［］＜＞｢｣『』\u3000\u00a0，．：；＂・･‧∙⋅"
    "民刑商憲法律施行令規則附別表同舊旧本事訴訟銀證券保險",
    "()[]<>「」「」  ,.:;\"·····"
    "민형상헌법률시행령규칙부별표동구구본사소송은증권보험",
)  # fmt: skip
_OTHER = re.compile("[" + re.escape("".join(map(chr, _ONE_TO_ONE))) + "]")
_CLUSTER = re.compile(
    r"[\u1100-\u115f\ua960-\ua97c][\u1160-\u11a7\ud7b0-\ud7c6]?[\u11a8-\u11ff\ud7cb-\ud7fb]?"
    r"|[^\u0300-\u036f\u302a-\u302f\u3099\u309a][\u0300-\u036f\u302a-\u302f\u3099\u309a]*+|[\s\S]"
)
_SUBS = "가나다라마바사아자차카타파하"
_UNIT_END = r"(?![가-힣]?실)"  # 303호실
_AFTER = r"(?!\s?(?:원|달러|\d*\s?[억만천]))" + (
    r"(?=[^가-힣]|[의은는이가을를에와과및제도까랑부만로나라]|$)"
)
_BEHIND_ARTICLE = (
    r"(?:(?<=\d조)|(?<=\d조 )|(?<=\d 조)|(?<=\d 조 )|"
    r"(?<=조의\d)|(?<=조의\d )|(?<=조의\d\d)|(?<=조의\d\d )|"
    r"(?<=[일이삼사오육칠팔구십]조)|(?<=[일이삼사오육칠팔구십]조 ))"
)
_BEHIND_PART = r"(?:(?<=[항조] 단서 )|(?<=[항조] 본문 )|(?<=[항조] 전단 )|(?<=[항조] 후단 ))"
_BEHIND_ITEM = r"(?:(?<=\d호)|(?<=\d호 )|(?<=호의\d)|(?<=호의\d ))"
_BEHIND_SUB = (
    "(?:" + "|".join(f"(?<=목{gap})" for gap in (",", ", ", "ㆍ", "·", " 및 ", " 또는 ")) + ")"
)
_LOOSE = re.compile(
    rf"제(?=\d)(?:(?P<many>\d{{1,4}}(?:[조항호]?\s?(?:[,ㆍ·~]|및|또는|내지|부터|와|과)\s?\d{{1,4}}){{1,9}})"
    rf"\s?(?P<unit>[조항호]){_AFTER}"
    rf"|\d{{1,3}}호\s?(?P<subs>[가-하](?:\s?[,ㆍ·]\s?[가-하]){{1,9}})(?=\s?목{_AFTER})"
    r"|(?P<stem>\d{1,4})의(?P<twig>\d{1,2})(?P<kind>[조호])(?![가-힣]?\d))|"
    r"(?<=[조항호])[ ]?(?P<dash>[–—-])[ ]?(?=제\d{1,4}[조항호])|"
    r"(?<=[조항호\d])(?P<from>에서)(?=\s?제?\d{1,4}[조항호](?:의\d{1,2})?까지)|"
    rf"{_BEHIND_ITEM}(?P<owner>의)\s?(?=[가-하]\s?목)|"
    rf"(?:{_BEHIND_ITEM}|{_BEHIND_SUB})[(“‘\"'](?P<bracketed>[가-하])[)”’\"']\s?(?=목)|"
    rf"(?<=[{CIRCLED}])\d{{1,2}}(?=\s?호{_AFTER})|"
    r"(?:(?<=[법률령칙정세」])|(?<=[법률령칙정세」] )|"
    r"(?<=[법률령칙정][\]*])|(?<=[법률령칙정][\]*] )|(?<=[법률령칙정]\*\* ))\d{1,4}"
    r"(?=\s?조(?!\s?(?:원|달러|각|\d*\s?[억만천]|여)))"
    rf"|(?:{_BEHIND_ARTICLE}|(?<=항)|(?<=항 ))(?P<run>\d{{1,3}}(?P<each>[항호])"
    rf"(?:\s?(?:[,ㆍ·]|및|또는|내지|부터)\s?\d{{1,3}}(?:(?P=each)|(?=\s?[,ㆍ·]))){{1,9}})(?!실)"
    rf"|(?:{_BEHIND_ARTICLE}|(?<=항)|(?<=항 )|{_BEHIND_PART})\d{{1,3}}(?=\s?[항호]{_UNIT_END})"
    rf"|{_BEHIND_ARTICLE}\s?의\s?제?(?P<of>\d{{1,3}})(?=\s?[항호]{_UNIT_END})"
    rf"|{_BEHIND_ARTICLE}(?P<circled>[{CIRCLED}](?:\s?(?:[,ㆍ·]|및|또는)\s?[{CIRCLED}])*)"
    rf"|{_BEHIND_ARTICLE}\((?P<round>\d{{1,2}})\)(?=\s?항{_UNIT_END})"
    r"|§§\s?(?P<sections>\d{1,4}(?:\s?[,ㆍ·]\s?\d{1,4}){0,9})"
    rf"|§\s?(?P<section>\d{{1,4}}(?:-\d{{1,3}})?)(?:\s?조)?(?:\s?의\s?(?P<branch>\d{{1,3}}))?"
    rf"(?:\s?(?P<para>[{CIRCLED}])|\s(?P<numbered>\d{{1,3}})(?=\s?항))?"
    rf"(?:(?<=[{CIRCLED}])(?P<point>\d{{1,2}})\.(?!\d))?"
    r"|제(?P<words>[일이삼사오육칠팔구십백]{1,7})(?=[조항호](?:[^가-힣]|[의은는이가을를에와과및제]|$))"
    r"|(?P<open>[“\"‘'`*<〈《≪]{1,2})"
    r"(?=[가-힣A-Za-z0-9ㆍ· ]{1,60}(?:법|법률|시행령|시행규칙|규정|세칙)"
    r"[”\"’'`*>〉》≫]{1,2}\s?(?:제?\s?\d|별표))"
    r"|(?:(?<=법)|(?<=법률)|(?<=시행령)|(?<=규칙)|(?<=규정)|(?<=세칙))(?P<close>[”\"’'`*>〉》≫]{1,2})"
    r"(?=\s?(?:제?\s?\d|별표))"
)
_BEHIND_UNIT = rf"[조항호법률령칙정세」{CIRCLED}]"
# A character that a loose form can begin with, and what must be next to it.
_ANCHOR = re.compile(
    rf"""[\d의제에(§{CIRCLED}“”"‘’'`*<>〈〉《》≪≫–—\s-](?:
    (?<=[\d의])(?:(?<={_BEHIND_UNIT}.)|(?<={_BEHIND_UNIT}\s.)|(?<=[서문단]\s.)
        |(?<=[법률령칙정][\]*].)|(?<=[\]*]\s.)
        |(?<=의\d.)|(?<=의\d\d.)|(?<=의\d\s.)|(?<=의\d\d\s.))
    |(?<=제)(?=\d++(?:[조항호]?\s?(?:[,ㆍ·~및와과]|또는|내지|부터)\s?\d|의\d|호\s?[가-하]\s?[,ㆍ·])
        |[일이삼사오육칠팔구십백])
    |(?<=[조항호\d]에)(?=서)
    |(?<=[{CIRCLED}])(?<=[조\d\s].)
    |(?<=\s)(?=[의–—-])
    |(?<=[^\d의제에{CIRCLED}\s]))""",
    re.VERBOSE,
)
_LOOSE_FORMS = AnchoredPattern(_ANCHOR, _LOOSE)
_HEADING = re.compile(r"(?<=[조條\d])[【〔]([^【】〔〕\n]{1,60})[】〕]")  # `제3조【신고】`
# Behind a blank it may begin a part of a judgment, so it must be as long as in `제3조 […]`.
_APART = re.compile(r"(?<=[조條\d][ \u3000\u00a0])[【〔]([^【】〔〕\n]{1,60})[】〕]")
_STRANGE = re.compile(rf"[{_INVISIBLE}\u0300-\u036f\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]")


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A text in one spelling: `text`, and where its characters begin and end in the original.

    `starts` and `ends` are None if every character lies where it was written.
    """

    text: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in the original of a part of `text` that is not empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def written_text(original: str, names: HanjaNames | None = None) -> WrittenText:
    """Return the text in one spelling. The time grows with the length of the text alone.

    `names` reads the names of acts in Chinese characters; without it they stay.
    """
    text, starts, ends = original, None, None
    if _STRANGE.search(original):
        text, starts, ends = _composed(original)
    if "【" in text or "〔" in text:
        text = _APART.sub(r"[\1]", _HEADING.sub(r"(\1)", text))
    if _OTHER.search(text):
        text = text.translate(_ONE_TO_ONE)
    if names is not None and has_hanja(text):
        text, starts, ends = _replaced(text, starts, ends, names.spans(text))
    for spans in (broken_number_spans, standard_spans, _loose_spans, bare_article_spans):
        text, starts, ends = _replaced(text, starts, ends, list(spans(text)))
    return WrittenText(text, starts, ends)


def _loose_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, words) of numbers and names in the forms of free text.

    `민법 750조`, `제3조 2항`, `§750①`, `제삼조`, `**은행법** 제3조`, and `제3조의 2항`, which is no
    제3조의2. `제382의3조`, `제3조-제5조`, and lists that name their unit once: `제1, 2항`.
    """
    opened = False
    for match in _LOOSE_FORMS.finditer(text):
        if parts := _listed(match):
            yield from parts
            continue
        words = _numbered(match) or _marked(match, opened)
        opened = bool(match["open"])
        if words != match[0]:
            yield match.start(), match.end(), words


def _numbered(match: re.Match[str]) -> str:
    """Return the one spelling of a number with its unit; empty for other words."""
    if match["stem"]:
        return f"제{match['stem']}{match['kind']}의{match['twig']}"
    if match["section"]:
        branch = f"의{match['branch']}" if match["branch"] else ""
        item = f"제{match['point']}호" if match["point"] else ""
        para = f"제{match['numbered']}" if match["numbered"] else _paragraph(match["para"])
        return f"제{match['section']}조{branch}" + para + item
    if match["of"]:
        return f" 제{match['of']}"
    if match["round"]:
        return f"제{match['round']}"
    return f"제{number_in_words(match['words'])}" if match["words"] else ""


def _marked(match: re.Match[str], opened: bool) -> str:
    """Return the one spelling of a mark of a range, a 목 or a name; else the digits with 제."""
    if match["dash"]:
        return "~"
    if match["from"]:
        return "부터"
    if match["owner"] or match["bracketed"]:
        return f" {match['bracketed'] or ''}"
    if match["open"]:
        return "「"
    if match["close"]:
        return "」" if opened else match[0]
    return f"제{match[0]}"


def _listed(match: re.Match[str]) -> list[tuple[int, int, str]]:
    """Return the spans of a list that names its unit once: `제1, 2항`, `①·②`, `가·나목`."""
    if match["many"]:
        unit, start, end = match["unit"], match.start(), match.end()
        if set(re.findall("[조항호]", match["many"])) - {unit}:
            return []
        if re.fullmatch(r"\d,\d{3}", match["many"]):  # 제1,119조
            return [(start, end, f"제{match['many'].replace(',', '')}{unit}")]
        numbers = list(re.finditer(r"\d+", match["many"]))
        begins = [start + 1 + one.start() for one in numbers]
        ends = [start + 1 + one.end() for one in numbers]
        begins[0], ends[-1] = start, end
        ends = [place + (match.string[place] == unit) if place < end else end for place in ends]
        words = [f"제{one[0]}{unit}" for one in numbers]
        return list(zip(begins, ends, words, strict=True))
    for name, form in (("run", "제{}"), ("sections", "제{}조")):  # `1호 및 2호`, `§§103, 104`
        if match[name]:
            numbers = list(re.finditer(r"\d+", match[name]))
            begins = [match.start(name) + one.start() for one in numbers]
            begins[0] = match.start()
            ends = [match.start(name) + one.end() for one in numbers]
            words = [form.format(one[0]) for one in numbers]
            return list(zip(begins, ends, words, strict=True))
    for name, word in (("circled", _paragraph), ("subs", "{}목".format)):
        if match[name]:
            places = range(match.start(name), match.end(name))
            letters = CIRCLED if name == "circled" else _SUBS
            named = [place for place in places if match.string[place] in letters]
            last = [] if name == "circled" else named[-1:]
            return [(at, at + 1, word(match.string[at])) for at in named if at not in last]
    return []


def _paragraph(circled: str | None) -> str:
    return f"제{CIRCLED.index(circled) + 1}항" if circled else ""


def _replaced(
    text: str,
    starts: list[int] | None,
    ends: list[int] | None,
    spans: Sequence[tuple[int, int, str]],
) -> tuple[str, list[int] | None, list[int] | None]:
    """Return the text with the words of the spans, and the offsets of its characters."""
    if not spans:
        return text, starts, ends
    starts = starts if starts is not None else list(range(len(text)))
    ends = ends if ends is not None else list(range(1, len(text) + 1))
    pieces: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    last = 0
    for start, end, words in spans:
        pieces += [text[last:start], words]
        new_starts += starts[last:start]
        new_ends += ends[last:start]
        for index in range(len(words)):
            place = start + min(index, end - start - 1)
            new_starts.append(starts[place])
            new_ends.append(ends[end - 1] if index == len(words) - 1 else ends[place])
        last = end
    pieces.append(text[last:])
    return "".join(pieces), new_starts + starts[last:], new_ends + ends[last:]


def _composed(original: str) -> tuple[str, list[int], list[int]]:
    """Return the composed text without invisible marks, and the offsets of its characters."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(original):
        cluster = match[0]
        if cluster in _INVISIBLE:
            continue
        composed = unicodedata.normalize("NFC", cluster) if len(cluster) > 1 else cluster
        for character in composed:
            if character in _INVISIBLE:
                continue
            out.append(character)
            starts.append(match.start())
            ends.append(match.end())
    return "".join(out), starts, ends
