"""Find the names of acts and the words of references that a text writes in Chinese characters.

`信用情報의 利用 및 保護에 관한 法律` is `신용정보의 이용 및 보호에 관한 법률`. A name counts if
one of the readings of its characters is the name of an act that the corpus knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kofinlaw.data.korean.hanja import HANJA, hanja_readings, has_hanja, read_hanja
from kofinlaw.data.law.titles import title_key

__all__ = ["HanjaNames"]

# Where a name may begin: not inside a word, or behind a particle or `舊`, `同`, `現行`.
_START = re.compile(
    rf"[가-힣A-Za-z{HANJA}](?:(?<![가-힣{HANJA}].)|(?<=[은는을를의및와과구동본].)|(?<=현행.))"
)
_FILLING = re.compile(r"[\s·ㆍ]{0,3}")
_FOLLOWING = re.compile(rf"(?![{HANJA}])|[上中及等第]")
_HEADING = re.compile(r"(?<=[조條条\d])\s?\((?P<words>[^()\n]{1,60})\)")
# Words of references; some of their characters are already read: `동條` of 同條.
_WORDS = {
    "前項": "전항", "前條": "전조", "동條": "동조", "동項": "동항", "동號": "동호", "各號": "각 호",
    "但書": "단서", "본文": "본문", "前段": "전단", "後段": "후단", "乃至": "내지", "現行": "현행",
    "大법院": "대법원", "大法院": "대법원", "헌법裁判所": "헌법재판소", "宣告": "선고",
    "判決": "판결", "改正": "개정", "以下": "이하", "關한": "관한",
}  # fmt: skip
_WORD = re.compile("|".join(map(re.escape, _WORDS)))
_UNITS = {"條": "조", "条": "조", "項": "항", "项": "항", "號": "호", "号": "호", "目": "목"}
_UNIT = re.compile(
    rf"(?:(?<=\d)|(?<=\d ))[條条項项號号]|(?<=[가-하])(?<![가-힣].)目(?![가-힣{HANJA}])"
)
# A word that names an act by its end, in Chinese characters and those that are already read: not
# `甲이민법`. Its readings need not be those of the act.
_PART = f"[{HANJA}민형상헌법률시행령규칙부별표동구본사소송은증권보험]"
_ACT = re.compile(
    rf"{_PART}(?<![가-힣{HANJA}].)(?<![第條条項项號号目甲乙丙丁]){_PART}{{0,40}}"
    rf"(?:법|법률|규칙|規程|규정|細則|세칙)(?![가-힣{HANJA}])"
)


class _Branch(dict[str, "_Branch"]):
    """A node of a prefix tree; `name` is the name that ends here, or empty."""

    name: str = ""


class HanjaNames:
    """Reads names of acts and headings of articles that are written in Chinese characters.

    `names` are the titles and short names of acts, `headings` the letters of headings.
    """

    def __init__(self, names: Iterable[str], headings: Iterable[str] = ()) -> None:
        self._names = _tree((title_key(name), name) for name in names)
        self._headings = _tree((heading, heading) for heading in headings)

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """Return (start, end, words in Hangul) of the words to replace, in order."""
        found = list(self._found(text))
        found.sort(key=lambda span: (span[0], -span[1]))
        kept: list[tuple[int, int, str]] = []
        for span in found:
            if not kept or span[0] >= kept[-1][1]:
                kept.append(span)
        return kept

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        for match in _START.finditer(text):
            if named := _longest(self._names, text, match.start()):
                yield match.start(), *named
        for match in _WORD.finditer(text):
            yield match.start(), match.end(), _WORDS[match[0]]
        for match in _UNIT.finditer(text):
            yield match.start(), match.end(), _UNITS[match[0]]
        for match in _HEADING.finditer(text):
            heading = _longest(self._headings, text, match.start("words"))
            if heading and heading[0] == match.end("words"):
                yield match.start("words"), *heading
        for match in _ACT.finditer(text):
            if has_hanja(match[0]):
                yield match.start(), match.end(), read_hanja(match[0])


def _tree(names: Iterable[tuple[str, str]]) -> _Branch:
    root = _Branch()
    for key, name in names:
        branch = root
        for letter in key:
            branch = branch.setdefault(letter, _Branch())
        branch.name = branch.name or name
    return root


def _longest(tree: _Branch, text: str, start: int) -> tuple[int, str] | None:
    """Return (end, name) of the longest name at an offset that has a Chinese character."""
    found: tuple[int, str] | None = None
    branches, end, hanja = [tree], start, False
    while branches and end < len(text):
        letter = text[end]
        readings = hanja_readings(letter) if letter > "ㆍ" and not "가" <= letter <= "힣" else ()
        hanja = hanja or bool(readings)
        branches = [
            branch[one] for branch in branches for one in (readings or (letter,)) if one in branch
        ]
        end += 1
        name = next((branch.name for branch in branches if branch.name), "")
        if name and hanja and _FOLLOWING.match(text, end):
            found = end, name
        filling = _FILLING.match(text, end)
        end = filling.end() if filling else end
    return found
