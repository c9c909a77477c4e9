"""The records of a merge's plan: what happens to each tensor, and the whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw.trainer.merge.adapter_files import Adapter
from kofinlaw.trainer.merge.tensor_files import TensorInfo, tensor_bytes


@dataclass(frozen=True, slots=True)
class LoraTerm:
    """One module's low-rank term, by the adapter's tensors: scaling · B·A.

    With `magnitude` (DoRA) the rows of base + term are scaled to that length. `transposed` marks
    weights stored (in, out); `embedding` marks factors named lora_embedding_A/B.
    """

    module: str
    a: TensorInfo
    b: TensorInfo
    scaling: float
    magnitude: TensorInfo | None = None
    transposed: bool = False
    embedding: bool = False


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """One tensor of the merged checkpoint: where it starts, what is added, how it is stored.

    `source` is the base's tensor, or the adapter's where it was trained whole. `bias_term` is an
    adapter tensor to be added times `scaling` (lora_bias).
    """

    name: str
    shard: str
    shape: tuple[int, ...]
    dtype: str
    source: TensorInfo
    dequantised: bool = False
    term: LoraTerm | None = None
    bias_term: TensorInfo | None = None
    bias_scaling: float = 1.0


@dataclass(frozen=True)
class MergePlan:
    """The whole merge. `quantization` is what the base's values are reproduced with, or None."""

    adapter: Adapter
    base_folder: Path
    base_sha256: str
    base_config: dict[str, Any]
    base: str
    dtype: str
    quantization: dict[str, Any] | None
    tensors: tuple[PlannedTensor, ...]
    tied: bool
    vocab_size: int | None
    notes: tuple[str, ...]

    @property
    def shards(self) -> tuple[str, ...]:
        """File names in order."""
        return tuple(dict.fromkeys(tensor.shard for tensor in self.tensors))

    @property
    def total_bytes(self) -> int:
        """Bytes of the merged weights."""
        return sum(tensor_bytes(tensor.shape, tensor.dtype) for tensor in self.tensors)

    @property
    def parameters(self) -> int:
        """Numbers in the merged weights."""
        return sum(tensor_bytes(tensor.shape, "U8") for tensor in self.tensors)

    def counts(self) -> dict[str, int]:
        """How many tensors are changed by the adapter, only dequantised, copied or replaced."""
        changed = sum(t.term is not None or t.bias_term is not None for t in self.tensors)
        whole = sum(
            t.source.file.parent == self.adapter.folder and t.term is None for t in self.tensors
        )
        dequantised = sum(t.dequantised and t.term is None for t in self.tensors)
        return {
            "tensors": len(self.tensors),
            "tensors_with_adapter": changed,
            "tensors_dequantised_only": dequantised,
            "tensors_trained_whole": whole,
            "tensors_copied": len(self.tensors) - changed - whole - dequantised,
            "parameters": self.parameters,
            "weight_bytes": self.total_bytes,
            "shards": len(self.shards),
        }
