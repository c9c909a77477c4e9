"""Tell broken lines of a file of examples or pairs from lines that are refused for the whole file.

A broken line is rejected, and the others are trained on. Two forms in one line, and a field that
would be ignored (`example_forms`), are refused for the whole file, because every line has them.
"""

from __future__ import annotations

from collections.abc import Mapping

from kofinlaw.data.prompting.example_forms import form_fault
from kofinlaw.data.prompting.pair_forms import pair_fault

__all__ = ["malformed"]

_TURNS = ("messages", "conversations", "conversation")
_TEXTS = ("prompt", "completion", "text")


def malformed(value: Mapping[str, object], *, pair: bool = False) -> str:
    """Return why a line is broken; empty for a line that has a form and fields of its types.

    With `pair` the line is a preference pair.
    """
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
    return pair_fault(value) if pair else form_fault(value)
