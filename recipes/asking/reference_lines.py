"""Read the text whose references are verified, and write the lines of their verdicts."""

from __future__ import annotations

import bisect
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.law.verifying.checked import CheckedCitation
from kofinlaw.decoding import decode_exact

__all__ = ["reference_lines", "text_to_verify"]

_ENDINGS = (".txt", ".md", ".json", ".jsonl", ".csv", ".html", ".log")
_NOT_TEXT = (".pdf", ".docx", ".hwp", ".hwpx", ".odt", ".xlsx", ".doc", ".zip")
_ESCAPED = re.compile(r"\\u(?:11|[a-d])[0-9a-fA-F]{2,3}")  # Hangul as JSON escapes: `\uac00`
_LONGEST = 120  # characters of a reference that is shown


def text_to_verify(argument: str) -> tuple[str, str]:
    """Return (text, where it comes from). Raises UserError if there is no text."""
    if not argument.strip():
        raise UserError("the text is empty", where="TEXT", remedy="write a text, a file or -")
    if argument == "-":
        words, where = _decoded(sys.stdin.buffer.read(), "-"), "-"
    elif len(argument) < 1000 and "\n" not in argument and _is_file(Path(argument)):
        path = Path(argument)
        if path.suffix.lower() in _NOT_TEXT:
            raise UserError(
                f"a {path.suffix} file is not plain text",
                where=argument,
                remedy="save it as text, or use its chunks: kofinlaw data inspect",
            )
        words, where = _decoded(path.read_bytes(), argument), argument
    elif argument.lower().endswith(_ENDINGS + _NOT_TEXT) and not any(map(str.isspace, argument)):
        raise UserError("there is no such file", where=argument, remedy="check its path")
    else:
        words, where = argument, "TEXT"
    if not words.strip():
        raise UserError("the text is empty", where=where, remedy="write a text, a file or -")
    return words, where


def _decoded(data: bytes, where: str) -> str:
    """Return the text of the bytes. Raises UserError if they are no text, or hide its Hangul."""
    try:
        words = decode_exact(data)
    except UserError as error:
        raise UserError(error.message, where=where, remedy="save it as text in UTF-8") from error
    if "\0" in words:
        raise UserError("this is not plain text", where=where, remedy="save it as text in UTF-8")
    if _ESCAPED.search(words):
        raise UserError(
            "Hangul is escaped in this text (\\uac00), so its references cannot be read",
            where=where,
            remedy="write the JSON with its characters: ensure_ascii=False, or `jq . FILE`",
        )
    return words


def _is_file(path: Path) -> bool:
    """Return whether the path is a file. Raises UserError for a folder."""
    try:
        if path.is_dir():
            raise UserError(
                "a folder is not a text", where=str(path), remedy="name one text file of it"
            )
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a null byte
        return False


def reference_lines(text: str, found: Sequence[CheckedCitation]) -> list[str]:
    """Return a line for each reference, with its line and column, and a last line of counts."""
    out = []
    breaks = [match.start() for match in re.finditer("\n", text)]
    for one in found:
        row = bisect.bisect_left(breaks, one.start) + 1
        column = one.start - (breaks[row - 2] if row > 1 else -1)
        words = " ".join(one.text.split())
        shown = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
        mark = "✗" if one.failed else "?" if one.verdict == "unknown" else "✓"
        out.append(f"{mark} {row}:{column} {shown} — {one.title}: {one.message}")
        if one.verdict == "differs" and one.quoted and one.right:
            out.append(f"    the corpus: {one.right}")
    counts = Counter(one.title for one in found)
    listed = ", ".join(f"{count} {title}" for title, count in counts.most_common())
    days = sorted({one.day for one in found if one.day})
    on = f" on {', '.join(days)}" if days else ""
    total = "1 reference" if len(found) == 1 else f"{len(found)} references"
    out.append(f"{total}{on}: {listed}" if found else "no reference to law or decisions found")
    return out
