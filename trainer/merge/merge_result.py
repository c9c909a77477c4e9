"""Define the figures that a merge returns and records."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["MergeCounts", "MergeResult"]


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """The merged checkpoint in numbers: tensors by what happened to them, and sizes."""

    tensors: int
    tensors_with_adapter: int
    tensors_dequantised_only: int
    tensors_trained_whole: int
    tensors_copied: int
    parameters: int
    weight_bytes: int
    shards: int

    def to_record(self) -> dict[str, int]:
        """Return the counts by name, as `kofinlaw.json` keeps them under `counts`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The result of a merge.

    Attributes:
        counts: tensors, parameters and bytes of the merged checkpoint.
        base: the values that the adapter was added to, `dequantized` or `original`.
        seconds: wall time; 0 where the merge was already there.
        answer_losses: mean loss on answers in nats a token, by base, where both bases were
            merged and measured. Infinite for a merge that failed its proof.
    """

    counts: MergeCounts
    base: str
    seconds: float
    answer_losses: dict[str, float] | None = None

    def to_record(self) -> dict[str, object]:
        """Return the figures as flat JSON values."""
        losses = self.answer_losses or {}
        return {
            **self.counts.to_record(),
            "base": self.base,
            "seconds": self.seconds,
            **{f"answer_loss_{base}": loss for base, loss in losses.items()},
        }
