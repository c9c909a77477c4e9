"""Reject outputs that are not new: near-duplicates of each other and copies of protected texts."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.augment.protected_questions import ProtectedTexts
from kofinlaw.augment.teacher.candidates import Candidate
from kofinlaw.augment.teacher.support import Verdict
from kofinlaw.augment.teacher.tasks import Written
from kofinlaw.data.cleaning.duplicates import character_codes, near_duplicates

__all__ = ["DUPLICATE", "check_duplicates", "distinctive_text", "protected_text"]

# Jaccard similarity of five-character runs from which two outputs of a task are duplicates.
DUPLICATE = 0.8


def distinctive_text(written: Written) -> str:
    """Return the text that must be new: the questions, or the claims where the question is
    fixed.
    """
    return " ".join(written.texts("question", "story", "case") or written.texts("claim"))


def check_duplicates(candidates: Sequence[Candidate]) -> None:
    """Add the verdict `new` to each output that passed: no earlier output of its task is alike."""
    kept = [c for c in candidates if c.fault is None and c.written is not None]
    for name in sorted({c.task.name for c in kept}):
        group = [c for c in kept if c.task.name == name]
        codes = [
            character_codes(distinctive_text(c.written)) for c in group if c.written is not None
        ]
        similarity: dict[int, float] = {}
        for pair in near_duplicates(codes, DUPLICATE):
            if pair.first not in similarity:
                similarity.setdefault(pair.second, pair.similarity)
        for index, candidate in enumerate(group):
            detail = f"{similarity[index]:.2f}" if index in similarity else ""
            candidate.checks.append(Verdict("new", index not in similarity, detail))


def protected_text(written: Written, protected: ProtectedTexts) -> str:
    """Return the text that an output shares with a protected text; empty for none."""
    text = " ".join(written.texts("question", "story", "claim", "case", "options"))
    return protected.shared_run(text) or protected.contained_text(text)
