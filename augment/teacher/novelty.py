"""Outputs that say nothing new: near-duplicates of each other, copies of protected texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kofinlaw.augment.protected_questions import Protected
from kofinlaw.augment.teacher.support import Verdict
from kofinlaw.augment.teacher.tasks import Source, Task, Written
from kofinlaw.data.cleaning.duplicates import character_codes, near_duplicates

# Jaccard similarity of five-character runs from which two outputs of a task are the same.
TOO_LIKE = 0.8


class Checked(Protocol):
    """An output with its verdicts."""

    task: Task
    source: Source
    written: Written | None
    checks: list[Verdict]

    @property
    def fault(self) -> Verdict | None:
        """The first check that failed."""


def asked_text(written: Written) -> str:
    """What makes an output itself: its questions, or its claims where the question is fixed."""
    return " ".join(written.texts("question", "story") or written.texts("claim"))


def repeats(candidates: Sequence[Checked]) -> None:
    """Give each output that passed a verdict `new`: no earlier one of its task is much the same."""
    kept = [c for c in candidates if c.fault is None and c.written is not None]
    for name in sorted({c.task.name for c in kept}):
        group = [c for c in kept if c.task.name == name]
        codes = [character_codes(asked_text(c.written)) for c in group if c.written is not None]
        like: dict[int, float] = {}
        for pair in near_duplicates(codes, TOO_LIKE):
            if pair.first not in like:
                like.setdefault(pair.second, pair.similarity)
        for place, candidate in enumerate(group):
            detail = f"{like[place]:.2f}" if place in like else ""
            candidate.checks.append(Verdict("new", place not in like, detail))


def protected_text(written: Written, protected: Protected) -> str:
    """What an output shares with a protected text, empty where nothing."""
    text = " ".join(written.texts("question", "story", "claim"))
    return protected.shared(text) or protected.held(text)
