"""Write the checkpoints of a run over its processes, and restore them after a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer

from kofinlaw import __version__
from kofinlaw.files import set_aside
from kofinlaw.trainer import checkpoint as checkpoints
from kofinlaw.trainer import sharding
from kofinlaw.trainer.adapter import gathered_tensors, trainable
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.resume import (
    Resume,
    continued_fingerprints,
    delete_checkpoints,
    find_checkpoint,
)
from kofinlaw.trainer.state import RunState
from kofinlaw.trainer.token_budget import BudgetRecord
from kofinlaw.trainer.zero import Zero

__all__ = ["RunCheckpoints"]


class RunCheckpoints:
    """The checkpoints below `out` of the model under training.

    All processes must call each method together; the main process writes. `fingerprints` are what
    a checkpoint must agree with, `keep` is the number of newest checkpoints that are kept;
    `elsewhere` allows a checkpoint of another device or number of processes.
    """

    def __init__(
        self,
        out: Path,
        model: Module,
        ranks: Ranks,
        *,
        fingerprints: Mapping[str, str],
        keep: int,
        elsewhere: bool = False,
    ) -> None:
        self.out = out
        self.root = out / "checkpoints"
        self.model = model
        self.ranks = ranks
        self.fingerprints = dict(fingerprints)
        self.keep = keep
        self.elsewhere = elsewhere

    def clear_leftovers(self) -> None:
        """Delete what killed processes left half written."""
        if self.ranks.is_main:
            checkpoints.clear_leftovers(self.out)
            checkpoints.clear_leftovers(self.root)
        self.ranks.barrier()

    def restore(
        self, optimizer: Optimizer, resume: Resume, log_event: Callable[[str], None]
    ) -> checkpoints.Checkpoint | None:
        """Load the newest complete checkpoint of this run into the model and `optimizer`.

        None means that the run starts from step 0; the checkpoints of another run are then deleted,
        and checkpoints of which none can be read are set aside. Raises
        UserError as `find_checkpoint` does.
        """
        found = find_checkpoint(
            self.root, self.fingerprints, resume, log_event, elsewhere=self.elsewhere
        )
        if found is not None:
            theirs = found.record["fingerprints"]
            self.fingerprints = continued_fingerprints(self.fingerprints, theirs)
            self._copy_weights(checkpoints.tensors_of(found))
            sharding.load_optimizer_state(optimizer, checkpoints.optimizer_of(found))
        self.ranks.barrier()  # all processes have read it
        if found is None and self.ranks.is_main:
            if resume != "never" and checkpoints.all_damaged(self.root):
                kept = set_aside(self.root)
                log_event(f"no checkpoint can be read; they are kept in {kept.name}")
            delete_checkpoints(self.root)
        self.ranks.barrier()
        return found

    def save(
        self,
        optimizer: Optimizer | Zero,
        name: str | None,
        *,
        state: RunState,
        steps: int,
        budget: BudgetRecord,
    ) -> None:
        """Write a checkpoint after `state.step` of `steps`; without `name` the step names it."""
        tensors = gathered_tensors(self.model)
        optimizer_state = sharding.full_optimizer_state(optimizer)
        if self.ranks.is_main:
            checkpoints.save(
                self.root,
                tensors=tensors,
                optimizer=optimizer_state,
                record={
                    "version": __version__,
                    "step": state.step,
                    "steps": steps,
                    "budget": budget,
                    "fingerprints": self.fingerprints,
                    "state": state.record(),
                },
                name=name,
            )
            checkpoints.keep_newest(self.root, self.keep)
        self.ranks.barrier()

    def load_best(self) -> None:
        """Load the weights of the best held-out loss into the model."""
        self._copy_weights(checkpoints.tensors_of(checkpoints.read(self.root / "best")))

    def _copy_weights(self, tensors: Mapping[str, Tensor]) -> None:
        for name, parameter in trainable(self.model):
            sharding.copy_full_tensor_(parameter, tensors[name])
