"""Read JSON objects from files and take values of a known type out of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.folder_checks import read_config
from kofinlaw.results import JsonValue

__all__ = [
    "JsonObject",
    "integer_at",
    "object_at",
    "read_object",
    "read_object_if_present",
    "text_at",
    "texts_at",
]

JsonObject = dict[str, JsonValue]


def read_object(path: Path) -> JsonObject:
    """Read a JSON file that holds one object.

    Raises UserError where the file is missing, cannot be read, or holds something else.
    """
    if not path.exists():
        raise UserError(
            "no such file",
            where=str(path),
            remedy=f"check the path: a model or an adapter is a folder that holds {path.name}",
        )
    return read_config(path)


def read_object_if_present(path: Path) -> JsonObject:
    """Read like `read_object`, but an absent file gives an empty object."""
    return read_config(path)


def object_at(record: Mapping[str, JsonValue], key: str) -> JsonObject:
    """Return the object under `key`; empty where the key is absent or holds something else."""
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def text_at(record: Mapping[str, JsonValue], key: str) -> str:
    """Return the text under `key`; empty where the key is absent or holds something else."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def integer_at(record: Mapping[str, JsonValue], key: str, where: Path) -> int:
    """Return the whole number under `key` of the file `where`.

    Raises UserError for anything else.
    """
    value = record.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UserError(f"{key} must be a whole number, not {value!r}", where=str(where))
    return value


def texts_at(record: Mapping[str, JsonValue], key: str, where: Path) -> list[str]:
    """Return the list of texts under `key` of the file `where`.

    Raises UserError for anything else.
    """
    value = record.get(key)
    if not isinstance(value, list):
        raise UserError(f"{key} must be a list of texts", where=str(where))
    texts = [item for item in value if isinstance(item, str)]
    if len(texts) != len(value):
        raise UserError(f"{key} must be a list of texts", where=str(where))
    return texts
