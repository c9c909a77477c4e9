"""Define the recipe's section `retriever.reranker`: how a small cross-encoder is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RerankerSettings"]


class RerankerSettings(BaseModel):
    """Settings of the reranker that `kofinlaw fit-retriever` trains after the embedder.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    negatives: int = Field(
        3, ge=1, le=31, description="passages that do not answer, next to the one that does"
    )
    steps: int = Field(200, ge=1, description="optimizer steps")
    batch: int = Field(8, ge=1, description="queries in a step, each with all of its passages")
    learning_rate: float = Field(1e-4, gt=0, description="highest learning rate")
    layers: int | None = Field(
        6,
        ge=1,
        description="layers that are trained, counted from the top; the others and the embeddings "
        "of tokens stay. none: all",
    )
    tokens: int = Field(
        192, ge=16, le=512, description="longest query with its passage, in tokens; also when used"
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="type of the products in training; the weights stay in float32"
    )
    checkpoint_steps: int = Field(25, ge=1, description="a killed run loses at most so many steps")
    budget_minutes: float | None = Field(
        None, gt=0, description="end after so many minutes with what is learned; none: all steps"
    )
    held_out: int = Field(
        100, ge=0, description="queries that are not trained on, to measure before and after"
    )
