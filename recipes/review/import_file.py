"""Take over the verdicts that were given in another annotation tool."""

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
from kofinlaw.augment.review.verdicts import Correction, Verdict, check_reader, is_day, read_verdict
from kofinlaw.decoding import clean_value, load_json
from kofinlaw.files import disk_error
from kofinlaw.recipes.review.argilla_form import argilla_entries
from kofinlaw.recipes.review.entries import Entry
from kofinlaw.recipes.review.label_studio_form import label_studio_entries
from kofinlaw.recipes.review.session import Session
from kofinlaw.records import Example

__all__ = ["Imported", "import_verdicts", "read_entries"]

_REMEDY = (
    "export from the project that `kofinlaw review --export` filled: the records (Argilla), or the "
    "tasks as JSON, not JSON-MIN (Label Studio)"
)
_NUMBER = re.compile(r"(\d)[.)]?\s+")  # of an option, as the tools show it


@dataclass(frozen=True)
class Imported:
    """What became of the verdicts of a file.

    - `taken`: new verdicts by reader.
    - `known`, `unread`: verdicts that were here already, and examples without one.
    - `no_status`: verdicts of which the file does not say whether they are drafts.
    - `other_text`, `not_made`: ids of examples that are not here.
    """

    taken: Counter[str]
    known: int
    unread: int
    no_status: int
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
        if self.no_status:
            lines.append(
                f"{self.no_status} verdicts have no status in the file: drafts and discarded ones "
                "are among them, if the tool has any"
            )
        for names, text in (
            (self.other_text, "have another text now"),
            (self.not_made, "are not in this run"),
        ):
            if names:
                shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
                lines.append(f"left out, because the examples {text}: {len(names)} ({shown})")
        return lines


def import_verdicts(session: Session, path: Path, reader: str | None) -> Imported:
    """Take over the verdicts of an Argilla or Label Studio file, all of them or none.

    Args:
        session: The run's examples and verdicts.
        path: A JSON file: Argilla's records or Label Studio's tasks.
        reader: The name of the reader; None takes the tool's user.

    Of several verdicts of a user on an example the newest one counts.

    Raises UserError for another form, an unusable verdict or correction (with the example's id),
    and if `reader` names the only reader but the file has several users.
    """
    entries = _newest(read_entries(path))
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
    known = unread = no_status = 0
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
        no_status += not entry.status_known
        taken.append(verdict)
    if taken:
        session.take(taken)
    return Imported(
        Counter(one.reader for one in taken),
        known,
        unread,
        no_status,
        tuple(sorted(set(lost["other_text"]))),
        tuple(sorted(set(lost["not_made"]))),
    )


def _newest(entries: Sequence[Entry]) -> list[Entry]:
    """Return one entry of each user for each example: the newest, or the last one of the file."""
    found: dict[tuple[str, str, str], Entry] = {}
    for entry in entries:
        place = (entry.id, entry.sha256, entry.reader)
        if place not in found or entry.at >= found[place].at:
            found[place] = entry
    return list(found.values())


def read_entries(path: Path) -> Sequence[Entry]:
    """Return what the users of a tool said, by its exported file. Raises UserError."""
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
            remedy=_REMEDY,
        )
    try:
        if all("data" in row for row in rows):
            return label_studio_entries(rows)
        return argilla_entries(rows)
    except ValueError as error:
        raise UserError(str(error), where=str(path), remedy=_REMEDY) from error


def _verdict(session: Session, example: Example, entry: Entry, reader: str, path: Path) -> Verdict:
    correction = _correction(example_parts(example).fields, entry)
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
                "day": entry.at[:10] if is_day(entry.at[:10]) else date.today().isoformat(),
            }
        )
    except (UserError, ValueError) as error:
        message = error.message if isinstance(error, UserError) else str(error)
        raise UserError(
            f"this verdict of {reader} cannot be used: {message}",
            where=where,
            remedy="correct it in the tool and export again; nothing was taken over",
        ) from error


def _correction(fields: Correction, entry: Entry) -> Correction | None:
    """Return the example's texts with the corrected ones; None if they are the same."""
    given = {name: text.strip() for name, text in entry.corrected.items()}
    options = _options(given.get("options", ""))
    found = Correction(
        question=given.get("question") or fields["question"],
        options=options or fields["options"],
        answer=given.get("answer") or fields["answer"],
        target=given.get("target") or fields["target"],
    )
    return None if found == fields else found


def _options(text: str) -> list[str]:
    """Return the options of a text, one a line, without the numbers that a user copied."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    marks = [_NUMBER.match(line) for line in lines]
    if [mark and int(mark[1]) for mark in marks] != list(range(1, len(lines) + 1)):
        return lines
    return [line[mark.end() :] for line, mark in zip(lines, marks, strict=True) if mark]


def _same(before: Verdict, now: Verdict) -> bool:
    return (before.verdict, before.reason, before.correction) == (
        now.verdict,
        now.reason,
        now.correction,
    )
