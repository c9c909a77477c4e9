"""The token budget a run starts with: as asked, as it was left, or found by a probe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from kofinlaw.trainer.memory_use import device_name
from kofinlaw.trainer.optimization import make_optimizer
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.step import Stepper
from kofinlaw.trainer.token_probe import probe_budget


def find_budget(
    stepper: Stepper,
    settings: TrainSettings,
    *,
    limit: int,
    known: Mapping[str, Any] | None,
    halved: int | None,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Set the stepper's budget in padded tokens a pass; returns its record for checkpoints.

    `known` is a checkpoint's record: it counts on the same card, under the same limit and for the
    same asked value. `halved` is what a run that was out of memory left behind. `limit` is in
    bytes. Raises UserError where one example does not fit.
    """
    here = {"device": device_name(), "limit_gib": settings.memory_limit_gib}
    asked = settings.max_tokens_per_micro_batch
    figures: dict[str, float] = {}
    if known is not None and known["asked"] == asked and known["where"] == here:
        budget = int(known["tokens"])
    elif asked != "auto":
        budget = asked
    elif halved is not None:
        budget = halved  # a probe would run out of memory again
        tell(f"the run before was out of memory: budget {budget}")
    else:
        budget, figures = probe_budget(
            stepper,
            limit=limit,
            batch=settings.effective_batch,
            make_optimizer=lambda: make_optimizer(stepper.model, settings),
        )
        budget = -int(stepper.ranks.all_reduce_max([-budget])[0])
        tell(f"probe: {budget} padded tokens a pass ({json.dumps(figures)})")
    if halved is not None and halved < budget:
        tell(f"the run before was out of memory: budget {budget} → {halved}")
        budget = halved
    stepper.budget = budget
    return {"asked": asked, "where": here, "tokens": budget, "probe": figures}
