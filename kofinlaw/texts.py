"""Hold the sentences that several packages show, and write texts of others safely.

Titles, file names, licences and recipe values come from others. `markdown_text` and
`terminal_text` keep them text: no HTML, link, table cell or control sequence comes out of them.
"""

from __future__ import annotations

import json
import re

__all__ = ["NOT_PROVEN", "json_in_markdown", "markdown_text", "terminal_text"]

NOT_PROVEN = (
    "검증되지 않았습니다. 이 실행에는 평가 문항이 없으므로, 답이 맞는지 알 수 없습니다.",
    "Not proven: this run has no test questions, so it is not known how often its answers are "
    "right.",
)
# Control characters, without tab and line feed, and marks that turn the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKS = re.compile(
    r"(?P<html><(?=[A-Za-z/!?]))|(?P<entity>&(?=#|\w+;))|(?P<scheme>:(?=//))|(?P<www>(?<=www)\.)"
    r"|(?P<mark>[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_]))",
    re.IGNORECASE,
)
_ENTITIES = {"html": "&lt;", "entity": "&amp;", "scheme": "&#58;", "www": "&#46;"}
# What begins a heading, a quotation, a list or a rule where it begins a line.
_OPENING = re.compile(r"(?:[#>+=-]|\d{1,9}(?=[.)](?:\s|$)))")


def markdown_text(text: object) -> str:
    """Return a text of others as one line of Markdown that shows its characters.

    HTML, links, images, emphasis, code and table cells are escaped, also addresses that GitHub
    turns into links. White space is joined, and control characters are removed.
    """
    line = " ".join(_CONTROLS.sub("", str(text).replace("\r", "\n")).split())
    opening = _OPENING.match(line)

    def escaped(found: re.Match[str]) -> str:
        return _ENTITIES.get(found.lastgroup or "", f"\\{found[0]}")

    out = _MARKS.sub(escaped, line)
    if opening is None:
        return out
    if opening[0].isdigit():
        return f"{opening[0]}\\{out[opening.end() :]}"
    return f"\\{out}"


def json_in_markdown(value: object) -> str:
    """Return a value as JSON for a code span in a table: no HTML, back quote or cell ends it."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[<>`|&\x7f-\x9f\u2028\u2029]", lambda one: f"\\u{ord(one[0]):04x}", text)


def terminal_text(text: str) -> str:
    """Return a text for the terminal without control characters; lines and tabs are kept."""
    return _CONTROLS.sub("", text)
