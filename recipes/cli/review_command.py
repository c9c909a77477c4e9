"""Define the command `review`: the page, the table, and the forms of other tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import (
    command_line,
    print_json,
    say,
    say_next,
    short_path,
)
from kofinlaw.recipes.cli.options import AsJson, Trust

if TYPE_CHECKING:
    from kofinlaw.recipes.review.session import Session

__all__ = ["review"]

READER = "reader"
FORMS = ("argilla", "label-studio")


def review(
    run: Annotated[Path | None, typer.Argument(help="The run; default: the newest one.")] = None,
    reader: Annotated[
        str | None, typer.Option("--reader", help="Your name; another reader has another one.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.")] = 8010,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print the table and exit, without the page.")
    ] = False,
    export: Annotated[
        str | None, typer.Option("--export", help="Write examples as argilla or label-studio.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file of --export.")] = None,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Examples of each kind that --export writes.")
    ] = 150,
    take: Annotated[
        Path | None, typer.Option("--import", help="Read verdicts from a file of these tools.")
    ] = None,
    as_json: AsJson = False,
    trust: Trust = False,
) -> None:
    """Read the examples of a run one by one, and show or refute that at most 2 % are wrong."""
    from kofinlaw.recipes.review.session import open_session

    _check_options(summary=summary or as_json, export=export, out=out, take=take)
    bound = bound_run(run)
    page = not (summary or as_json or export or take)
    name = READER if reader is None else reader
    session = open_session(bound, name, trust=trust, read=page or export is not None)
    if export is not None and out is not None:
        _export(session, export, out, most)
    elif take is not None:
        _import(session, take, reader, trust=trust)
    elif page:
        import os

        from kofinlaw.recipes.review.server import serve_review

        serve_review(session, port, os.environ.get("KOFINLAW_TOKEN", ""), say)
        _finish(session, trust=trust)
    elif as_json:
        _write_card(session, lambda line: None, trust=trust)
        print_json(session.record())
    else:
        _finish(session, trust=trust)


def _check_options(
    *, summary: bool, export: str | None, out: Path | None, take: Path | None
) -> None:
    if summary + (export is not None) + (take is not None) > 1:
        raise UserError(
            "--summary, --json, --export and --import do different things",
            where="review",
            remedy="use one of them",
        )
    if export is not None and export not in FORMS:
        raise UserError(
            f"unknown form {export!r}", where="--export", remedy=f"use {' or '.join(FORMS)}"
        )
    if (export is None) != (out is None):
        raise UserError(
            "--export and --out belong together",
            where="review",
            remedy="for example --export argilla --out records.json",
        )


def _export(session: Session, form: str, out: Path, most: int) -> None:
    from kofinlaw.recipes.review.export_file import export_examples

    written = export_examples(session, form, out, most)
    say(f"{written.examples} examples, the first of each kind in the order of reading")
    for path in written.files:
        say(f"  {short_path(path)}")
    say_next(command_line("review", short_path(session.folder), "--import", short_path(out)))


def _import(session: Session, path: Path, reader: str | None, *, trust: bool) -> None:
    from kofinlaw.recipes.review.import_file import import_verdicts

    taken = import_verdicts(session, path, reader)
    for line in taken.lines():
        say(line)
    _finish(session, trust=trust)


def _finish(session: Session, *, trust: bool) -> None:
    """Write the card, print the table, and say what comes next."""
    from kofinlaw.augment.review.review_summary import summary_lines
    from kofinlaw.commands import stage_command

    record = session.record()
    for line in summary_lines(record):
        say(line)
    folder = short_path(session.folder)
    if _write_card(session, say, trust=trust):
        say(f"\n{short_path(session.folder / 'augment' / 'card.md')} has these figures.")
    name = ["--reader", session.reader] if session.reader != READER else []
    following = [command_line("review", folder, *name)]
    if session.pending():
        following.insert(0, stage_command("augment", Path(folder)))
    say_next(*following)


def _write_card(session: Session, tell: Callable[[str], None], *, trust: bool) -> bool:
    from kofinlaw.recipes.review.card import write_card_of

    return write_card_of(session, tell, trust=trust)
