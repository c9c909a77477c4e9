"""Parse a teacher's text into the fields of its task."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kofinlaw.augment.teacher.tasks import Field, Task

__all__ = ["parse"]


def parse(text: str, task: Task) -> Mapping[str, str | tuple[str, ...]] | None:
    """Return the fields of the first JSON object in a text; None if it does not have the task's
    shape.
    """
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or set(value) != {field.name for field in task.fields}:
        return None
    found: dict[str, str | tuple[str, ...]] = {}
    for field in task.fields:
        parsed = _value(value[field.name], field)
        if parsed is None:
            return None
        found[field.name] = parsed
    return found


def _value(value: object, field: Field) -> str | tuple[str, ...] | None:
    """Return the value of a field without outer spaces; None if it has the wrong type."""
    if field.role in ("keywords", "options"):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(item.strip() for item in value)
        return None
    return " ".join(value.split()) if isinstance(value, str) else None
