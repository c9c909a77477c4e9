"""What preference tuning adds to the `train:` section, and what of that section it leaves."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kofinlaw import UserError
from kofinlaw.trainer.settings import TrainSettings

# Those of TRL's that need no setting more and do not depend on how a batch is cut. discopop is
# left out: it is not convex, and where both answers stand equal, as at our start, it falls towards
# the rejected one.
PreferenceLoss = Literal[
    "sigmoid",
    "sigmoid_norm",
    "hinge",
    "ipo",
    "nca_pair",
    "bco_pair",
    "sppo_hard",
    "apo_zero",
    "apo_down",
]
UNSUPPORTED_KEYS = (
    "neftune_alpha",
    "mixture",
    "effective_batch_tokens",
    "evaluation_share",
    "patience",
    "report_to",
)


class PreferenceSettings(BaseModel):
    """What DPO adds to the `train:` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    beta: float = Field(default=0.1, gt=0, description="how strongly the start holds the model")
    loss: PreferenceLoss = Field(default="sigmoid", description="TRL's loss_type; sigmoid is DPO's")
    pairs_per_pass: int = Field(default=1, ge=1, description="pairs in one forward pass")


def reject_unsupported(settings: TrainSettings, preference: PreferenceSettings) -> None:
    """Raises UserError for a setting that preference tuning would leave aside, and a bad cut."""
    fields = TrainSettings.model_fields
    aside = [name for name in UNSUPPORTED_KEYS if getattr(settings, name) != fields[name].default]
    if aside:
        raise UserError(
            f"preference tuning has no {', '.join(aside)}",
            where="train",
            remedy="leave it out of the recipe for `prefer`",
        )
    if settings.effective_batch % preference.pairs_per_pass:
        raise UserError(
            f"effective_batch {settings.effective_batch} is not a multiple of "
            f"{preference.pairs_per_pass} pairs a pass",
            where="train.effective_batch",
        )
