"""Read the styles of an ODT file: lists, numbers of headings, hidden text.

Source: OpenDocument 1.3, 16.30 to 16.34 (list styles) and 19.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from kofinlaw.data.readers.archives import attribute, local_name
from kofinlaw.data.readers.office.number_marks import number_mark

__all__ = ["Level", "OdtStyles", "list_mark"]

_MOST_STEPS = 50
_PLACE = re.compile(r"%(\d{1,2})%")


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a list: the format of its number (empty: none), and the text around it."""

    form: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    levels: int = 1
    pattern: str = ""
    bullet: bool = False


class OdtStyles:
    """The styles in `content.xml` and `styles.xml`."""

    def __init__(self, roots: Iterable[Element]) -> None:
        self._lists: dict[str, dict[int, Level]] = {}
        self.outline: dict[int, Level] = {}
        self.above: set[str] = set()  # the styles of text above the line
        self._hidden: dict[str, bool] = {}
        self._parents: dict[str, str] = {}
        for node in (node for root in roots for node in root.iter()):
            name, own = local_name(node.tag), attribute(node, "name")
            if name == "list-style":
                self._lists.setdefault(own, dict(_levels(node)))
            elif name == "outline-style":
                self.outline = self.outline or dict(_levels(node))
            elif name == "style":
                self._parents.setdefault(own, attribute(node, "parent-style-name"))
                for about in node:
                    display = attribute(about, "display")
                    if local_name(about.tag) != "text-properties":
                        continue
                    if display:
                        self._hidden.setdefault(own, display == "none")
                    if attribute(about, "text-position").startswith("super"):
                        self.above.add(own)

    def levels(self, style: str) -> dict[int, Level]:
        """Return the levels (from 0) of a list style; empty if it is unknown."""
        return self._lists.get(style, {})

    def hides(self, style: str) -> bool:
        """Return whether text of a style is hidden, by itself or by its parents."""
        for _ in range(_MOST_STEPS):
            if not style or style in self._hidden:
                break
            style = self._parents.get(style, "")
        return self._hidden.get(style, False)


def list_mark(levels: dict[int, Level], counts: Sequence[int]) -> str:
    """Return the number of a paragraph with a blank behind it; nothing for a bullet or none.

    `counts` are the numbers of the levels down to its own.
    """
    here = levels.get(len(counts) - 1, Level())
    if here.bullet or not (here.form or here.pattern):
        return ""

    def shown(level: int) -> str:
        form = levels.get(level, Level()).form
        return number_mark(counts[level], form) if form and level < len(counts) else ""

    if here.pattern:
        text = _PLACE.sub(lambda match: shown(int(match[1]) - 1), here.pattern)
    else:
        first = max(0, len(counts) - max(1, here.levels))
        path = ".".join(filter(None, (shown(level) for level in range(first, len(counts)))))
        text = f"{here.prefix}{path}{here.suffix}"
    return f"{text.strip()} " if text.strip() else ""


def _levels(style: Element) -> list[tuple[int, Level]]:
    out = []
    for node in style:
        number = attribute(node, "level")
        if not number.isdecimal() or len(number) > 2:
            continue
        start, shown = attribute(node, "start-value"), attribute(node, "display-levels")
        level = Level(
            form=attribute(node, "num-format"),
            prefix=attribute(node, "num-prefix"),
            suffix=attribute(node, "num-suffix"),
            start=int(start) if start.isdecimal() and len(start) < 7 else 1,
            levels=int(shown) if shown.isdecimal() and len(shown) < 3 else 1,
            pattern=attribute(node, "num-list-format"),
            bullet=local_name(node.tag) in ("list-level-style-bullet", "list-level-style-image"),
        )
        out.append((int(number) - 1, level))
    return out
