"""Which base model an adapter was trained on, by the bytes of its weights and config."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import sha256_file

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint, in name order.

    With an index, the files it names; else `model.safetensors`. Raises UserError for a missing
    shard, and for pickled weights: they can run code when read and are never opened.
    """
    index = folder / INDEX_NAME
    if index.exists():
        try:
            weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            names = sorted(set(weight_map.values()))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise UserError(f"this index cannot be read: {error}", where=str(index)) from error
        files = [folder / name for name in names]
        for name, path in zip(names, files, strict=True):
            if Path(name).name != name:
                raise UserError(f"a shard's name leaves the folder: {name}", where=str(index))
            if not path.exists():
                raise UserError(
                    f"the index names a file that is not there: {name}",
                    where=str(index),
                    remedy="fetch the checkpoint again; one of its shards is missing",
                )
        return files
    single = folder / SINGLE_NAME
    if single.exists():
        return [single]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth")):
        raise UserError(
            "these weights are pickles, which can run code when read",
            where=str(folder),
            remedy="use a safetensors copy of the model",
        )
    raise UserError(
        "no model.safetensors and no index here", where=str(folder), remedy="name a model folder"
    )


def base_sha256(folder: Path) -> str:
    """SHA-256 that names a base: over the hashes of its safetensors files and its config.json.

    The files' names do not enter beyond their order. Costs one read of the weights; the result is
    kept for the life of the process as long as no file's size or time changes.
    """
    files = [*weight_files(folder), folder / "config.json"]
    if not files[-1].exists():
        raise UserError("no config.json here", where=str(folder), remedy="name a model folder")
    total = hashlib.sha256()
    for path in files:
        status = path.stat()
        total.update(_file_sha256(path.resolve(), status.st_size, status.st_mtime_ns).encode())
    return total.hexdigest()


@lru_cache(maxsize=256)
def _file_sha256(path: Path, size: int, modified: int) -> str:
    del size, modified  # only part of the key
    return sha256_file(path)
