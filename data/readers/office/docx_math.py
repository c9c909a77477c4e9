"""Write a formula of a DOCX file on one line: `a/b`, `x^2`, `√(z)`.

Source: ISO/IEC 29500-1, 22.1 (Office Math).
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from kofinlaw.data.readers.archives import local_name
from kofinlaw.data.readers.office.docx_styles import child, value

__all__ = ["formula_text"]

_GONE = frozenset(["del", "moveFrom", "delText"])


def formula_text(node: Element) -> str:
    """Return the text of a formula, or of a part of one, without tracked deletions."""
    name = local_name(node.tag)

    def part(inner: str) -> str:
        found = child(node, inner)
        return formula_text(found) if found is not None else ""

    match name:
        case "t":
            return node.text or ""
        case "f":
            return f"{_grouped(part('num'))}/{_grouped(part('den'))}"
        case "sSup" | "sSub" | "sSubSup":
            return part("e") + _scripts(part("sub"), part("sup"))
        case "rad":
            return f"{part('deg')}√({part('e')})"
        case "nary":
            sign = child(child(node, "naryPr"), "chr")
            scripts = _scripts(part("sub"), part("sup"))
            return f"{'∫' if sign is None else value(sign)}{scripts} {part('e')}"
        case "d":
            about = child(node, "dPr")
            signs = [
                default if (sign := child(about, key)) is None else value(sign)
                for key, default in (("begChr", "("), ("sepChr", "|"), ("endChr", ")"))
            ]
            inner = [formula_text(one) for one in node if local_name(one.tag) == "e"]
            return f"{signs[0]}{signs[1].join(inner)}{signs[2]}"
        case "func":
            return f"{part('fName')} {_grouped(part('e'))}"
        case "eqArr" | "m":
            lines = (formula_text(one) for one in node)
            return "; ".join(filter(None, lines))
        case "mr":
            return " ".join(formula_text(one) for one in node)
    return "".join(formula_text(one) for one in node if local_name(one.tag) not in _GONE)


def _scripts(below: str, above: str) -> str:
    out = f"_{_grouped(below)}" if below else ""
    return f"{out}^{_grouped(above)}" if above else out


def _grouped(text: str) -> str:
    """Return a part of a formula in brackets, unless it is one word or number."""
    return text if text.replace(".", "").replace(",", "").isalnum() else f"({text})"
