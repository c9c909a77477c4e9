"""Define the recipe's section `study`: which retrievers and models are compared."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["NAME", "Model", "StudySettings"]

NAME = r"^[a-z0-9][a-z0-9-]*$"
Model = Literal["base", "trained"]


class StudySettings(BaseModel):
    """The models and retrievers that `kofinlaw study` compares; an ordinary run ignores it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[Model, ...] = Field(
        ("base", "trained"), min_length=1, description="models that answer with every retriever"
    )
    trained: str | None = Field(
        None, description="a merged checkpoint to study; none: the recipe's own stages train one"
    )
    retrievers: dict[str, dict[str, object] | None] = Field(
        default_factory=dict,
        description="by name: the keys of `rag` with other values; null: no documents",
    )
    choice_items: int | None = Field(
        None, ge=0, description="number of multiple-choice questions, drawn by seed; none: all"
    )
    free_items: int | None = Field(
        None, ge=0, description="number of free-text questions, drawn by seed; none: all"
    )

    @field_validator("retrievers")
    @classmethod
    def _named_and_possible(
        cls, value: dict[str, dict[str, object] | None]
    ) -> dict[str, dict[str, object] | None]:
        import re

        from kofinlaw.rag.settings import RagSettings

        for name, changes in value.items():
            if not re.match(NAME, name):
                raise ValueError(
                    f"{name!r} names a folder: use lower-case letters, digits and hyphens"
                )
            unknown = sorted(set(changes or {}) - set(RagSettings.model_fields))
            if unknown:
                raise ValueError(f"{name}: rag has no key {', '.join(unknown)}")
        return value
