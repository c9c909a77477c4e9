"""The recipe's section `verify`: what a proof compares, and its thresholds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class VerifySettings(BaseModel):
    """What the merged model is put to, and how far it may differ from base + adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: int = Field(8, ge=1, description="held-out prompts compared, in number")
    max_tokens_per_prompt: int = Field(
        192, ge=8, description="tokens of a prompt that are compared; the rest is cut"
    )
    kl_positions: int = Field(
        256, ge=1, description="token positions whose whole distributions are compared, in all"
    )
    greedy_prompts: int = Field(2, ge=0, description="prompts continued greedily")
    greedy_tokens: int = Field(16, ge=1, description="tokens of each greedy continuation")
    passages: int = Field(
        12, ge=0, description="held-out chunks an export's perplexity is taken on, in number"
    )
    questions: int = Field(12, ge=0, description="multiple-choice questions compared, in number")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="format both models compute in; auto: float32 on CPU, bfloat16 on a GPU",
    )
    min_argmax_agreement: float = Field(
        0.98, gt=0, le=1, description="smallest share of tokens with the same most likely next one"
    )
    max_kl: float = Field(
        0.005, gt=0, description="largest mean KL(base + adapter || merged), nats a token"
    )
    max_kl_share: float = Field(
        0.1,
        gt=0,
        description=(
            "largest mean KL as a share of the adapter's own effect KL(base + adapter || base); "
            "a smaller adapter must be kept more exactly, down to the rounding floor"
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
            "the same as a share of what the adapter changes about the mean loss, where that is "
            "more: tokens that it made improbable round further"
        ),
    )
    min_choice_agreement: float = Field(
        0.9, gt=0, le=1, description="smallest share of multiple-choice answers that are the same"
    )
    min_delta_kept: float = Field(
        0.5,
        gt=0,
        le=1,
        description=(
            "smallest share of any one weight's adapter delta that the stored weight still shows "
            "(rounding blurs a small delta, but a skipped one keeps none of it)"
        ),
    )
    max_export_perplexity_ratio: float = Field(
        2.0,
        gt=1,
        description=(
            "largest perplexity of an export as a multiple of the merged model's; quantising costs "
            "some, a broken export far more"
        ),
    )
