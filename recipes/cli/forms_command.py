"""Define the command `convert examples`: write an example set in the forms of other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.console import say

if TYPE_CHECKING:
    from kofinlaw.augment.forms.chat_forms import Form

__all__ = ["convert_examples"]


def convert_examples(
    examples: Annotated[Path, typer.Argument(help="JSON Lines, as `augment` writes them.")],
    out: Annotated[Path, typer.Argument(help="Folder of the files and of dataset_info.json.")],
    to: Annotated[
        str, typer.Option("--to", help="messages, alpaca, sharegpt; several by comma.")
    ] = "messages,alpaca,sharegpt",
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="Also these preference pairs.")
    ] = None,
) -> None:
    """Write examples as chat messages, Alpaca or ShareGPT, with LLaMA-Factory's dataset_info."""
    from kofinlaw.augment.forms.write_forms import write_forms

    record = write_forms(_forms(to), examples, out, pairs=pairs)
    for file in record.files:
        say(f"  {out / file.file}: {file.lines} lines")
    for note in record.notes():
        say(f"  note: {note}")


def _forms(text: str) -> list[Form]:
    """Parse `alpaca,sharegpt`. Raises UserError for a form that does not exist."""
    from kofinlaw.augment.forms.chat_forms import FORMS

    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    found = [form for form in FORMS if form in names]
    unknown = [name for name in names if name not in found]
    if unknown or not found:
        raise UserError(
            f"unknown form {unknown[0]!r}" if unknown else "no form is named",
            where="--to",
            remedy=f"use {', '.join(FORMS)}",
        )
    return found
