"""Identify a base model by the bytes of its weights and its config."""

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
    """List the safetensors files of a checkpoint in name order.

    These are the files that the index names, or `model.safetensors` if there is no index. Raises
    UserError for an unreadable index, a missing shard, missing weights and pickled weights, which
    can run code when they are read and are therefore never opened.
    """
    index = folder / INDEX_NAME
    if index.exists():
        try:
            weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            names = sorted(set(weight_map.values()))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise UserError(f"the index cannot be read: {error}", where=str(index)) from error
        files = [folder / name for name in names]
        for name, path in zip(names, files, strict=True):
            if Path(name).name != name:
                raise UserError(
                    f"the index names a shard outside the folder: {name}", where=str(index)
                )
            if not path.exists():
                raise UserError(
                    f"the index names a file that is not there: {name}",
                    where=str(index),
                    remedy="download the checkpoint again; one of its shards is missing",
                )
        return files
    single = folder / SINGLE_NAME
    if single.exists():
        return [single]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth")):
        raise UserError(
            "the weights are pickles, which can run code when they are read",
            where=str(folder),
            remedy="use a copy of the model in safetensors format",
        )
    raise UserError(
        "the folder has no model.safetensors and no index",
        where=str(folder),
        remedy="name a model folder",
    )


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
