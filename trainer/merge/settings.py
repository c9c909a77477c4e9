"""Define the recipe section `merge`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["MergeSettings"]


class MergeSettings(BaseModel):
    """How the adapter is added to its base.

    Raises pydantic's ValidationError for an unknown key or value; the recipe reader turns it into
    a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Literal["dequantized", "original", "best"] = Field(
        "dequantized",
        description=(
            "weights the adapter is added to: the 4-bit values that training used (dequantized), "
            "the 16-bit original, or best: both are merged and measured, the better is kept"
        ),
    )
    adapter_weight: float = Field(
        1.0,
        gt=0,
        le=1,
        description="share of the adapter's change that is added (0–1); less than 1 keeps more of "
        "what the base could do (arXiv 2109.01903)",
    )
    dtype: Literal["bfloat16", "float16", "float32"] = Field(
        "bfloat16", description="number format of the stored weights; the sum is always float32"
    )
    name: str | None = Field(
        None, description="the merged model's name; none: the base's name and `-kofinlaw`"
    )
