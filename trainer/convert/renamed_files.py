"""Write a checkpoint's files under other tensor names: new headers, unchanged data."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import write_json
from kofinlaw.models.weight_headers import INDEX_NAME
from kofinlaw.trainer.convert import name_tables as names
from kofinlaw.trainer.merge.json_objects import read_object_if_present
from kofinlaw.trainer.merge.tensor_files import ShardWriter, list_tensors, read_tensor
from kofinlaw.units import GIB, MIB

__all__ = [
    "CONVERTED",
    "COPY_BYTES",
    "SKIPPED",
    "Converted",
    "check_space",
    "check_target",
    "copy_rest",
    "rename_shard",
    "write_index",
]

CONVERTED = "kofinlaw-convert.json"  # in a converted Llama: the EXAONE config it came from
SKIPPED = (".py", ".safetensors", ".bin", ".pt", ".pth")
COPY_BYTES = 16 * MIB


@dataclass(frozen=True, slots=True)
class Converted:
    """How many tensors were renamed, in how many files."""

    tensors: int
    shards: int


def check_target(source: Path, out: Path) -> None:
    """Raise UserError for a target that is not empty, lies inside the source or contains it."""
    first, second = source.resolve(), out.resolve()
    if first == second or first in second.parents or second in first.parents:
        raise UserError(
            "the target lies inside the source, or the source inside it", where=str(out)
        )
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))


def check_space(files: list[Path], folder: Path) -> None:
    """Raise UserError where the disk of `folder` has no room for a copy of `files`."""
    needed = sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"the copy needs {needed / GIB:.1f} GiB, {free / GIB:.1f} GiB are free",
            where=str(folder.parent),
        )


def rename_shard(source: Path, target: Path, rename: dict[str, str]) -> None:
    """Copy a safetensors file with renamed tensors; order, metadata and data stay unchanged."""
    with open(source, "rb") as reader, open(target, "wb") as writer:
        length = int.from_bytes(reader.read(8), "little")
        header = json.loads(reader.read(length))
        renamed = {
            rename.get(name, name): value
            for name, value in header.items()
            if not name.endswith(names.COMPUTED)
        }
        if len(renamed) != len(header):
            _without_computed(source, target, rename)
            return
        text = json.dumps(renamed, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        text += b" " * (-len(text) % 8)
        writer.write(len(text).to_bytes(8, "little") + text)
        shutil.copyfileobj(reader, writer, COPY_BYTES)


def _without_computed(source: Path, target: Path, rename: dict[str, str]) -> None:
    """Copy a shard without its computed buffers; the data moves, so every tensor is rewritten."""
    kept = {
        rename.get(name, name): info
        for name, info in list_tensors([source]).items()
        if not name.endswith(names.COMPUTED)
    }
    writer = ShardWriter(target, [(name, info.shape, info.dtype) for name, info in kept.items()])
    for name in writer.order:
        writer.write(name, read_tensor(kept[name]))
    writer.close()


def write_index(source: Path, target: Path, rename: dict[str, str]) -> None:
    """Write the index of the shards, if the source has one, with renamed tensors."""
    path = source / INDEX_NAME
    if not path.exists():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    index["weight_map"] = {
        rename[name]: file for name, file in index["weight_map"].items() if name in rename
    }
    write_json(target / INDEX_NAME, index)


def copy_rest(source: Path, target: Path) -> None:
    """Copy tokenizer, generation config, template and licence byte for byte, but no code.

    Raises UserError for a tokenizer that needs its own code.
    """
    tokenizer = source / "tokenizer_config.json"
    if "auto_map" in read_object_if_present(tokenizer):
        raise UserError(
            "the tokenizer contains its own code, which is never run", where=str(tokenizer)
        )
    for path in sorted(source.iterdir()):
        written = path.name in ("config.json", INDEX_NAME, CONVERTED)
        if path.is_file() and not written and path.suffix not in SKIPPED:
            shutil.copyfile(path, target / path.name)
