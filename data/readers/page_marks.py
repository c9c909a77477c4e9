"""Say what a browser shows of HTML elements: hidden ones, numbers of list items, spans of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import Tag

from kofinlaw.data.readers.office.number_marks import number_mark

__all__ = ["ListMarks", "hiding_selectors", "is_hidden", "span_of"]

_HIDES = re.compile(
    r"(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}(?:hidden|collapse))(?![\w-])",
    re.IGNORECASE,
)
_SAYS = re.compile(r"display|visibility", re.IGNORECASE)
_SELECTOR = re.compile(r"[\w-]{0,99}[.#][\w-]{1,99}|[a-z][a-z0-9]{0,20}")
_MAX_SHEET = 1_000_000  # characters of a style sheet
_MAX_ROWS, _MAX_COLUMNS = 65_534, 1000  # HTML, 4.9.11
_TYPES = {"a": "latin", "A": "LATIN", "i": "roman", "I": "ROMAN"}
_STYLES = {
    "lower-alpha": "latin", "upper-alpha": "LATIN", "lower-latin": "latin", "upper-latin": "LATIN",
    "lower-roman": "roman", "upper-roman": "ROMAN", "decimal-leading-zero": "zero",
    "korean-hangul-formal": "hangul", "cjk-decimal": "hanja_digits", "hangul": "syllable",
    "hangul-consonant": "jamo", "korean-consonant": "jamo", "cjk-heavenly-stem": "stems",
}  # fmt: skip


def hiding_selectors(soup: BeautifulSoup) -> frozenset[str]:
    """Return the simple selectors (`.name`, `#name`, `tag.name`) whose rules hide elements.

    Rules inside `@media` are not read, and the last rule for a selector wins.
    """
    hidden: dict[str, bool] = {}
    for sheet in soup.find_all("style"):
        for selectors, rules in _rules(sheet.get_text()[:_MAX_SHEET]):
            for selector in map(str.strip, selectors.split(",")):
                if _SELECTOR.fullmatch(selector) and _SAYS.search(rules):
                    hidden[selector] = bool(_HIDES.search(rules))
    return frozenset(selector for selector, hides in hidden.items() if hides)


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield (selectors, declarations) of the rules of a style sheet outside `@` blocks."""
    first, *comments = sheet.split("/*")
    text = first + "".join(part.partition("*/")[2] for part in comments)
    around: list[str] = []
    before = ""
    for part in re.split(r"([{}])", text):
        if part == "{":
            around.append(before.rpartition(";")[2].strip())
        elif part == "}" and around:
            selectors = around.pop()
            if not any(one.startswith("@") for one in (*around, selectors)):
                yield selectors, before
        before = "" if part in ("{", "}") else part


def is_hidden(node: Tag, hiding: frozenset[str]) -> bool:
    """Return whether an element is hidden by an attribute, its style or a rule of the page."""
    if node.has_attr("hidden") or str(node.get("aria-hidden", "")).lower() == "true":
        return True
    if _HIDES.search(str(node.get("style", ""))):
        return True
    if not hiding:
        return False
    classes: str | list[str] = node.get("class") or []
    names = [f".{one}" for one in (classes if isinstance(classes, list) else [classes])]
    names += [f"#{node['id']}"] if node.get("id") else []
    return any(one in hiding for name in names for one in (name, node.name + name)) or (
        node.name in hiding
    )


def span_of(cell: Tag, name: str) -> int:
    """Return the number of columns or rows that a cell covers; `rowspan="0"`: all that follow."""
    text = str(cell.get(name, "")).strip()
    most = _MAX_ROWS if name == "rowspan" else _MAX_COLUMNS
    if not text.isdecimal() or len(text) > 9:
        return 1
    return min(int(text), most) or (most if name == "rowspan" else 1)


class ListMarks:
    """The numbers of the items of a list, as a browser counts them."""

    def __init__(self, node: Tag) -> None:
        self._form = ""
        self._step, self._next = 1, 1
        style = re.search(r"list-style(?:-type)?\s{0,9}:([^;]{1,99})", str(node.get("style", "")))
        words = style[1].split() if style else []
        self._none = "none" in words
        if node.name == "ol":
            named = next((_STYLES[word] for word in words if word in _STYLES), "")
            self._form = named or _TYPES.get(str(node.get("type", "")), "decimal")
            if node.has_attr("reversed"):
                self._step = -1
                self._next = len(node.find_all("li", recursive=False))
            self._next = _whole(node.get("start"), self._next)

    def next(self, item: Tag) -> str:
        """Count an item; returns its number (`3. `) or bullet (`- `), with a blank behind it."""
        if not self._form:
            return "" if self._none else "- "
        number = _whole(item.get("value"), self._next)
        self._next = number + self._step
        return "" if self._none else f"{number_mark(number, self._form)}. "


def _whole(value: object, default: int) -> int:
    text = str(value or "").strip()
    return int(text) if re.fullmatch(r"-?\d{1,6}", text) else default
