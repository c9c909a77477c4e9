"""Identify a base model by the bytes of its weights and its config."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import sha256_file
from kofinlaw.models.weight_headers import weight_files

__all__ = ["base_sha256"]


def base_sha256(folder: Path) -> str:
    """Compute the SHA-256 over the hashes of a base's safetensors files and its config.json.

    File names only determine the order. The weights are read once; the result is cached for the
    lifetime of the process while size and modification time of the files stay the same. Raises
    UserError as `weight_files`, and if config.json is missing.
    """
    files = [*weight_files(folder), folder / "config.json"]
    if not files[-1].exists():
        raise UserError(
            "the folder has no config.json", where=str(folder), remedy="name a model folder"
        )
    total = hashlib.sha256()
    for path in files:
        status = path.stat()
        total.update(_file_sha256(path.resolve(), status.st_size, status.st_mtime_ns).encode())
    return total.hexdigest()


@lru_cache(maxsize=256)
def _file_sha256(path: Path, size: int, modified: int) -> str:
    del size, modified  # they are only part of the cache key
    return sha256_file(path)
