"""What left the path on the way from documents to chunks, and what was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from kofinlaw.data.spool import Spool
from kofinlaw.files import dumps
from kofinlaw.records import Rejected

Step = Literal["read", "in_force", "quality", "personal_data", "contamination", "duplicates"]

_DETAIL = 300
_RECORD = 2000
_TOLD = 3
_WARNINGS = 1000


class RejectLog:
    """Rejects by step and the card's counts. The rejected records lie in `folder`; without one
    they are only counted.

    `warnings` holds the first 1,000.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._spools = (
            {s: Spool(folder / f"rejected-{s}.jsonl") for s in get_args(Step)} if folder else {}
        )
        self.reasons: Counter[str] = Counter()
        self.told: list[str] = []
        self.warnings: list[str] = []
        self.removed_spans: Counter[str] = Counter()
        self.personal_data: Counter[str] = Counter()

    def reject(self, step: Step, name: str, reason: str, detail: str, record: Any = None) -> None:
        """Write a record off with a short reason."""
        self.reasons[reason] += 1
        if len(self.told) < _TOLD:
            self.told.append(detail[:_DETAIL])
        if self._spools:
            text = "" if record is None else dumps(record)[:_RECORD]
            self._spools[step].append(Rejected(name, "data", reason, detail[:_DETAIL], text))

    def warn(self, warning: str) -> None:
        """Keep a warning for the card."""
        if len(self.warnings) < _WARNINGS:
            self.warnings.append(warning)

    def rejected(self) -> Iterator[dict[str, Any]]:
        """The rejected records, step by step, in the order in which they were met."""
        for spool in self._spools.values():
            yield from spool

    def why_empty(self) -> str:
        """What was rejected and why, the first three by name."""
        if not self.reasons:
            return "add files that a reader knows (.md, .html, .pdf …)"
        told = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())
        return f"rejected: {told} ({'; '.join(self.told)})"

    def close(self) -> None:
        """Close the spools."""
        for spool in self._spools.values():
            spool.close()

    def __enter__(self) -> RejectLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
