"""Write examples for other annotation tools, and take over the verdicts that were given there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.augment.review.corrections import example_parts
from kofinlaw.augment.review.outcomes import current_verdicts
from kofinlaw.augment.review.verdicts import Correction, Verdict, check_reader, read_verdict
from kofinlaw.decoding import clean_value, load_json
from kofinlaw.files import disk_error, write_json, write_text
from kofinlaw.recipes.review.argilla_form import argilla_entries, argilla_records, argilla_settings
from kofinlaw.recipes.review.entries import Entry, Shown
from kofinlaw.recipes.review.label_studio_form import (
    label_studio_config,
    label_studio_entries,
    label_studio_tasks,
)
from kofinlaw.recipes.review.session import Session
from kofinlaw.records import Example

__all__ = ["Exported", "Imported", "export_examples", "import_verdicts"]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Exported:
    """Number of written examples, and the files."""

    examples: int
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Imported:
    """What became of the verdicts of a file, by reader, and ids of examples that are not here."""

    taken: Counter[str]
    known: int
    unread: int
    other_text: tuple[str, ...]
    not_made: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the figures as sentences."""
        by_reader = ", ".join(f"{name} {n}" for name, n in sorted(self.taken.items()))
        lines = [
            f"{self.taken.total()} verdicts taken over{f' ({by_reader})' if by_reader else ''}"
        ]
        if self.known:
            lines.append(f"{self.known} were known already")
        if self.unread:
            lines.append(f"{self.unread} examples of the file have no verdict")
        for names, text in (
            (self.other_text, "have another text now"),
            (self.not_made, "are not in this run"),
        ):
            if names:
                shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
                lines.append(f"left out, because the examples {text}: {len(names)} ({shown})")
        return lines


def export_examples(session: Session, form: str, out: Path, most: int) -> Exported:
    """Write the first `most` examples of each kind, in the order of reading.

    The verdicts of the session's reader are suggestions. Next to the file lies what the tool needs
    to know of its fields: `NAME.settings.json` for Argilla, `NAME.config.xml` for Label Studio.

    Raises UserError if the disk is full or a folder lies in the way.
    """
    rows = [
        _shown_example(session, e) for found in session.sample.kinds.values() for e in found[:most]
    ]
    if form == "argilla":
        beside = out.with_suffix(".settings.json")
        write_json(beside, argilla_settings())
        write_json(out, argilla_records(rows))
    else:
        beside = out.with_suffix(".config.xml")
        write_text(beside, label_studio_config())
        write_json(out, label_studio_tasks(rows))
    return Exported(len(rows), (out, beside))


def _shown_example(session: Session, example: Example) -> Shown:
    """Return the texts of an example for another tool, with the reader's verdict."""
    shown, parts = session.shown(example), example_parts(example)
    articles = session.sources.articles(example)
    own = shown["own"]
    return Shown(
        example.id,
        str(shown["sha256"]),
        example.task,
        parts.fields,
        "\n\n".join(parts.evidence),
        "\n\n".join(one.text for one in articles),
        session.reader,
        own if isinstance(own, dict) else None,
    )


def import_verdicts(session: Session, path: Path, reader: str | None) -> Imported:
    """Take over the verdicts of an Argilla or Label Studio file, all of them or none.

    Args:
        session: The run's examples and verdicts.
        path: A JSON file: Argilla's records or Label Studio's tasks.
        reader: The name of the reader; None takes the tool's user.

    Raises UserError for another form, an unusable verdict or correction (with the example's id),
    and if `reader` names the only reader but the file has several users.
    """
    entries = _entries(path)
    users = sorted({entry.reader for entry in entries if entry.verdict})
    if reader is not None and len(users) > 1:
        raise UserError(
            f"the file has the verdicts of {len(users)} users: {', '.join(users[:5])}",
            where="--reader",
            remedy="leave out --reader: then each user is a reader",
        )
    current = current_verdicts(session.verdicts())
    taken: list[Verdict] = []
    lost: dict[str, list[str]] = {"other_text": [], "not_made": []}
    known = unread = 0
    for entry in entries:
        if not entry.verdict:
            unread += 1
            continue
        example = session.examples.get(entry.id)
        shown = None if example is None else session.sha256(entry.id)
        if example is None or shown != entry.sha256:
            lost["not_made" if example is None else "other_text"].append(entry.id)
            continue
        verdict = _verdict(session, example, entry, reader or entry.reader, path)
        before = current.get((entry.id, entry.sha256), {}).get(verdict.reader)
        if before is not None and _same(before, verdict):
            known += 1
            continue
        taken.append(verdict)
    if taken:
        session.take(taken)
    return Imported(
        Counter(one.reader for one in taken),
        known,
        unread,
        tuple(sorted(set(lost["other_text"]))),
        tuple(sorted(set(lost["not_made"]))),
    )


def _entries(path: Path) -> Sequence[Entry]:
    try:
        value = clean_value(load_json(path.read_bytes()))
    except FileNotFoundError as error:
        raise UserError("no such file", where=str(path), remedy="check the path") from error
    except OSError as error:
        raise disk_error(error, path) from error
    except ValueError as error:
        raise UserError(f"this file is not JSON: {error}", where=str(path)) from error
    rows = value if isinstance(value, list) else None
    if rows is None or not all(isinstance(row, Mapping) for row in rows):
        raise UserError(
            "this is not a list of records or tasks",
            where=str(path),
            remedy="export the records (Argilla) or the tasks as JSON (Label Studio)",
        )
    try:
        if all("data" in row for row in rows):
            return label_studio_entries(rows)
        return argilla_entries(rows)
    except ValueError as error:
        raise UserError(str(error), where=str(path)) from error


def _verdict(session: Session, example: Example, entry: Entry, reader: str, path: Path) -> Verdict:
    fields = example_parts(example).fields
    correction = None
    if any(text.strip() for text in entry.corrected.values()):
        options = [o.strip() for o in entry.corrected.get("options", "").split("\n") if o.strip()]
        correction = Correction(
            question=entry.corrected.get("question", "").strip() or fields["question"],
            options=options or fields["options"],
            answer=entry.corrected.get("answer", "").strip() or fields["answer"],
            target=entry.corrected.get("target", "").strip() or fields["target"],
        )
    where = f"{path}: {entry.id}"
    try:
        name = check_reader(reader)
        checked = session.checked_correction(example, correction, entry.verdict)
        return read_verdict(
            {
                "id": entry.id,
                "sha256": entry.sha256,
                "reader": name,
                "verdict": entry.verdict,
                "reason": entry.reason.strip(),
                "correction": checked,
                "settles": False,
                "day": entry.day if _DAY.fullmatch(entry.day) else date.today().isoformat(),
            }
        )
    except (UserError, ValueError) as error:
        message = error.message if isinstance(error, UserError) else str(error)
        raise UserError(
            f"this verdict of {reader} cannot be used: {message}",
            where=where,
            remedy="correct it in the tool and export again; nothing was taken over",
        ) from error


def _same(before: Verdict, now: Verdict) -> bool:
    return (before.verdict, before.reason, before.correction) == (
        now.verdict,
        now.reason,
        now.correction,
    )
