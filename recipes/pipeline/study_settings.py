"""The recipe's section `study`: which retrievers and models are put side by side."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

NAME = r"^[a-z0-9][a-z0-9-]*$"
Model = Literal["base", "trained"]


class StudySettings(BaseModel):
    """What `kofinlaw study` compares; an ordinary run does not look at it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[Model, ...] = Field(
        ("base", "trained"), min_length=1, description="models that answer with every retriever"
    )
    trained: str | None = Field(
        None, description="a merged checkpoint to study; none: the recipe's own stages train it"
    )
    retrievers: dict[str, dict[str, Any] | None] = Field(
        default_factory=dict,
        description="by name: the keys of `rag` in which it differs; null: no documents",
    )
    choice_items: int | None = Field(
        None, ge=0, description="multiple-choice questions asked, drawn by seed; none: all"
    )
    free_items: int | None = Field(
        None, ge=0, description="free-text questions asked, drawn by seed; none: all"
    )

    @field_validator("retrievers")
    @classmethod
    def _named_and_possible(
        cls, value: dict[str, dict[str, Any] | None]
    ) -> dict[str, dict[str, Any] | None]:
        import re

        from kofinlaw.rag.settings import RagSettings

        for name, changes in value.items():
            if not re.match(NAME, name):
                raise ValueError(f"{name!r} names a folder: small letters, digits and hyphens")
            unknown = sorted(set(changes or {}) - set(RagSettings.model_fields))
            if unknown:
                raise ValueError(f"{name}: rag has no key {', '.join(unknown)}")
        return value
