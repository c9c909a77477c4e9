"""Follow the fields of a DOCX file: which text is shown, and fields without a stored result.

Source: ISO/IEC 29500-1, 17.16 (fields); the EQ field as Word writes circled characters, text above
other text and fractions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from kofinlaw.data.readers.archives import attribute, local_name
from kofinlaw.data.readers.office.number_marks import number_mark

__all__ = ["Fields"]

_SWITCH = re.compile(r"\\[A-Za-z]{1,2}")
_MOST = 2000  # characters of an instruction that is shown itself


@dataclass(slots=True)
class _Field:
    """An open field; `shown` says whether its result began. `choice` is that of a drop-down."""

    instruction: str = ""
    choice: str = ""
    shown: bool = False


class Fields:
    """The open fields of a document, from the outer to the inner one."""

    def __init__(self) -> None:
        self._open: list[_Field] = []

    @property
    def hide(self) -> bool:
        """Whether the text here is an instruction."""
        return any(not field.shown for field in self._open)

    def instruct(self, text: str) -> None:
        """Add a part of the instruction of the innermost field."""
        if self._open and len(self._open[-1].instruction) < _MOST:
            self._open[-1].instruction += text

    def mark(self, node: Element) -> str:
        """Follow a `w:fldChar`; returns what a field shows that ends without a stored result."""
        kind = attribute(node, "fldCharType")
        if kind == "begin":
            self._open.append(_Field(choice=_choice(node)))
        elif kind == "separate" and self._open:
            self._open[-1].shown = True
        elif kind == "end" and self._open:
            field = self._open.pop()
            if not field.shown and not self.hide:
                return field.choice or _shown(field.instruction)
        return ""


def _choice(node: Element) -> str:
    """Return the entry that is selected in a drop-down field; empty for other fields."""
    found = next((n for n in node.iter() if local_name(n.tag) == "ddList"), None)
    entries, at = [], "0"
    for part in found if found is not None else ():
        name = local_name(part.tag)
        if name == "listEntry":
            entries.append(attribute(part, "val"))
        elif name == "result" or (name == "default" and at == "0"):
            at = attribute(part, "val")
    return entries[int(at)] if at.isdecimal() and int(at) < len(entries) else ""


def _shown(instruction: str) -> str:
    name, _, rest = instruction.strip().partition(" ")
    if name.upper() == "MACROBUTTON":
        return rest.strip().partition(" ")[2].strip()
    if name.upper() != "EQ":
        return ""
    start, end = rest.find("("), rest.rfind(")")
    if start < 0 or end < start:
        return ""
    switches = rest[:start]
    parts = _arguments(rest[start + 1 : end])
    if "\\f" in switches:
        return "/".join(_bare(part) for part in parts)
    if "\\o" not in switches or len(parts) != 2:
        return " ".join(filter(None, map(_bare, parts)))
    above, base = parts
    if "\\s" in above:  # small text above other text
        return f"{_bare(base)}({_bare(above)})"
    inner = _bare(base)
    return number_mark(int(inner), "circled") if inner.isdecimal() and len(inner) < 4 else inner


def _arguments(text: str) -> list[str]:
    """Return the arguments between commas or semicolons outside inner brackets."""
    out, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter in ",;" and depth == 0:
            out.append("")
        else:
            out[-1] += letter
    return out


def _bare(argument: str) -> str:
    """Return an argument without switches, their numbers and brackets."""
    if not _SWITCH.search(argument):
        return argument.strip()
    return argument.partition("(")[2].rpartition(")")[0].strip()
