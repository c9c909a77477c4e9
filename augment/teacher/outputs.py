"""A teacher's text as the fields of its task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kofinlaw.augment.teacher.tasks import Field, Task


def parse(text: str, task: Task) -> Mapping[str, str | tuple[str, ...]] | None:
    """The fields of the first JSON object in a text; None where it has another shape."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or set(value) != {field.name for field in task.fields}:
        return None
    found = {field.name: _value(value[field.name], field) for field in task.fields}
    return None if None in found.values() else found  # type: ignore[return-value]


def _value(value: Any, field: Field) -> str | tuple[str, ...] | None:
    if field.role == "keywords":
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(item.strip() for item in value)
        return None
    return " ".join(value.split()) if isinstance(value, str) else None
