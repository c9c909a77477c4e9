"""Combine the verdicts of several readers: the outcome of each example, and what it changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kofinlaw.augment.review.sequential import Outcome
from kofinlaw.augment.review.verdicts import Correction, Verdict
from kofinlaw.files import sha256_text

__all__ = [
    "Change",
    "Changes",
    "Read",
    "Text",
    "changes_of",
    "current_verdicts",
    "last_verdict",
    "outcome_of",
    "settled",
]

Text = tuple[str, str]  # id and SHA-256 of an example
Read = Mapping[Text, Mapping[str, Verdict]]  # the verdicts that count, by example and reader


@dataclass(frozen=True, slots=True)
class Change:
    """What a wrong example becomes: the correction, or nothing. `sha256` is that of its text."""

    sha256: str
    correction: Correction | None
    readers: tuple[str, ...]
    reason: str
    day: str


@dataclass(frozen=True)
class Changes:
    """The accepted changes by id of the example, one for each text that was read."""

    by_id: Mapping[str, tuple[Change, ...]]

    def __bool__(self) -> bool:
        return bool(self.by_id)

    def to_settings(self) -> dict[str, object]:
        """Return what the fingerprint of the stage holds of them: counts and a hash.

        Readers, reasons and days do not count: they change no example that is trained on.
        """
        rows = [
            [name, change.sha256, change.correction]
            for name, found in sorted(self.by_id.items())
            for change in sorted(found, key=lambda one: one.sha256)
        ]
        text = json.dumps(rows, ensure_ascii=False, sort_keys=True)
        edited = sum(row[2] is not None for row in rows)
        return {"left_out": len(rows) - edited, "edited": edited, "sha256": sha256_text(text)}


def current_verdicts(verdicts: Iterable[Verdict]) -> Read:
    """Return each reader's last verdict on each text, without withdrawn ones.

    A settling verdict replaces nothing: it is listed under the reader's name with a tab in front,
    which no name has.
    """
    found: dict[Text, dict[str, Verdict]] = {}
    for one in verdicts:
        by_reader = found.setdefault((one.id, one.sha256), {})
        name = _settling_name(one.reader) if one.settles else one.reader
        by_reader.pop(name, None)  # the last one comes last
        if one.verdict != "withdrawn":
            by_reader[name] = one
    return {text: by_reader for text, by_reader in found.items() if by_reader}


def _settling_name(reader: str) -> str:
    return f"\t{reader}"


def settled(by_reader: Mapping[str, Verdict]) -> Verdict | None:
    """Return the verdict on which the readers of an example agree; None if they differ.

    Agreed are one reader's verdict, equal verdicts, and the last one that settles. Two readers who
    both say wrong may give one correction; two different corrections have to be settled. A verdict
    that differs from an earlier settlement opens it again.
    """
    found = list(by_reader.values())
    settling = [number for number, one in enumerate(found) if one.settles]
    if settling:
        agreed, later = found[settling[-1]], found[settling[-1] + 1 :]
        return agreed if all(_agrees(one, agreed) for one in later) else None
    if len({one.verdict for one in found}) != 1:
        return None
    corrected = [one for one in found if one.correction is not None]
    if any(one.correction != corrected[0].correction for one in corrected):
        return None
    return corrected[0] if corrected else found[0]


def _agrees(verdict: Verdict, agreed: Verdict) -> bool:
    """Return whether a later verdict says the same, with the same correction or none."""
    return verdict.verdict == agreed.verdict and verdict.correction in (None, agreed.correction)


def outcome_of(by_reader: Mapping[str, Verdict]) -> Outcome:
    """Return the outcome for the rate of wrong examples.

    Verdicts that differ are unclear; two readers who only correct differently agree that it is
    wrong.
    """
    agreed = settled(by_reader)
    found = {agreed.verdict} if agreed is not None else {o.verdict for o in by_reader.values()}
    if found == {"right"}:
        return "right"
    return "wrong" if found == {"wrong"} else "unclear"


def changes_of(read: Read) -> Changes:
    """Return the changes that agreed verdicts ask for."""
    by_id: dict[str, list[Change]] = {}
    for (name, sha256), by_reader in read.items():
        agreed = settled(by_reader)
        if agreed is None or agreed.verdict != "wrong":
            continue
        readers = tuple(dict.fromkeys(one.reader for one in by_reader.values()))
        change = Change(sha256, agreed.correction, readers, agreed.reason, agreed.day)
        by_id.setdefault(name, []).append(change)
    return Changes({name: tuple(found) for name, found in by_id.items()})


def last_verdict(verdicts: Iterable[Verdict], reader: str) -> Verdict | None:
    """Return the last verdict of a reader that is not withdrawn, which an undo takes back."""
    kept: dict[tuple[str, str, bool], Verdict] = {}
    for one in verdicts:
        if one.reader != reader:
            continue
        text = (one.id, one.sha256, one.settles)
        kept.pop(text, None)
        if one.verdict != "withdrawn":
            kept[text] = one
    return list(kept.values())[-1] if kept else None
