"""Define the recipe sections `model` and `engine`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "Dtype",
    "EngineName",
    "EngineQuantization",
    "EngineSettings",
    "ModelSettings",
    "Quantization",
]

Dtype = Literal["bfloat16", "float16", "float32"]
Quantization = Literal["none", "nf4", "int8"]
EngineQuantization = Literal["none", "nf4", "int8", "fp8"]
EngineName = Literal["transformers", "llamacpp", "vllm", "openai", "dummy"]


class ModelSettings(BaseModel):
    """The model: its id or folder, and the type of its weights.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(
        ..., min_length=1, description="catalogue id (`google/gemma-3-270m`) or a hub id"
    )
    revision: str | None = Field(
        default=None, description="commit of the hub repository; none: any local one"
    )
    path: Path | None = Field(
        default=None, description="local folder with the weights; none: found by id"
    )
    dtype: Dtype = Field(default="bfloat16", description="type of weights and computation")


class EngineSettings(BaseModel):
    """How text is generated and choices are scored.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineName = Field(default="transformers", description="library that runs the model")
    quantization: EngineQuantization = Field(
        default="none",
        description="4-bit nf4 and int8 through bitsandbytes, slower than none at decoding; fp8 "
        "(vllm, cards from compute capability 8.9). A folder that `export gptq` or `awq` wrote: "
        "none",
    )
    dtype: Dtype = Field(default="bfloat16", description="type of weights and computation")
    max_batch_tokens: int = Field(
        default=4096,
        ge=16,
        description="padded prompt tokens per batch; a longer prompt gets its own batch",
    )
    max_batch_size: int = Field(default=32, ge=1, description="prompts per batch")
    context_tokens: int = Field(
        default=4096,
        ge=64,
        description="longest prompt with its answer, in tokens (llamacpp, vllm)",
    )
    threads: int | None = Field(
        default=None, ge=1, description="CPU threads; none: the library's choice"
    )
    slots: int = Field(
        default=1,
        ge=1,
        description="parallel requests (llamacpp, openai); above 1, texts may vary between runs",
    )
    prefix_cache: bool = Field(
        default=False,
        description="reuse the start of the previous prompt (llamacpp): faster with shared "
        "instructions, but texts may depend on earlier prompts",
    )
    gpu_memory_share: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="share of the card's memory that vllm takes; none: what is free when it "
        "starts, less 1.5 GiB",
    )
    max_sequences: int | None = Field(
        default=None,
        ge=1,
        description="sequences that vllm writes at once; none: as many as the memory holds, at "
        "most 256",
    )
    gguf: Path | None = Field(
        default=None, description="GGUF file for llamacpp; none: found by the model"
    )
    servers: tuple[str, ...] = Field(
        default=(),
        description="base addresses of OpenAI-compatible servers (openai), loopback only",
    )
    served_model: str | None = Field(
        default=None,
        description="the model's name at the servers (openai); none: the first model listed",
    )
    timeout_seconds: float = Field(
        default=120.0, gt=0, description="time limit of one answer (openai)"
    )

    @model_validator(mode="after")
    def _possible(self) -> EngineSettings:
        if self.engine == "openai" and not self.servers:
            raise ValueError("engine openai needs `servers`, e.g. [http://127.0.0.1:8000/v1]")
        if self.servers and self.engine != "openai":
            raise ValueError(f"`servers` belongs to engine openai, not {self.engine}")
        if self.gguf is not None and self.engine != "llamacpp":
            raise ValueError(f"`gguf` belongs to engine llamacpp, not {self.engine}")
        if self.quantization != "none" and self.engine not in ("transformers", "vllm"):
            raise ValueError(
                f"quantization {self.quantization} is for engines transformers and vllm"
            )
        if self.quantization == "fp8" and self.engine != "vllm":
            raise ValueError("quantization fp8 is for engine vllm")
        if self.quantization == "int8" and self.engine == "vllm":
            raise ValueError("engine vllm does not load int8: use fp8, which is as small, or nf4")
        return self
