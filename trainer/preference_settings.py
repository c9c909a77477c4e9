"""Define the settings of preference tuning and reject settings that it does not support."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kofinlaw import UserError
from kofinlaw.trainer.settings import TrainSettings

__all__ = ["UNSUPPORTED_KEYS", "PreferenceLoss", "PreferenceSettings", "reject_unsupported"]

# TRL's losses that need no further setting and do not depend on how a batch is split. discopop is
# left out: it is not convex, and where both answers are equally likely, as at our start, it moves
# towards the rejected answer.
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
    "objective",
    "neftune_alpha",
    "mixture",
    "effective_batch_tokens",
    "evaluation_share",
    "patience",
    "report_to",
)


class PreferenceSettings(BaseModel):
    """Settings of DPO in addition to the `train:` section.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beta: float = Field(
        default=0.1, gt=0, description="how strongly the reference model limits the change"
    )
    loss: PreferenceLoss = Field(default="sigmoid", description="TRL's loss_type; sigmoid is DPO's")
    pairs_per_pass: int = Field(default=1, ge=1, description="pairs in one forward pass")


def reject_unsupported(settings: TrainSettings, preference: PreferenceSettings) -> None:
    """Check that preference tuning can apply every setting.

    Raises UserError for a setting of `UNSUPPORTED_KEYS` that differs from its default, and for an
    effective batch that is not a multiple of `pairs_per_pass`.
    """
    fields = TrainSettings.model_fields
    unsupported = [
        name for name in UNSUPPORTED_KEYS if getattr(settings, name) != fields[name].default
    ]
    if unsupported:
        raise UserError(
            f"preference tuning does not support {', '.join(unsupported)}",
            where="train",
            remedy="remove it from the recipe that you use for `prefer`",
        )
    if settings.effective_batch % preference.pairs_per_pass:
        raise UserError(
            f"effective_batch {settings.effective_batch} is not a multiple of "
            f"{preference.pairs_per_pass} pairs per pass",
            where="train.effective_batch",
        )
