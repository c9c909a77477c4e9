"""Rewrite RTF so that striprtf keeps what a reader sees, without deleted and hidden text.

Source: Microsoft, Rich Text Format Specification 1.9.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = ["shown_rtf"]

_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?[0-9]{1,10})? ?"
    r"|(?P<brace>[{}])|\\'[0-9A-Fa-f]{2}|\\.|[^\\{}]+|\\",
    re.DOTALL,
)
# Words that are text, which is left out with the text around them
_TEXT_WORDS = frozenset(["par", "line", "tab", "u", "sect", "page", "emdash", "endash", "bullet"])
_TEXT_WORDS |= frozenset(["lquote", "rquote", "ldblquote", "rdblquote"])


@dataclass(frozen=True, slots=True)
class _Group:
    """The state of a group: whether its text is deleted or hidden, whether it is inside a note, and
    what the group itself is: `note`, `box` (the text of a shape) or nothing.
    """

    gone: bool = False
    hidden: bool = False
    in_note: bool = False
    kind: str = ""


def shown_rtf(raw: str) -> str:
    """Return RTF without deleted and hidden text.

    Footnotes are in brackets where they are referred to, texts of shapes are paragraphs of their
    own behind the one that they are anchored in, and numbers of old lists are text.
    """
    writer = _Writer()
    for token in _TOKEN.finditer(raw):
        writer.add(token[0], token["brace"] or "", token["word"] or "", token["number"] or "")
    return writer.text()


class _Writer:
    """Writes the tokens of an RTF file again, one by one."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._around: list[list[str]] = []  # outputs around the shapes that are open
        self._boxes: list[str] = []  # texts of the shapes of the current paragraph
        self._depth = 0  # of the groups around the last shape
        self._groups = [_Group()]

    def text(self) -> str:
        """Return all that was written; an open shape at the end of a cut file counts as text."""
        parts = [*self._around, self._out]
        return "".join("".join(part) for part in parts) + "".join(self._boxes)

    def add(self, token: str, brace: str, word: str, number: str) -> None:
        """Write a token: a brace, a control word with its number, or text."""
        state = self._groups[-1]
        if brace == "{":
            self._groups.append(replace(state, kind=""))
        elif brace and len(self._groups) > 1:
            token = self._close(self._groups.pop(), token)
        elif word in ("deleted", "v"):
            gone = number != "0"
            change = replace(state, gone=gone) if word == "deleted" else replace(state, hidden=gone)
            self._groups[-1] = change
        elif word == "plain":
            self._groups[-1] = replace(state, gone=False, hidden=False)
        elif state.gone or state.hidden:
            token = token if brace or (word and word not in _TEXT_WORDS) else ""
        elif word:
            token = self._word(word, token, state)
        self._out.append(token)

    def _word(self, word: str, token: str, state: _Group) -> str:
        """Return what is written for a control word."""
        match word:
            case "footnote":
                self._groups[-1] = replace(state, kind="note", in_note=True)
                return " ("
            case "pntext":
                return ""
            case "shp":
                self._depth = len(self._groups) - 1
            case "shptxt":
                self._groups[-1] = replace(state, kind="box")
                self._around.append(self._out)
                self._out = []
                return ""
            case "par" | "line" if state.in_note:
                return " "
            case "par" if self._boxes and not self._around and len(self._groups) <= self._depth:
                boxes = "".join(f"\\par {box}" for box in self._boxes)
                self._boxes = []
                return boxes + token
        return token

    def _close(self, group: _Group, token: str) -> str:
        """End a group; returns what is written for its brace."""
        if group.kind == "note":
            return ")}"
        if group.kind == "box" and self._around:
            self._boxes.append("{" + "".join(self._out) + "}")
            self._out = self._around.pop()
        return token
