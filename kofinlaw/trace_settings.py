"""Define the settings of the recipe's `trace` section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TraceSettings", "TraceTarget"]

TraceTarget = Literal["jsonl", "opentelemetry", "langsmith"]


class TraceSettings(BaseModel):
    """Where calls of models and indexes are traced to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: tuple[TraceTarget, ...] = Field(
        default=("jsonl",),
        description="jsonl: traces.jsonl in the stage's folder; opentelemetry and langsmith need "
        "extras (langsmith only with `offline: false`); empty: no tracing",
    )
    redact: bool = Field(
        default=False,
        description="write length and hash of prompts, answers and passages instead of their text",
    )
    endpoint: str = Field(
        default="http://127.0.0.1:4318/v1/traces",
        description="OTLP/HTTP address of the OpenTelemetry collector; loopback while offline",
    )
    project: str = Field(
        default="kofinlaw", description="service name (opentelemetry) or project (langsmith)"
    )
