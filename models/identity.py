"""Fingerprint a model folder from a sample of its bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["model_fingerprint"]

_WEIGHTS = (".safetensors", ".gguf")
# Other files, such as a README, may be added without changing the model.
_KINDS = (*_WEIGHTS, ".json", ".jinja", ".model")
_BLOCKS = 64
_BLOCK_BYTES = 64 * 1024


def model_fingerprint(folder: Path, gguf: Path | None = None) -> str:
    """Return a SHA-256 (hexadecimal) of the weights, config, tokenizer and template of a folder.

    It is equal for equal files with equal names. Of a large weight file, 64 evenly spaced blocks of
    64 KiB are read; the first contains the header. This suffices because further training changes
    values in every layer, although names, sizes and headers stay the same.

    Args:
        folder: the model's folder.
        gguf: a weight file outside the folder that the engine uses; it is hashed too.
    """
    digest = hashlib.sha256()
    files = sorted(path for path in folder.iterdir() if path.suffix in _KINDS)
    for path in [*files, *([gguf] if gguf is not None else [])]:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        _update(digest, path)
    return digest.hexdigest()


def _update(digest: hashlib._Hash, path: Path) -> None:
    size = path.stat().st_size
    with open(path, "rb") as handle:
        if path.suffix not in _WEIGHTS or size <= _BLOCKS * _BLOCK_BYTES:
            digest.update(handle.read())
            return
        for block in range(_BLOCKS):
            handle.seek(block * (size - _BLOCK_BYTES) // (_BLOCKS - 1))
            digest.update(handle.read(_BLOCK_BYTES))
