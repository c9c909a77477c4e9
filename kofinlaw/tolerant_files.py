"""Read files that may be absent, cut off or broken, for pages that must not fail because of them;
seal records, so that a change is noticed.

Code that needs a file uses `kofinlaw.files`, which raises.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.files import read_json_lines

__all__ = [
    "SEAL",
    "finite_number",
    "finite_values",
    "is_intact",
    "read_json",
    "read_opening",
    "read_rows",
    "sealed",
    "shorten",
]


SEAL = "record_sha256"


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object of a file; None if the file is absent, broken or no object.

    Numbers that JSON does not have (NaN, infinities) become None.
    """
    try:
        value = load_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return finite_values(value) if isinstance(value, dict) else None


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file; an empty list if it is absent or broken."""
    try:
        return [value for _, value in read_json_lines(path)]
    except UserError:
        return []


def read_opening(path: Path, characters: int) -> str:
    """Return at most the first `characters` of a text file; empty if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read(characters)
    except OSError:
        return ""


def shorten(value: object, characters: int) -> str:
    """Return the value as text of at most `characters`, with an ellipsis if it was cut."""
    text = str(value or "")
    return text if len(text) <= characters else text[:characters] + "…"


_MOST_BITS = 1023  # of an integer that is a float too


def finite_number(value: object) -> float | None:
    """Return a finite number as a float; None for any other value, including booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if (isinstance(value, int) and value.bit_length() > _MOST_BITS) or not math.isfinite(value):
        return None
    return float(value)


def finite_values(value: Any) -> Any:
    """Return JSON values with NaN and infinities replaced by None, and all keys as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(name): finite_values(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_values(item) for item in value]
    return value


def sealed(record: Mapping[str, object]) -> dict[str, object]:
    """Return a record as JSON gives it back, with the SHA-256 of its other keys.

    It shows accidents and edits by hand. It is no signature: who edits a record can seal it again.
    """
    plain = json.loads(json.dumps(record, ensure_ascii=False))
    plain.pop(SEAL, None)
    return {**plain, SEAL: _sha256(plain)}


def is_intact(record: Mapping[str, object]) -> bool:
    """Return whether a record is as it was sealed. Records without a seal count as intact: earlier
    versions wrote none.
    """
    seal = record.get(SEAL)
    return seal is None or seal == _sha256({k: v for k, v in record.items() if k != SEAL})


def _sha256(record: Mapping[str, object]) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
