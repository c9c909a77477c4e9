"""Define the records of a merge plan: what happens to each tensor and to the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kofinlaw.trainer.merge.adapter_files import Adapter, Quantization
from kofinlaw.trainer.merge.json_objects import JsonObject
from kofinlaw.trainer.merge.merge_result import MergeCounts
from kofinlaw.trainer.merge.tensor_files import TensorInfo, tensor_bytes

__all__ = ["LoraTerm", "MergePlan", "PlannedTensor", "TokenRows"]


@dataclass(frozen=True, slots=True)
class LoraTerm:
    """The low-rank term of one module, by the adapter's tensors: scaling · B·A.

    Attributes:
        module: the module's path in the base, without `.weight`.
        a: factor A, of shape (rank, columns).
        b: factor B, of shape (rows, rank).
        scaling: what B·A is multiplied by.
        magnitude: for DoRA, the length that each row of base + term is scaled to.
        transposed: whether the weight is stored as (in, out).
        embedding: whether the factors are named lora_embedding_A and lora_embedding_B.
    """

    module: str
    a: TensorInfo
    b: TensorInfo
    scaling: float
    magnitude: TensorInfo | None = None
    transposed: bool = False
    embedding: bool = False


@dataclass(frozen=True, slots=True)
class TokenRows:
    """Rows that training replaced: `values` of shape (ids, width), and the ids of their tokens."""

    values: TensorInfo
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """One tensor of the merged checkpoint: its source, what is added, and how it is stored.

    `source` is the base's tensor, or the adapter's where the adapter replaces the whole weight.
    `bias_term` is an adapter tensor that is added times `bias_scaling` (lora_bias). `rows` are
    set after the sum (trainable_token_indices).
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
    rows: TokenRows | None = None

    @property
    def changed(self) -> bool:
        """Whether the adapter adds to the tensor or sets some of its rows."""
        return any(part is not None for part in (self.term, self.bias_term, self.rows))


@dataclass(frozen=True)
class MergePlan:
    """The whole merge.

    `quantization` says how to reproduce the base's 4-bit values; None keeps the stored values.
    `dtype` is torch's name of the stored format. `modules` counts the modules with LoRA factors;
    the config selects no other. `vocab_size` is set where the adapter resized the vocabulary.
    """

    adapter: Adapter
    base_folder: Path
    base_sha256: str
    base_config: JsonObject
    base: str
    dtype: str
    quantization: Quantization | None
    tensors: tuple[PlannedTensor, ...]
    modules: int
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
        """Number of parameters in the merged weights."""
        return sum(tensor_bytes(tensor.shape, "U8") for tensor in self.tensors)

    def counts(self) -> MergeCounts:
        """Return how many tensors the adapter changes or replaces,
        and how many are only dequantised or copied."""
        changed = sum(t.changed for t in self.tensors)
        whole = sum(
            t.source.file.parent == self.adapter.folder and not t.changed for t in self.tensors
        )
        dequantised = sum(t.dequantised and not t.changed for t in self.tensors)
        return MergeCounts(
            tensors=len(self.tensors),
            tensors_with_adapter=changed,
            tensors_dequantised_only=dequantised,
            tensors_trained_whole=whole,
            tensors_copied=len(self.tensors) - changed - whole - dequantised,
            parameters=self.parameters,
            weight_bytes=self.total_bytes,
            shards=len(self.shards),
        )
