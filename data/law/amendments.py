"""Remove amendment tags from statute text: `<개정 2013.5.22>`, `[본조신설 2008.12.31]` and others.

The tags say when a text changed, not what the law says. They are removed from the text and
returned separately.
"""

from __future__ import annotations

import re

__all__ = ["mask_amendments", "strip_amendments"]

_DAY = r"\d{4}\s*[.ㆍ·]\s*\d{1,2}\s*[.ㆍ·]\s*\d{1,2}"
_WORDS = (
    r"개정|신설|전문\s*개정|전부\s*개정|일부\s*개정|단서\s*신설|단서\s*개정|후단\s*신설|본조\s*신설|본장\s*신설|"
    r"본절\s*신설|제목\s*개정|제목\s*변경|종\s*전의?|시행일|삭\s*제\s*(?=[\d<])|타법\s*개정|이동(?![가-힣])|조\s*번호\s*변경|제명\s*변경"
)
# "<삭제 2020.5.19>" is both: the word is the text of the law, the day is a tag.
_ANGLE = re.compile(
    rf"[<〈＜]\s*(?:(?:{_WORDS})[^<>〈〉＜＞]*|[^<>〈〉＜＞]{{0,60}}{_DAY}[^<>〈〉＜＞]*"
    r"|제[^<>〈〉＜＞]{1,40}(?:에서|로|으로)\s*이동[^<>〈〉＜＞]*)[>〉＞]"
)
_SQUARE = re.compile(
    rf"\[\s*(?:(?:{_WORDS})[^\[\]]*|[^\[\]]{{1,60}}(?:에서|로|으로)\s*이동[^\[\]]*"
    r"|(?:법률|대통령령)\s*제\d+호(?>[^\[\]]*?(?:의하여|따라|유효))[^\[\]]*|헌법재판소[^\[\]]*)\]"
)
# "[시행일: 2016. 3. 12.] 제36조" repeats the article after the bracket.
_IN_FORCE = re.compile(r"\[\s*시행일[^\[\]]*\]\s*(?:제\d+조(?:의\d+)?(?=\s|$))?")
_DELETED_TAG = re.compile(r"[<〈＜]\s*(삭\s*제)\s*+([\d.,ㆍ·\s]*)[>〉＞]")
_IMAGE = re.compile(r"</?img[^<>]*>")
_BLANKS = re.compile(r"[ \t\u00a0\u3000]{2,}")


def mask_amendments(text: str) -> str:
    """Return the text with blanks instead of tags.

    The length does not change, so offsets stay valid.
    """
    if "<" not in text and "[" not in text and "〈" not in text and "＜" not in text:
        return text

    def blank(match: re.Match[str]) -> str:
        return " " * len(match.group(0))

    for pattern in (_IMAGE, _DELETED_TAG, _ANGLE, _IN_FORCE, _SQUARE):
        text = pattern.sub(blank, text)
    return text


def strip_amendments(text: str) -> tuple[str, tuple[str, ...]]:
    """Return (text without amendment tags, the tags ordered by kind and position).

    Where a tag was removed, several blanks become one. Other characters stay unchanged.
    """
    if "<" not in text and "[" not in text and "〈" not in text and "＜" not in text:
        return text, ()
    tags: list[str] = []

    def keep(match: re.Match[str]) -> str:
        tags.append(match.group(0).strip())
        return " "

    def deleted(match: re.Match[str]) -> str:
        if match.group(2).strip():
            tags.append(match.group(0).strip())
        return "삭제"

    text = _IMAGE.sub(keep, text)
    text = _DELETED_TAG.sub(deleted, text)
    text = _ANGLE.sub(keep, text)
    text = _IN_FORCE.sub(keep, text)
    text = _SQUARE.sub(keep, text)
    if tags:
        text = "\n".join(_BLANKS.sub(" ", line).rstrip() for line in text.split("\n"))
    return text, tuple(tags)
