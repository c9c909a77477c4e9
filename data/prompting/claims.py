"""Read what each option of a question claims: its text, or the marked statements that it combines.

`다음 중 옳은 것만을 모두 고르면? ㄱ. … ㄴ. …` has options like `ㄱ, ㄴ`, which claim nothing by
themselves. Search and evidence use the statements of such a question instead.

The contest's script copies this module, so it imports only what that machine has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.data.korean.marks import JAMO, SIGN_SERIES, SYLLABLES

__all__ = ["Claims", "claims_of", "marked_statements"]

# Marks by their place: an option may name `ⓒ` of the stem as `ㄷ`.
_CIRCLED = tuple(
    SIGN_SERIES[name][:10]
    for name in ("circled jamo", "circled syllable", "circled", "circled lower")
)
_SERIES = (JAMO, *_CIRCLED, SYLLABLES[:10])
_PLACE = {mark: place for series in _SERIES for place, mark in enumerate(series)}
_MARK = "[" + "".join(_PLACE) + "]"
_OPTION = re.compile(rf"(?:\s|,|，|ㆍ|·|와|과|및|{_MARK}|[().])+")
# A mark before a statement. A circled one needs no full stop behind it: `ⓐ 서장`.
_MARKED = re.compile(
    rf"(?:^|(?<=\s))\(?({_MARK})(?:[^\S\n]{{0,2}}[.)．:]|(?<=[{''.join(_CIRCLED)}])(?=\s))",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What the options claim; `stem` is the stem without marked statements."""

    stem: str
    texts: tuple[str, ...]


def claims_of(stem: str, options: Sequence[str]) -> Claims:
    """Return the options as claims, or the marked statements of the stem if the options combine
    them. A question without options has no claims.
    """
    statements = marked_statements(stem, options)
    if not statements:
        return Claims(stem, tuple(options))
    first = _MARKED.search(stem)
    before = stem[: first.start()].strip() if first else ""
    return Claims(before or stem, tuple(statements.values()))


def marked_statements(stem: str, options: Sequence[str]) -> dict[str, str]:
    """Return the statements of the stem by the marks of the options, if every option consists of
    marks.

    Options may use another series of marks than the stem (`ㄷ` for `ⓒ`); then the place in the
    series decides. Empty for any other question.
    """
    marked = list(_MARKED.finditer(stem))
    if len(marked) < 2 or not options:
        return {}
    ends = [*(match.start() for match in marked[1:]), len(stem)]
    texts = (stem[match.end() : end].strip() for match, end in zip(marked, ends, strict=True))
    found = {
        match[1]: text.split("\n")[0].strip()
        for match, text in zip(marked, texts, strict=True)
        if text
    }
    if len(found) < 2:
        return {}
    used: list[str] = []
    for option in options:
        marks = re.findall(_MARK, option)
        if not marks or not _OPTION.fullmatch(option):
            return {}
        used += marks
    if set(used) <= set(found):
        return found
    by_place = {_PLACE[mark]: text for mark, text in found.items()}
    series = {line for line in _SERIES for mark in used if mark in line}
    if len(series) != 1 or not {_PLACE[mark] for mark in used} <= set(by_place):
        return {}
    (line,) = series
    return {line[place]: text for place, text in by_place.items()}
