"""A checkpoint's files under other tensor names: each header rewritten, the data as it stands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import write_json
from kofinlaw.trainer.base_identity import INDEX_NAME
from kofinlaw.trainer.convert import names
from kofinlaw.trainer.merge.adapter_files import read_object
from kofinlaw.units import GIB, MIB

RECORD = "kofinlaw-convert.json"
SKIPPED = (".py", ".safetensors", ".bin", ".pt", ".pth")
COPY_BYTES = 16 * MIB


def check_target(source: Path, out: Path) -> None:
    """Raises UserError for a target inside the source (or around it), or not empty."""
    first, second = source.resolve(), out.resolve()
    if first == second or first in second.parents or second in first.parents:
        raise UserError("the target lies inside the source, or the other way", where=str(out))
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))


def check_space(files: list[Path], folder: Path) -> None:
    """Raises UserError where the disk of `folder` has no room for a copy of `files`."""
    needed = sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"the copy needs {needed / GIB:.1f} GiB, {free / GIB:.1f} GiB are free",
            where=str(folder.parent),
        )


def rename_shard(source: Path, target: Path, rename: dict[str, str]) -> None:
    """Copy a safetensors file with its tensors renamed; order, metadata and data stay."""
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
    """Where buffers are dropped the data moves, so the shard is written anew."""
    from kofinlaw.trainer.merge.tensor_files import ShardWriter, list_tensors, read_tensor

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
    """The index of the shards, where there is one, with the tensors renamed."""
    path = source / INDEX_NAME
    if not path.exists():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    index["weight_map"] = {
        rename[name]: file for name, file in index["weight_map"].items() if name in rename
    }
    write_json(target / INDEX_NAME, index)


def copy_rest(source: Path, target: Path) -> None:
    """Tokenizer, generation config, template, licence: byte for byte; code stays behind."""
    tokenizer = source / "tokenizer_config.json"
    if tokenizer.exists() and "auto_map" in read_object(tokenizer):
        raise UserError("the tokenizer brings its own code", where=str(tokenizer))
    for path in sorted(source.iterdir()):
        named = path.name in ("config.json", INDEX_NAME, RECORD)
        if path.is_file() and not named and path.suffix not in SKIPPED:
            shutil.copyfile(path, target / path.name)
