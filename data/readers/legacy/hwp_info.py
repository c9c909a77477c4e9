"""Read `DocInfo` of an HWP 5 file: styles, and the automatic numbers of paragraphs.

Source: Hancom, 한글 문서 파일 형식 5.0 (revision 1.3), 4.2.8 to 4.2.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from kofinlaw.data.readers.legacy.hwp_records import Record, records
from kofinlaw.data.readers.office.hancom import Head, Numbering, ParagraphHeads, style_prefix

__all__ = ["FORMATS", "DocInfo"]

_NUMBERING, _BULLET, _SHAPE, _STYLE = 23, 24, 25, 26
_LEVELS = 7
_KINDS = ("", "OUTLINE", "NUMBER", "BULLET")
# The formats of numbers by their code, with the names of HWPX
FORMATS = (
    "DIGIT", "CIRCLED_DIGIT", "ROMAN_CAPITAL", "ROMAN_SMALL", "LATIN_CAPITAL", "LATIN_SMALL",
    "CIRCLED_LATIN_CAPITAL", "CIRCLED_LATIN_SMALL", "HANGUL_SYLLABLE", "CIRCLED_HANGUL_SYLLABLE",
    "HANGUL_JAMO", "CIRCLED_HANGUL_JAMO", "HANGUL_PHONETIC", "IDEOGRAPH", "CIRCLED_IDEOGRAPH",
)  # fmt: skip


class DocInfo:
    """The styles and numbers of a document. Paragraphs must be asked for in their order."""

    def __init__(self, data: bytes) -> None:
        self._styles: list[str] = []
        self._shapes: list[tuple[str, str, int]] = []  # kind, id and level of each shape's number
        numberings: dict[str, Numbering] = {}
        bullets: dict[str, str] = {}
        for tag, _, body in records(data, "DocInfo"):
            record = Record(tag, body)
            if tag == _STYLE:
                name, rest = _counted_text(body)
                self._styles.append(style_prefix((name, _counted_text(rest)[0])))
            elif tag == _SHAPE:
                about = record.number(0, 4)
                place = (_KINDS[about >> 23 & 3], str(record.number(30, 2)), about >> 25 & 7)
                self._shapes.append(place)
            elif tag == _NUMBERING:
                numberings[str(len(numberings) + 1)] = Numbering(dict(_heads(body)))
            elif tag == _BULLET:
                code = record.number(12, 2)
                bullets[str(len(bullets) + 1)] = chr(code) if code >= 32 else "·"
        self._heads = ParagraphHeads(numberings, bullets)

    def prefix(self, paragraph: Record) -> str:
        """Return the Markdown prefix of a paragraph's style."""
        style = paragraph.number(10, 1)
        return self._styles[style] if style < len(self._styles) else ""

    def mark(self, paragraph: Record) -> str:
        """Count a paragraph; returns its automatic number with a blank behind it, or nothing."""
        shape = paragraph.number(8, 2)
        kind, identity, level = self._shapes[shape] if shape < len(self._shapes) else ("", "", 0)
        return self._heads.mark(kind, identity, level)

    def begin_section(self, outline: int) -> None:
        """Set the numbering of the outline of the section that begins."""
        self._heads.outline = str(outline)


def _heads(data: bytes) -> Iterator[tuple[int, Head]]:
    """Yield (level from 0, its head) of a numbering; old files have one first number for all."""
    found: list[tuple[str, str]] = []
    for _ in range(_LEVELS):
        form = int.from_bytes(data[:4], "little") >> 5 & 31
        text, data = _counted_text(data[12:])
        found.append((text, FORMATS[form] if form < len(FORMATS) else "DIGIT"))
    starts = [int.from_bytes(data[2 + 4 * n : 6 + 4 * n], "little") for n in range(_LEVELS)]
    for level, (text, name) in enumerate(found):
        yield level, Head(text, name, starts[level] if len(data) >= 2 + 4 * _LEVELS else 1)


def _counted_text(data: bytes) -> tuple[str, bytes]:
    """Return the text after its length in characters, and the bytes behind it."""
    end = 2 + 2 * int.from_bytes(data[:2], "little")
    return data[2:end].decode("utf-16-le", "replace"), data[end:]
