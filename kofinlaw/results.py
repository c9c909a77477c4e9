"""Define what a stage function returns: typed figures that convert to a JSON record."""

from __future__ import annotations

from typing import Protocol

__all__ = ["JsonValue", "StageResult"]

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


class StageResult(Protocol):
    """The figures of one stage. Implementations are small frozen dataclasses."""

    def to_record(self) -> dict[str, object]:
        """Return the figures as JSON values by name, as `stage.json` stores them under `counts`."""
        ...
