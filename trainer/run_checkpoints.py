"""A run's checkpoints over its processes: written after a step, taken up again after a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kofinlaw import __version__
from kofinlaw.trainer import checkpoint as checkpoints
from kofinlaw.trainer import sharding
from kofinlaw.trainer.adapter import gathered_tensors, trainable
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.resume import Resume, find_checkpoint, start_anew
from kofinlaw.trainer.state import RunState


class RunCheckpoints:
    """The checkpoints below `out` of the model and optimizer under training.

    All processes must call each method together; the first one writes.
    """

    def __init__(
        self,
        out: Path,
        model: Any,
        optimizer: Any,
        ranks: Ranks,
        *,
        fingerprints: Mapping[str, str],
        keep: int,
    ) -> None:
        self.out = out
        self.root = out / "checkpoints"
        self.model = model
        self.optimizer = optimizer
        self.ranks = ranks
        self.fingerprints = dict(fingerprints)
        self.keep = keep

    def clear_leftovers(self) -> None:
        """Delete what a killed process was in the middle of writing."""
        if self.ranks.is_main:
            checkpoints.clear_leftovers(self.out)
            checkpoints.clear_leftovers(self.root)
        self.ranks.barrier()

    def take_up(self, resume: Resume, tell: Callable[[str], None]) -> checkpoints.Checkpoint | None:
        """Load the newest whole checkpoint of this run; None, and the folder empty: begin anew.

        Raises UserError where `resume` is "always" and there is none.
        """
        found = find_checkpoint(self.root, self.fingerprints, resume, tell)
        if found is not None:
            self._copy_weights(checkpoints.tensors_of(found))
            sharding.load_optimizer_state(self.optimizer, checkpoints.optimizer_of(found))
        self.ranks.barrier()  # all have looked
        if found is None and self.ranks.is_main:
            start_anew(self.root)
        self.ranks.barrier()
        return found

    def save(
        self, name: str | None, *, state: RunState, steps: int, budget: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint after `state.step` of `steps`, called after its step when None."""
        tensors = gathered_tensors(self.model)
        optimizer = sharding.full_optimizer_state(self.optimizer)
        if self.ranks.is_main:
            record = {
                "version": __version__,
                "step": state.step,
                "steps": steps,
                "budget": dict(budget),
                "fingerprints": self.fingerprints,
                "state": state.record(),
            }
            checkpoints.save(
                self.root, tensors=tensors, optimizer=optimizer, record=record, name=name
            )
            checkpoints.keep_newest(self.root, self.keep)
        self.ranks.barrier()

    def take_best(self) -> None:
        """Put the weights of the best held-out loss into the model."""
        self._copy_weights(checkpoints.tensors_of(checkpoints.read(self.root / "best")))

    def _copy_weights(self, tensors: Mapping[str, Any]) -> None:
        for name, parameter in trainable(self.model):
            sharding.copy_full_tensor_(parameter, tensors[name])
