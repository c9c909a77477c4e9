"""Write the result of a check into its section of docs/studies/extras.md."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PAGE", "ROOT", "replace_section", "stamp", "table"]

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "studies" / "extras.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def stamp(tool: str) -> str:
    """Return the line that says when and with what a section was made."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    python = ".".join(map(str, sys.version_info[:2]))
    return f"Written by `make check-extras` on {day} ({tool}, Python {python})."


def replace_section(text: str, name: str, body: str) -> str:
    """Return the page with the text between the markers of section `name` replaced.

    Raises: ValueError if the page lacks the markers.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, found, rest = text.partition(start)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{PAGE.name} has no section {name}")
    return f"{head}{start}\n\n{body.strip()}\n\n{end}{tail}"
