"""Define the recipe section `export`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ExportFormat", "ExportSettings"]

ExportFormat = Literal[
    "gguf", "gguf-bf16", "gguf-f16", "gguf-q8_0", "gguf-q4_k_m", "bnb-4bit", "awq", "gptq", "hf"
]


class ExportSettings(BaseModel):
    """Formats that the merged model is also written in.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    formats: tuple[ExportFormat, ...] = Field(
        (), description="exports to write with the merged checkpoint; gguf means gguf-q8_0"
    )
    quantizer: str | None = Field(
        None, description="llama.cpp's llama-quantize for gguf-q4_k_m; none: searched on the PATH"
    )
    calibration_samples: int = Field(
        128, ge=1, description="number of training chunks that awq and gptq are calibrated on"
    )
    calibration_tokens: int = Field(
        512, ge=16, description="largest number of tokens read from each of these chunks"
    )
    environments: str | None = Field(
        None, description="folder for the exporters' virtual environments; none: the user's cache"
    )
