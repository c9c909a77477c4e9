"""List the weight files of a model folder and read their headers, without torch and without data.

The format of a header: 8 bytes with its length, then one JSON object of name, type, shape and
offsets (https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine

__all__ = ["INDEX_NAME", "SINGLE_NAME", "tensor_shapes", "weight_files"]

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"
_MOST_HEADER_BYTES = 100_000_000  # the limit of the safetensors library
_POINTER = b"version https://git-lfs"


def weight_files(folder: Path) -> list[Path]:
    """List the safetensors files of a checkpoint in name order.

    These are the files that the index names, or `model.safetensors` if there is no index. Raises
    UserError for an unreadable index, a missing shard, missing weights and pickled weights, which
    can run code when they are read and are therefore never opened.
    """
    index = folder / INDEX_NAME
    if index.exists():
        files = [folder / name for name in _named_files(index)]
        absent = [path.name for path in files if not path.exists()]
        if absent:
            raise UserError(
                f"the index names a file that is not there: {', '.join(absent[:3])}"
                + (f" and {len(absent) - 3} more" if len(absent) > 3 else ""),
                where=str(index),
                remedy=f"get the missing shards ({len(absent)} of {len(files)}) of the model again",
            )
        return files
    single = folder / SINGLE_NAME
    if single.exists():
        return [single]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth")):
        raise UserError(
            "the weights are pickled files, which can run code when they are read",
            where=str(folder),
            remedy="get the *.safetensors files of the model",
        )
    raise UserError(
        f"no weights here: neither {SINGLE_NAME} nor {INDEX_NAME}",
        where=str(folder),
        remedy="name a model folder with its *.safetensors files",
    )


def _named_files(index: Path) -> list[str]:
    try:
        names = load_json(index.read_text(encoding="utf-8"))["weight_map"].values()
        found = sorted({str(name) for name in names})
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise_if_machine(error, index)
        raise UserError(
            f"the index cannot be read: {error}",
            where=str(index),
            remedy="get this file of the model again",
        ) from error
    for name in found:
        if Path(name).name != name:
            raise UserError(f"the index names a shard outside the folder: {name}", where=str(index))
    return found


def tensor_shapes(files: Iterable[Path]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of safetensors files, by name.

    Raises UserError for an empty or cut file, a pointer of Git LFS, and another format.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        shapes.update(_shapes_of(path))
    return shapes


def _shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    remedy = "get this file of the model again"
    try:
        size = path.stat().st_size
        with open(path, "rb") as handle:
            start = handle.read(len(_POINTER))
            if start == _POINTER:
                raise UserError(
                    "this is a pointer of Git LFS, not the weights",
                    where=str(path),
                    remedy="run `git lfs pull` in the model's repository, or download the file",
                )
            if not start:
                raise UserError("the weight file is empty", where=str(path), remedy=remedy)
            length = int.from_bytes(start[:8], "little")
            if not 2 <= length <= min(_MOST_HEADER_BYTES, size - 8):
                raise UserError("this is not a safetensors file", where=str(path), remedy=remedy)
            handle.seek(8)
            header = load_json(handle.read(length))
        tensors = {name: value for name, value in header.items() if name != "__metadata__"}
        end = max((int(value["data_offsets"][1]) for value in tensors.values()), default=0)
        shapes = {
            name: tuple(int(side) for side in value["shape"]) for name, value in tensors.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise_if_machine(error, path)
        raise UserError(
            f"the header of the weights cannot be read: {error}", where=str(path), remedy=remedy
        ) from error
    except RecursionError as error:
        raise UserError("this is not a safetensors file", where=str(path)) from error
    if 8 + length + end != size:
        raise UserError(
            f"the weight file has {size:,} bytes, and its header names {8 + length + end:,}",
            where=str(path),
            remedy=f"the file was cut or changed: {remedy}",
        )
    return shapes
