"""Do the review's part of the stage: apply the changes, and compute the figures of the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kofinlaw.augment.review.applying import REVIEWED, Applied, apply_changes, write_changed
from kofinlaw.augment.review.outcomes import changes_of, current_verdicts
from kofinlaw.augment.review.review_card import ReviewRecord, review_record
from kofinlaw.augment.review.sample import reading_order
from kofinlaw.augment.review.verdicts import Verdict
from kofinlaw.records import Example

__all__ = ["review_examples"]


def review_examples(
    examples: Sequence[Example],
    verdicts: Sequence[Verdict],
    out: Path,
    *,
    protected: Callable[[str, str], str],
    seed: int,
) -> tuple[Applied, ReviewRecord]:
    """Apply the readers' changes, write `reviewed.jsonl` into `out`, and return the figures.

    Args:
        examples: The examples as they were made.
        verdicts: All verdicts of the run.
        out: The stage's folder.
        protected: Returns what a question with its options copies of an evaluation question.
        seed: Decides the order of reading.
    """
    applied = apply_changes(examples, changes_of(current_verdicts(verdicts)), protected)
    write_changed(out / REVIEWED, applied.changed)
    return applied, review_record(reading_order(examples, seed), verdicts)
