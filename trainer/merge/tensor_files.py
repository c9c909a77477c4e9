"""Read and write safetensors files one tensor at a time.

`safetensors.torch.save_file` needs a whole shard in memory. `ShardWriter` knows the header from
the plan, so it writes tensor by tensor and holds one tensor at most.
Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import disk_error
from kofinlaw.models.weight_headers import weight_files

__all__ = [
    "FLOATS",
    "ITEM_BYTES",
    "TORCH_NAMES",
    "ShardWriter",
    "TensorInfo",
    "checkpoint_tensors",
    "list_tensors",
    "read_tensor",
    "tensor_bytes",
]

ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1}
ITEM_BYTES |= {"U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "U32": 4, "U64": 8}
FLOATS = ("F64", "F32", "F16", "BF16")
TORCH_NAMES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as its file's header states it; `dtype` is safetensors' name (`BF16`)."""

    name: str
    file: Path
    shape: tuple[int, ...]
    dtype: str

    @property
    def bytes(self) -> int:
        """Size on disk in bytes."""
        return tensor_bytes(self.shape, self.dtype)


def tensor_bytes(shape: Iterable[int], dtype: str) -> int:
    """Return the size in bytes of a tensor of this shape and safetensors dtype."""
    count = 1
    for size in shape:
        count *= size
    return count * ITEM_BYTES[dtype]


def list_tensors(files: Iterable[Path]) -> dict[str, TensorInfo]:
    """Return the headers of safetensors files by tensor name; reads no tensor data.

    Raises UserError for a truncated or corrupt file, and for a name that two files hold.
    """
    found: dict[str, TensorInfo] = {}
    for path in files:
        try:
            with safe_open(path, framework="numpy") as handle:
                for name in handle.keys():  # noqa: SIM118 (not a dict)
                    part = handle.get_slice(name)
                    info = TensorInfo(name, path, tuple(part.get_shape()), str(part.get_dtype()))
                    if name in found:
                        raise UserError(f"{path.name} holds {name} a second time", where=str(path))
                    found[name] = info
        except (SafetensorError, OSError) as error:
            raise_if_machine(error, path)
            raise UserError(
                f"this file cannot be read as safetensors: {error}",
                where=str(path),
                remedy="the file is truncated or corrupt: download or write it again",
            ) from error
    return found


def checkpoint_tensors(folder: Path) -> dict[str, TensorInfo]:
    """Return the headers of every tensor of a checkpoint, by name.

    Raises UserError as `list_tensors` does, and where the index and the files disagree.
    """
    found = list_tensors(weight_files(folder))
    index = folder / "model.safetensors.index.json"
    if index.exists():
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        wrong = sorted(
            name
            for name in {*named, *found}
            if name not in found or named.get(name) != found[name].file.name
        )
        if wrong:
            raise UserError(
                f"index and shards disagree about {len(wrong)} tensors, first {wrong[0]}",
                where=str(index),
                remedy="download the checkpoint again",
            )
    return found


def read_tensor(info: TensorInfo) -> torch.Tensor:
    """Read one tensor on the CPU. Opening the file for each read lets its memory pages go.

    Raises UserError where the file cannot be read.
    """
    try:
        with safe_open(info.file, framework="pt") as handle:
            return handle.get_tensor(info.name)
    except (SafetensorError, OSError) as error:
        raise_if_machine(error, info.file)
        raise UserError(f"{info.name} cannot be read: {error}", where=str(info.file)) from error


class ShardWriter:
    """Write one safetensors file whose tensors are known in advance.

    `tensors` are (name, shape, safetensors dtype). `write` takes them in `order`; `close` returns
    the file's SHA-256. Raises UserError on a full disk, and ValueError where a tensor is not the
    announced one.
    """

    def __init__(self, path: Path, tensors: Iterable[tuple[str, tuple[int, ...], str]]) -> None:
        # Tensors with wide items come first, so every tensor is aligned to its item size.
        planned = sorted(tensors, key=lambda item: (-ITEM_BYTES[item[2]], item[0]))
        header: dict[str, object] = {"__metadata__": {"format": "pt"}}
        offset = 0
        for name, shape, dtype in planned:
            end = offset + tensor_bytes(shape, dtype)
            header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
            offset = end
        text = json.dumps(header, separators=(",", ":")).encode("utf-8")
        text += b" " * (-len(text) % 8)
        self.path = path
        self.order = [name for name, _, _ in planned]
        self._expected = {name: (shape, dtype) for name, shape, dtype in planned}
        self._next = 0
        self._hash = hashlib.sha256()
        try:
            self._handle = open(path, "wb")
        except OSError as error:
            raise disk_error(error, path) from error
        self._put(len(text).to_bytes(8, "little") + text)

    def _put(self, data: bytes | memoryview) -> None:
        self._hash.update(data)
        try:
            self._handle.write(data)
        except OSError as error:
            raise disk_error(error, self.path) from error

    def write(self, name: str, tensor: torch.Tensor) -> None:
        """Append the next tensor's bytes. Raises as the class says."""
        names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
        shape, dtype = self._expected[name]
        if name != self.order[self._next] or tuple(tensor.shape) != shape:
            raise ValueError(f"{name} {tuple(tensor.shape)} is not the planned tensor")
        if names.get(tensor.dtype, dtype) != dtype:
            raise ValueError(f"{name} is {tensor.dtype}, the plan says {dtype}")
        self._next += 1
        if tensor.numel():
            self._put(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)

    def close(self) -> str:
        """Flush to the disk and return the SHA-256 of the whole file."""
        if self._next != len(self.order):
            raise ValueError(f"{self.path.name}: {self.order[self._next]} was never written")
        try:
            self._handle.flush()
            os.fsync(self._handle.fileno())
        except OSError as error:
            raise disk_error(error, self.path) from error
        finally:
            self._handle.close()
        return self._hash.hexdigest()

    def abandon(self) -> None:
        """Close the file without checks, after a failure."""
        self._handle.close()
