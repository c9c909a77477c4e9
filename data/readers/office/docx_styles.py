"""Read the styles of a DOCX file: headings, the list of a style, hidden text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from kofinlaw.data.readers.archives import attribute, local_name
from kofinlaw.data.readers.office.docx_parts import DocxParts

__all__ = ["HEADING", "TITLE", "Styles", "child", "is_on", "value"]

HEADING = re.compile(r"^\s*(?:개요|제목|heading|outline)\s*(\d)\s*$", re.IGNORECASE)
TITLE = re.compile(r"^\s*(?:title|제목)\s*$", re.IGNORECASE)
_MOST_STEPS = 50  # of styles that are based on each other


def child(node: Element | None, name: str) -> Element | None:
    """Return the first child with this name without its namespace; None if there is none."""
    if node is None:
        return None
    return next((inner for inner in node if local_name(inner.tag) == name), None)


def value(node: Element | None) -> str:
    """Return the attribute `val` of an element; empty without the element."""
    return attribute(node, "val") if node is not None else ""


def is_on(node: Element | None) -> bool | None:
    """Return whether a property such as `w:vanish` is on; None if it is absent."""
    return None if node is None else value(node).lower() not in ("0", "false", "off", "none")


@dataclass(frozen=True, slots=True)
class _Style:
    prefix: str = ""
    parent: str = ""
    list_id: str = ""
    level: str = ""
    hidden: bool | None = None


@dataclass(slots=True)
class Styles:
    """The styles of a file by their id; a style takes what it does not say from its parent."""

    _by_id: dict[str, _Style] = field(default_factory=dict)
    _default: str = ""

    @classmethod
    def of(cls, parts: DocxParts) -> Styles:
        """Read the part with the styles, if there is one."""
        found = cls()
        for node in parts.root("styles"):
            if local_name(node.tag) == "style":
                found._add(node)
        return found

    def _add(self, node: Element) -> None:
        name = value(child(node, "name"))
        heading = HEADING.match(name)
        prefix = "#" * min(6, int(heading.group(1))) + " " if heading else ""
        numbers = child(child(node, "pPr"), "numPr")
        identity = attribute(node, "styleId")
        self._by_id[identity] = _Style(
            prefix="# " if TITLE.match(name) else prefix,
            parent=value(child(node, "basedOn")),
            list_id=value(child(numbers, "numId")),
            level=value(child(numbers, "ilvl")),
            hidden=is_on(child(child(node, "rPr"), "vanish")),
        )
        if attribute(node, "type") == "paragraph" and attribute(node, "default") in ("1", "true"):
            self._default = identity

    def prefix(self, style: str) -> str:
        """Return the Markdown prefix of a style, such as `## `; empty for ordinary text."""
        return self._by_id.get(style, _Style()).prefix

    def hides(self, style: str) -> bool | None:
        """Return whether the text of a style is hidden; None if neither it nor its parents say."""
        return next((s.hidden for s in self._chain(style) if s.hidden is not None), None)

    def list_of(self, style: str) -> tuple[str, str]:
        """Return (id of the list, level) of a style; empty where no style of the chain says."""
        chain = self._chain(style or self._default)
        list_id = next((one.list_id for one in chain if one.list_id), "")
        return list_id, next((one.level for one in chain if one.level), "")

    def with_parents(self, style: str) -> list[str]:
        """Return the ids of a style (of the default style, if empty) and of its parents."""
        out: list[str] = []
        style = style or self._default
        while style in self._by_id and len(out) < _MOST_STEPS:
            out.append(style)
            style = self._by_id[style].parent
        return out

    def _chain(self, style: str) -> list[_Style]:
        return [self._by_id[one] for one in self.with_parents(style)] if style else []
