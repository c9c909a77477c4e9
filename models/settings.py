"""The recipe's sections `model` and `engine`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Dtype = Literal["bfloat16", "float16", "float32"]
Quantization = Literal["none", "nf4", "int8"]
EngineName = Literal["transformers", "llamacpp", "vllm", "openai", "dummy"]


class ModelSettings(BaseModel):
    """Which model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(
        ..., min_length=1, description="catalogue id (`google/gemma-3-270m`) or a hub id"
    )
    revision: str | None = Field(
        default=None, description="commit of the hub repository; none: any local"
    )
    path: Path | None = Field(
        default=None, description="local folder with the weights; none: found by id"
    )
    dtype: Dtype = Field(default="bfloat16", description="type the weights are computed in")


class EngineSettings(BaseModel):
    """How text is generated and choices are scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineName = Field(default="transformers", description="what runs the model")
    quantization: Quantization = Field(
        default="none",
        description="4-bit nf4 and int8 through bitsandbytes; slower than none at decoding",
    )
    dtype: Dtype = Field(default="bfloat16", description="type the weights are computed in")
    max_batch_tokens: int = Field(
        default=4096,
        ge=16,
        description="padded prompt tokens of one batch; a longer prompt goes alone",
    )
    max_batch_size: int = Field(default=32, ge=1, description="prompts of one batch")
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
        description="parallel requests (llamacpp, openai); above 1 texts may vary by run",
    )
    prefix_cache: bool = Field(
        default=False,
        description="keep a prompt's start for the next one (llamacpp): faster with shared "
        "instructions, but texts may depend on what ran before",
    )
    gpu_memory_share: float = Field(
        default=0.9, gt=0, le=1, description="share of the card's memory that vllm takes"
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
        description="the model's name at the servers (openai); none: the first they list",
    )
    timeout_seconds: float = Field(default=120.0, gt=0, description="wait for one answer (openai)")

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
        return self
