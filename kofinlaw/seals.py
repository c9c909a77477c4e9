"""Seal a JSON record with its own SHA-256, so that a later change is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

__all__ = ["SEAL", "is_intact", "sealed"]

SEAL = "record_sha256"


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
