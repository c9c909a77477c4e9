"""Rules that HWPX and HWP 5 share: styles of headings, private characters, automatic numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kofinlaw.data.readers.office.docx_styles import HEADING, TITLE
from kofinlaw.data.readers.office.number_marks import Counters, number_mark

__all__ = ["Head", "Numbering", "ParagraphHeads", "hancom_symbols", "style_prefix"]

_LEVELS = 10
# Hancom's own characters in the private use area: boxed numbers, one old syllable, and bullets.
_BOXED = re.compile("[\U000f02b1-\U000f02c4]")
_BULLET = re.compile("^((?:#{1,6} |\\| )?)[\ue000-\uf8ff\U000f0000-\U000ffffd] ?", re.MULTILINE)
_PLACE = re.compile(r"\^(?:([1-9]0?)|([nN]))")


def hancom_symbols(text: str) -> str:
    """Return a text with Hancom's private characters as Unicode where their meaning is known.

    A boxed number becomes `[1]`, a symbol at the start of a line or row a bullet (`·`).
    """
    text = text.replace("\uf53a", "한")
    text = _BOXED.sub(lambda match: f"[{ord(match[0]) - 0xF02B0}]", text)
    return _BULLET.sub(r"\1· ", text)


def style_prefix(names: Sequence[str]) -> str:
    """Return the Markdown prefix of a style of Hancom's with these names, such as `## ` for
    `개요 1`; empty for ordinary text. The document's own title is level 1.
    """
    level = next((int(m.group(1)) for n in names if (m := HEADING.match(n))), 0)
    if level:
        return "#" * min(6, level + 1) + " "
    return "# " if any(TITLE.match(n) for n in names) else ""


@dataclass(frozen=True, slots=True)
class Head:
    """The number of one level: its text (`^1.`), format (`DIGIT`) and first number."""

    text: str
    form: str = "DIGIT"
    start: int = 1


@dataclass(frozen=True, slots=True)
class Numbering:
    """A numbering: its levels, from 0."""

    heads: dict[int, Head] = field(default_factory=dict)


class ParagraphHeads:
    """Counts the numbered paragraphs of a document; ask in the order of the document."""

    def __init__(self, numberings: dict[str, Numbering], bullets: dict[str, str]) -> None:
        self._numberings = numberings
        self._bullets = bullets
        self._counters: dict[str, Counters] = {}
        self.outline = ""  # the numbering of the outline of the current section

    def mark(self, kind: str, identity: str, level: int) -> str:
        """Count a paragraph; returns its number or bullet with a blank behind it.

        Args:
            kind: `OUTLINE`, `NUMBER` or `BULLET`; others have no mark.
            identity: The id of its numbering or bullet.
            level: Its level, from 0.
        """
        if kind == "BULLET":
            bullet = self._bullets.get(identity, "")
            return f"{bullet} " if bullet else ""
        if kind not in ("OUTLINE", "NUMBER") or not 0 <= level < _LEVELS:
            return ""
        if kind == "OUTLINE":
            identity = self.outline or identity
        heads = self._numberings.get(identity, Numbering()).heads
        counters = self._counters.setdefault(f"{kind} {identity}", Counters())
        here = heads.get(level)
        counters.count(level, here.start if here else 1, list(range(-1, _LEVELS)))
        if here is None:
            return ""

        def shown(match: re.Match[str]) -> str:
            if match[1]:
                return self._number(counters, heads, int(match[1]) - 1)
            path = ".".join(self._number(counters, heads, n) for n in range(level + 1))
            return f"{path}." if match[2] == "N" else path

        text = _PLACE.sub(shown, here.text)
        return f"{text} " if text.strip() else ""

    @staticmethod
    def _number(counters: Counters, heads: dict[int, Head], level: int) -> str:
        head = heads.get(level, Head(""))
        return number_mark(counters.shown(level, head.start), head.form)
