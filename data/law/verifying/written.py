"""Bring a text into one spelling of its references, with offsets into the text as it was written.

Decomposed Hangul, other brackets and digits, and Chinese characters of references (`民法 第750條`)
become `민법 제750조`. The offsets of every character lead back to the original text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.data.korean.spelling import standard_spans

__all__ = ["WrittenText", "written_text"]

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u180e"
_ONE_TO_ONE = str.maketrans(
    "（）［］＜＞｢｣『』\u3000\u00a0，．：；＂"
    "民刑商憲法律施行令規則附別表同舊旧本事訴訟銀證券保險",
    "()[]<>「」「」  ,.:;\""
    "민형상헌법률시행령규칙부별표동구구본사소송은증권보험",
)  # fmt: skip
_OTHER = re.compile("[" + re.escape("".join(map(chr, _ONE_TO_ONE))) + "]")
_CLUSTER = re.compile(
    r"[\u1100-\u115f\ua960-\ua97c][\u1160-\u11a7\ud7b0-\ud7c6]?[\u11a8-\u11ff\ud7cb-\ud7fb]?"
    r"|[^\u0300-\u036f\u302a-\u302f\u3099\u309a][\u0300-\u036f\u302a-\u302f\u3099\u309a]*+|[\s\S]"
)
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


def written_text(original: str) -> WrittenText:
    """Return the text in one spelling. The time grows with the length of the text alone."""
    text, starts, ends = original, None, None
    if _STRANGE.search(original):
        text, starts, ends = _composed(original)
    if _OTHER.search(text):
        text = text.translate(_ONE_TO_ONE)
    spans = list(standard_spans(text))
    if not spans:
        return WrittenText(text, starts, ends)
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
    return WrittenText("".join(pieces), new_starts + starts[last:], new_ends + ends[last:])


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
