"""Count the numbered paragraphs of a DOCX file: `numbering.xml` as Word shows it.

Source: ISO/IEC 29500-1, 17.9 (numbering).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from kofinlaw.data.readers.archives import attribute, local_name
from kofinlaw.data.readers.office.docx_parts import DocxParts
from kofinlaw.data.readers.office.docx_styles import Styles, child, is_on, value
from kofinlaw.data.readers.office.number_marks import Counters, number_mark

__all__ = ["Lists", "is_bullet", "symbol"]

_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
# Characters of the fonts Symbol and Wingdings, which Word puts into the private use area
_SYMBOLS = {
    0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "➢", 0xF0FC: "✓", 0xF0FB: "✗", 0xF06E: "■", 0xF06F: "□",
    0xF0A8: "□", 0xF071: "□", 0xF0FE: "☑", 0xF0FD: "☒", 0xF06C: "●", 0xF0A1: "○", 0xF06D: "○",
    0xF075: "◆", 0xF076: "❖", 0xF0E0: "→", 0xF0E8: "➔", 0xF0AE: "→", 0xF0B0: "°", 0xF0B1: "±",
    0xF0A3: "≤", 0xF0B3: "≥", 0xF0B4: "×", 0xF0D7: "·", 0xF02D: "−", 0xF046: "☞",
}  # fmt: skip


def is_bullet(mark: str) -> bool:
    """Return whether the mark of a paragraph is a bullet, without a letter or number in it."""
    return not any(unicodedata.category(c)[0] in "LN" or "㈀" <= c <= "㋿" for c in mark)


def symbol(code: int) -> str:
    """Return a character of a symbol font as Unicode; `·` for one whose meaning is unknown."""
    if 0x20 <= code < 0x100:
        code += 0xF000
    if 0xF000 <= code <= 0xF0FF:
        return _SYMBOLS.get(code, "·")
    return chr(code) if 0xA0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "·"


@dataclass(frozen=True, slots=True)
class _Level:
    """A level of a list, as `w:lvl` says it."""

    start: int = 1
    form: str = "decimal"
    text: str = ""
    blank: str = " "
    restart: int | None = None
    legal: bool = False
    hidden: bool = False
    style: str = ""


@dataclass(slots=True)
class _List:
    """A `w:num`: the abstract list that counts it, its levels, and its own first numbers."""

    counter: str
    levels: dict[int, _Level]
    starts: dict[int, int] = field(default_factory=dict)
    used: bool = False


class Lists:
    """The lists of a file. Paragraphs must be asked for in the order of the document."""

    def __init__(self, parts: DocxParts, styles: Styles) -> None:
        self._lists: dict[str, _List] = {}
        self._counters: dict[str, Counters] = {}
        root = parts.root("numbering")
        abstract: dict[str, dict[int, _Level]] = {}
        links: dict[str, str] = {}
        numbers: dict[str, str] = {}
        nums = [node for node in root if local_name(node.tag) == "num"]
        for node in nums:
            numbers[attribute(node, "numId")] = value(child(node, "abstractNumId"))
        for node in root:
            if local_name(node.tag) == "abstractNum":
                identity = attribute(node, "abstractNumId")
                abstract[identity] = dict(_levels(node))
                if link := value(child(node, "numStyleLink")):
                    links[identity] = link
        for node in nums:
            counter = numbers[attribute(node, "numId")]
            if counter in links:  # the list of a style
                counter = numbers.get(styles.list_of(links[counter])[0], counter)
            levels = dict(abstract.get(counter, {}))
            starts = {}
            for override in node:
                if local_name(override.tag) != "lvlOverride":
                    continue
                level = _whole(attribute(override, "ilvl"), 0)
                levels |= _levels(override)
                own = child(override, "startOverride")
                if own is not None:
                    starts[level] = _whole(value(own), 1)
            self._lists[attribute(node, "numId")] = _List(counter, levels, starts)

    def level_of_styles(self, list_id: str, styles: Sequence[str]) -> int | None:
        """Return the level of a list that is linked to one of these styles; None if none is."""
        found = self._lists.get(list_id)
        linked = {one.style: level for level, one in found.levels.items()} if found else {}
        return next((linked[style] for style in styles if style in linked), None)

    def mark(self, list_id: str, level: int) -> str:
        """Count a paragraph of a list; returns its number with the blank behind it."""
        found = self._lists.get(list_id)
        if found is None or not 0 <= level < _LEVELS:
            return ""
        counters = self._counters.setdefault(found.counter, Counters())
        if not found.used:
            found.used = True
            for restarted in found.starts:
                counters.counts[restarted] = None
        starts = {n: found.starts.get(n, found.levels.get(n, _Level()).start) for n in range(9)}
        counters.count(level, starts[level], [_restart(found.levels, n) for n in range(9)])
        here = found.levels.get(level)
        if here is None or here.hidden:
            return ""
        if here.form == "bullet":
            text = "".join(symbol(ord(c)) if "\ue000" <= c <= "\uf8ff" else c for c in here.text)
            text = "○" if text == "o" else text
        else:
            text = _PLACE.sub(
                lambda match: _shown(found.levels, counters, starts, int(match[1]) - 1, here),
                here.text,
            )
        return text + here.blank if text.strip() else ""


def _shown(
    levels: dict[int, _Level], counters: Counters, starts: dict[int, int], level: int, here: _Level
) -> str:
    """Return the number of a level inside the number of a paragraph."""
    form = levels.get(level, _Level()).form
    count = counters.shown(level, starts[level])
    if form == "none":
        return ""
    return number_mark(count, "decimal" if here.legal or form == "bullet" else form)


def _restart(levels: dict[int, _Level], level: int) -> int:
    """Return the deepest level above this one that starts it again; -1 if none does."""
    own = levels.get(level, _Level()).restart
    return level - 1 if own is None else own - 1


def _levels(node: Element) -> list[tuple[int, _Level]]:
    out = []
    for one in node:
        if local_name(one.tag) != "lvl":
            continue
        restart = child(one, "lvlRestart")
        blank = value(child(one, "suff"))
        level = _Level(
            start=_whole(value(child(one, "start")), 0),
            form=_form(one),
            text=value(child(one, "lvlText")),
            blank="" if blank == "nothing" else " ",
            restart=None if restart is None else _whole(value(restart), 0),
            legal=bool(is_on(child(one, "isLgl"))),
            hidden=bool(is_on(child(child(one, "rPr"), "vanish"))),
            style=value(child(one, "pStyle")),
        )
        out.append((_whole(attribute(one, "ilvl"), 0), level))
    return out


def _form(level: Element) -> str:
    """Return the name of a level's format; new formats are inside `mc:AlternateContent`."""
    own = child(level, "numFmt")
    if own is None:
        content = child(level, "AlternateContent")
        own = child(child(content, "Choice"), "numFmt")
        if own is None or value(own) == "custom":
            fallback = child(child(content, "Fallback"), "numFmt")
            own = fallback if own is None or fallback is None else own
    if value(own) == "custom" and own is not None:
        return "decimalZero" if attribute(own, "format").startswith("0") else "decimal"
    return value(own) or "decimal"


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else default
