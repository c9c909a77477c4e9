"""Tell lines of an example file that are broken from lines in a form that is not read.

A broken line is rejected, and the others are trained on. A form or a field that is not read
(`example_forms`) is refused for the whole file, because every line has it.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["malformed"]

_TURNS = ("messages", "conversations", "conversation")
_TEXTS = ("prompt", "completion", "text")


def malformed(value: Mapping[str, object]) -> str:
    """Return why a line is broken; empty for a line whose fields have the types that they need."""
    if not value:
        return "the line has no fields"
    if "id" in value and type(value["id"]) not in (str, int):
        return "the `id` is not a text"
    for name in _TURNS:
        turns = value.get(name, [])
        if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
            return f"`{name}` is not a list of messages"
    for name in _TEXTS:
        if not isinstance(value.get(name, ""), str | list):
            return f"`{name}` is not a text"
    return ""
