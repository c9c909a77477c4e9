"""Write examples for other annotation tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.augment.review.corrections import earlier_turns, example_parts
from kofinlaw.files import write_json, write_text
from kofinlaw.recipes.pipeline.integrity.checks import stage_of
from kofinlaw.recipes.review.argilla_form import argilla_records, argilla_settings
from kofinlaw.recipes.review.entries import Shown
from kofinlaw.recipes.review.import_file import read_entries
from kofinlaw.recipes.review.label_studio_form import label_studio_config, label_studio_tasks
from kofinlaw.recipes.review.session import Session
from kofinlaw.records import Example

__all__ = ["Exported", "export_examples"]


@dataclass(frozen=True)
class Exported:
    """Number of written examples, and the files."""

    examples: int
    files: tuple[Path, ...]


def export_examples(session: Session, form: str, out: Path, most: int) -> Exported:
    """Write the first `most` examples of each kind, in the order of reading.

    The verdicts of the session's reader are suggestions. Next to the file lies what the tool needs
    to know of its fields: `NAME.settings.json` for Argilla, `NAME.config.xml` for Label Studio.

    Raises UserError if the disk is full, for a place in a finished stage, and if a file lies there
    that holds verdicts or is no export.
    """
    _check_place(out)
    rows = [
        _shown_example(session, e) for found in session.sample.kinds.values() for e in found[:most]
    ]
    if form == "argilla":
        tool_file = out.with_suffix(".settings.json")
        write_json(tool_file, argilla_settings())
        write_json(out, argilla_records(rows))
    else:
        tool_file = out.with_suffix(".config.xml")
        write_text(tool_file, label_studio_config())
        write_json(out, label_studio_tasks(rows))
    return Exported(len(rows), (out, tool_file))


def _check_place(out: Path) -> None:
    """Raise UserError if an export to this place would destroy something."""
    if not out.name or out.is_dir():
        raise UserError(
            "this is a folder", where=f"--out {out}", remedy="name a file, for example records.json"
        )
    stage = stage_of(out.parent)
    if stage is not None:
        raise UserError(
            f"this folder belongs to the finished stage {stage.name}",
            where=f"--out {out}",
            remedy="name a file elsewhere",
        )
    if not out.exists():
        return
    try:
        held = sum(bool(entry.verdict) for entry in read_entries(out))
    except UserError as error:
        raise UserError(
            "a file that is no export lies there",
            where=f"--out {out}",
            remedy="name another file, or delete this one",
        ) from error
    if held:
        raise UserError(
            f"the file that lies there holds {held} verdicts",
            where=f"--out {out}",
            remedy="take them over with --import and delete the file, or name another one",
        )


def _shown_example(session: Session, example: Example) -> Shown:
    """Return the texts of an example for another tool, with the reader's verdict."""
    shown, parts = session.shown(example), example_parts(example)
    articles = session.sources.articles(example)
    earlier = [f"{turn['role']}: {turn['content']}" for turn in earlier_turns(example)]
    own = shown["own"]
    return Shown(
        example.id,
        str(shown["sha256"]),
        example.task,
        parts.fields,
        "\n\n".join(earlier),
        "\n\n".join(parts.evidence),
        "\n\n".join(one.text for one in articles),
        session.reader,
        own if isinstance(own, dict) else None,
    )
