"""Define the recipe section `verify`: what a proof compares, and its thresholds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["VerifySettings"]


class VerifySettings(BaseModel):
    """The tests of the merged model, and how far it may differ from base + adapter.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: int = Field(8, ge=1, description="number of held-out prompts compared")
    max_tokens_per_prompt: int = Field(
        192,
        ge=8,
        description="largest number of prompt tokens that are compared; longer prompts are cut",
    )
    kl_positions: int = Field(
        256, ge=1, description="number of token positions whose whole distributions are compared"
    )
    greedy_prompts: int = Field(2, ge=0, description="number of prompts continued greedily")
    greedy_tokens: int = Field(16, ge=1, description="tokens of each greedy continuation")
    passages: int = Field(
        12, ge=0, description="number of held-out chunks that an export's perplexity is measured on"
    )
    questions: int = Field(12, ge=0, description="number of multiple-choice questions compared")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="format both models compute in; auto: float32 on CPU, bfloat16 on a GPU",
    )
    min_argmax_agreement: float = Field(
        0.98,
        gt=0,
        le=1,
        description="smallest share of tokens with the same most likely next token",
    )
    max_kl: float = Field(
        0.005, gt=0, description="largest mean KL(base + adapter || merged), nats a token"
    )
    max_kl_share: float = Field(
        0.1,
        gt=0,
        description=(
            "largest mean KL as a share of the adapter's own effect KL(base + adapter || base); "
            "the effect of a smaller adapter must be kept more exactly, down to `kl_floor`"
        ),
    )
    kl_floor: float = Field(
        0.0005, ge=0, description="mean KL that rounding alone may cause, nats a token"
    )
    max_loss_difference: float = Field(
        0.01, gt=0, description="largest difference of the mean loss, nats a token"
    )
    max_loss_share: float = Field(
        0.01,
        ge=0,
        description=(
            "the same bound as a share of the adapter's change of the mean loss; the "
            "larger of the two "
            "bounds applies, because rounding errors are larger on tokens made improbable"
        ),
    )
    min_choice_agreement: float = Field(
        0.9, gt=0, le=1, description="smallest share of equal multiple-choice answers"
    )
    min_delta_kept: float = Field(
        0.5,
        gt=0,
        le=1,
        description=(
            "smallest share of the adapter's change that each stored weight must still show "
            "(rounding blurs a small change; a skipped one is lost completely)"
        ),
    )
    max_export_perplexity_ratio: float = Field(
        2.0,
        gt=1,
        description=(
            "largest perplexity of an export as a multiple of the merged model's; quantising "
            "raises it a little, a broken export raises it far more"
        ),
    )
