"""Choose the token budget that a run starts with: configured, from a checkpoint, or measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

from kofinlaw.trainer.device.kept_layers import keep_layers, kept_layers, layers_to_recompute
from kofinlaw.trainer.memory_use import device_name
from kofinlaw.trainer.passes import Passes
from kofinlaw.trainer.token_probe import probe_budget

__all__ = ["BudgetRecord", "TokenBudget", "find_budget"]


class BudgetRecord(TypedDict):
    """A token budget in `checkpoint.json`; the fields are those of `TokenBudget`."""

    asked: int | Literal["auto"]
    where: Mapping[str, str | float | None]
    tokens: int
    probe: Mapping[str, float]
    kept_asked: NotRequired[int | Literal["auto"]]
    kept: NotRequired[int]


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """The padded `tokens` of a pass.

    `asked` is the configured value, `where` the GPU and the configured limit that the budget
    belongs to, `probe` the measurements of a probe (empty if there was none). `kept_asked` is the
    configured number of layers that keep their activations.
    """

    asked: int | Literal["auto"]
    where: Mapping[str, str | float | None]
    tokens: int
    probe: Mapping[str, float]
    kept_asked: int | Literal["auto"] = "auto"

    def to_record(self, tokens: int, kept: int = 0) -> BudgetRecord:
        """Return the record for a checkpoint: the budget of now, and the kept layers of now."""
        return {
            "asked": self.asked,
            "where": dict(self.where),
            "tokens": tokens,
            "probe": dict(self.probe),
            "kept_asked": self.kept_asked,
            "kept": kept,
        }


def find_budget(
    passes: Passes,
    *,
    limit: int,
    known: BudgetRecord | None,
    halved: int | None,
    log_event: Callable[[str], None],
    checkpoint_root: Path | None = None,
) -> TokenBudget:
    """Choose the budget of padded tokens per pass, and the layers of the model that are kept.

    The layers are set in the model (`train.kept_layers: auto`). Raises UserError if one example
    does not fit.

    Args:
        passes: the model with its examples and settings.
        limit: bytes that training may hold.
        known: the record of a checkpoint; it is used on the same card, under the same limit and
            for the same configured value.
        halved: the budget that a run left when it was out of memory.
        log_event: called with a message for each decision.
        checkpoint_root: see `probe_budget`.
    """
    settings = passes.settings
    here: Mapping[str, str | float | None] = {
        "device": device_name(),
        "limit_gib": settings.memory_limit_gib,
    }
    asked, kept_asked = settings.max_tokens_per_micro_batch, settings.kept_layers
    figures: dict[str, float] = {}
    if known is not None and _still_valid(known, asked, kept_asked, here):
        tokens = int(known["tokens"])
        if layers_to_recompute(passes.model):  # else checkpointing was switched off
            keep_layers(passes.model, int(known.get("kept", 0)))
    elif asked != "auto":
        tokens = asked
    elif halved is not None:
        tokens = halved  # a probe would run out of memory again
        log_event(f"the previous run was out of memory: budget {tokens}")
    else:
        tokens, figures = probe_budget(passes, limit=limit, checkpoint_root=checkpoint_root)
        kept = kept_layers(passes.model)
        tokens, kept = (-int(n) for n in passes.ranks.all_reduce_max([-tokens, -kept]))
        keep_layers(passes.model, kept)
        log_event(f"probe: {tokens} padded tokens per pass ({json.dumps(figures)})")
    if halved is not None and halved < tokens:
        log_event(f"the previous run was out of memory: budget {tokens} → {halved}")
        tokens = halved
    return TokenBudget(asked, here, tokens, figures, kept_asked)


def _still_valid(
    known: BudgetRecord,
    asked: int | Literal["auto"],
    kept_asked: int | Literal["auto"],
    here: Mapping[str, str | float | None],
) -> bool:
    """Return whether the budget of a checkpoint belongs to these settings and this machine."""
    same = known["asked"] == asked and known["where"] == here
    return same and known.get("kept_asked", "auto") == kept_asked
