"""Define the command `verify-citations`: check the references of a text against a corpus."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import print_json, say
from kofinlaw.recipes.cli.options import AsJson, RunFolder

if TYPE_CHECKING:
    from kofinlaw.data.law.verifying.checked import CheckedCitation

__all__ = ["verify_citations"]

_ENDINGS = (".txt", ".md", ".json", ".jsonl", ".csv", ".html", ".log")
_NOT_TEXT = (".pdf", ".docx", ".hwp", ".hwpx", ".odt", ".xlsx", ".doc", ".zip")
_LONGEST = 120  # characters of a reference that is shown


def verify_citations(
    text: Annotated[
        str, typer.Argument(metavar="TEXT|FILE|-", help="A text, a text file, or - for a pipe.")
    ],
    run: RunFolder = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of a corpus, instead of a run's."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="The day whose law counts: 2026-01-01; default: the text's, or now."
        ),
    ] = None,
    act: Annotated[
        str, typer.Option("--act", help="The act that articles without an act belong to.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check every reference of a text to law and decisions; exit code 1 if one does not hold."""
    from kofinlaw.data.law.verifying.known_law import KnownLaw
    from kofinlaw.data.law.verifying.verify import verify_citations as check
    from kofinlaw.recipes.asking.days import typed_day

    day = typed_day(as_of) if as_of is not None else None
    if run is not None and data is not None:
        raise UserError(
            "two corpora are named", where="--run, --data", remedy="leave one of them out"
        )
    words, where = _text(text)
    folder = data if data is not None else bound_run(run).folder / "data"
    known = KnownLaw.of_corpus(folder)
    title = ""
    if act:
        title, _ = known.title_of(act)
        if not title:
            raise UserError(
                f"the corpus has no act {act!r}", where="--act", remedy="write its full title"
            )
    found = check(words, known, as_of=day, act=title)
    if as_json:
        print_json(
            {
                "source": where,
                "text": words if where == "TEXT" else "",
                "characters": len(words),
                "counts": dict(Counter(one.verdict for one in found)),
                "failed": sum(one.failed for one in found),
                "citations": [one.to_record() for one in found],
            }
        )
    else:
        for line in _lines(words, found):
            say(line)
    if any(one.failed for one in found):
        raise typer.Exit(1)


def _text(argument: str) -> tuple[str, str]:
    """Return (text, where it comes from). Raises UserError if there is no text."""
    from kofinlaw.decoding import decode_exact

    if not argument.strip():
        raise UserError("the text is empty", where="TEXT", remedy="write a text, a file or -")
    if argument == "-":
        words, where = decode_exact(sys.stdin.buffer.read()), "-"
    elif len(argument) < 1000 and "\n" not in argument and _is_file(Path(argument)):
        path = Path(argument)
        if path.suffix.lower() in _NOT_TEXT:
            raise UserError(
                f"a {path.suffix} file is not plain text",
                where=argument,
                remedy="save it as text, or use its chunks: kofinlaw data inspect",
            )
        words, where = decode_exact(path.read_bytes()), argument
    elif argument.lower().endswith(_ENDINGS + _NOT_TEXT) and not any(map(str.isspace, argument)):
        raise UserError("there is no such file", where=argument, remedy="check its path")
    else:
        words, where = argument, "TEXT"
    if not words.strip():
        raise UserError("the text is empty", where=where, remedy="write a text, a file or -")
    return words, where


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


def _lines(text: str, found: Sequence[CheckedCitation]) -> list[str]:
    """Return a line for each reference, with its line and column, and a last line of counts."""
    out = []
    for one in found:
        row = text.count("\n", 0, one.start) + 1
        column = one.start - text.rfind("\n", 0, one.start)
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
