"""Define the counts that the augment stage returns."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AugmentCounts"]


@dataclass(frozen=True)
class AugmentCounts:
    """Counts and figures of one augment stage, as `stage.json` keeps them.

    Attributes:
        examples: All training examples.
        items: Multiple-choice examples that are not from a teacher.
        heldout: Questions of the held-out acts.
        heldout_free: How many of these are free text; None where none were wanted.
        rejected: Rejected records.
        tokens: Tokens of all examples, as the trained model counts them.
        negative_share: Share of the items that ask for what is not so (0 to 1).
        numeric_share: Share of the items whose options are figures (0 to 1).
        longest_gain: Gain over chance of choosing the longest option, in percentage points.
        heldout_overlap: Accuracy of the word-overlap rule on the held-out questions with retrieved
            passages (0 to 1).
        heldout_overlap_gold: The same with the gold passages.
        pairs: Preference pairs; None where none were wanted.
        taught: Examples that a teacher wrote and every check accepted; None without a teacher.
        sent: Requests that were sent to the teacher in this run; None without a teacher.
        last_lines: Sentences for the end of the stage; None where as many were made as wanted.
    """

    examples: int
    items: int
    heldout: int
    rejected: int
    tokens: int
    negative_share: float
    numeric_share: float
    longest_gain: float
    heldout_overlap: float
    heldout_overlap_gold: float
    heldout_free: int | None = None
    pairs: int | None = None
    taught: int | None = None
    sent: int | None = None
    last_lines: tuple[str, ...] | None = None

    def to_record(self) -> dict[str, object]:
        """Return the figures by name, without those that this run has not."""
        return {name: value for name, value in vars(self).items() if value is not None}
