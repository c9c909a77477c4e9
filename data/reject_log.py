"""Collect rejected documents and chunks by step, and the counts of the data card."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from kofinlaw.data.spool import Spool
from kofinlaw.files import dumps
from kofinlaw.records import Rejected

__all__ = ["RejectLog", "Step", "UnreadFile"]

Step = Literal["read", "in_force", "quality", "personal_data", "contamination", "duplicates"]

_MAX_DETAIL_CHARACTERS = 300
_MAX_RECORD_CHARACTERS = 2000
_MAX_EXAMPLES = 3
_MAX_WARNINGS = 1000
_MAX_SHOWN = 20  # warnings on the terminal


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file or link that is not read: its name in records, a short reason, and a sentence.

    `in_part` is set for a file of which only some pages are not read.
    """

    name: str
    reason: str
    detail: str
    in_part: bool = False


class RejectLog:
    """Rejected records by step, the reasons counted, and warnings.

    The records are stored in spools in `folder`; without a folder they are only counted.
    `warnings` has the first 1,000 warnings, `examples` the details of the first three rejects.
    `files_found` counts the files and links below the sources; `unread` are those of them that
    gave no document, or not all.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._spools = (
            {s: Spool(folder / f"rejected-{s}.jsonl") for s in get_args(Step)} if folder else {}
        )
        self.reasons: Counter[str] = Counter()
        self.examples: list[str] = []
        self.files_found = 0
        self.unread: list[UnreadFile] = []
        self.warnings: list[str] = []
        self.shown: list[str] = []
        self.removed_spans: Counter[str] = Counter()
        self.personal_data: Counter[str] = Counter()

    def reject(
        self,
        step: Step,
        name: str,
        reason: str,
        detail: str,
        record: object = None,
        *,
        in_part: bool = False,
    ) -> None:
        """Log a rejected record.

        Args:
            step: The step that rejects it.
            name: The id of the record, or the name of its file.
            reason: A short code, which is counted.
            detail: A sentence for people.
            record: The record itself (a dataclass or a dictionary), if there is one.
            in_part: Whether the rest of the file is read.
        """
        self.reasons[reason] += 1
        detail = detail[:_MAX_DETAIL_CHARACTERS]
        of_files = step in ("read", "in_force")
        if len(self.examples) < _MAX_EXAMPLES:
            self.examples.append(f"{name}: {detail}" if of_files else detail)
        if of_files:
            self.add_unread(name, reason, detail, in_part=in_part)
        if self._spools:
            text = "" if record is None else dumps(record)[:_MAX_RECORD_CHARACTERS]
            rejected = Rejected(name, "data", reason, detail, text)
            self._spools[step].append(rejected)

    def add_unread(self, name: str, reason: str, detail: str, *, in_part: bool = False) -> None:
        """Name a file that gave nothing to the corpus, or of which pages are missing (`in_part`);
        not a record of a file (`name#3`).
        """
        if not re.search(r"#\d+$", name):
            self.unread.append(UnreadFile(name, reason, detail, in_part))

    def warn(self, warning: str, *, shown: bool = False) -> None:
        """Keep a warning for the card, and for the last lines of the terminal if it is `shown`."""
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append(warning)
            if shown:
                self.shown.append(warning)

    def shown_lines(self) -> list[str]:
        """Return the warnings for the terminal; after 20 the rest is counted."""
        more = len(self.shown) - _MAX_SHOWN
        rest = [f"… and {more} more warnings, in card.json"] if more > 0 else []
        return [*(f"warning: {one}" for one in self.shown[:_MAX_SHOWN]), *rest]

    def rejected(self) -> Iterator[dict[str, Any]]:
        """Yield the rejected records, step by step, in the order in which they were logged."""
        for spool in self._spools.values():
            yield from spool

    def why_empty(self) -> str:
        """Return the counted reasons and the first three details:
        the remedy for an empty corpus.
        """
        if not self.reasons:
            return "add files that a reader knows (.md, .html, .pdf …)"
        counts = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())
        return f"rejected: {counts} ({'; '.join(self.examples)})"

    def close(self) -> None:
        """Close the spools."""
        for spool in self._spools.values():
            spool.close()

    def __enter__(self) -> RejectLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
