"""Which model a folder holds, told from its bytes without reading all of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_WEIGHTS = (".safetensors", ".gguf")
_KINDS = (*_WEIGHTS, ".json", ".jinja", ".model")  # README and the like may come later
_BLOCKS = 64
_BLOCK_BYTES = 64 * 1024


def model_fingerprint(folder: Path, gguf: Path | None = None) -> str:
    """Hexadecimal; equal for equal files (weights, config, tokenizer, template) of equal names.

    Of large weight files 64 evenly spaced blocks of 64 KiB are read, the header being in the
    first: training anew changes some of every layer, while names, sizes and headers stay as they
    were. `gguf` is a weight file elsewhere that is used instead of the folder's.
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
