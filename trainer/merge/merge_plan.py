"""Plan a merge tensor by tensor from file headers.

Before a byte is written, every adapter tensor must have a use and every stored weight a source.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import torch

from kofinlaw import UserError
from kofinlaw.trainer.merge.adapter_files import WEIGHTS, Adapter, Quantization, read_adapter
from kofinlaw.trainer.merge.json_objects import JsonObject, read_object
from kofinlaw.trainer.merge.merge_base import (
    check_base,
    linear_weights,
    quantization_of,
    refuse_quantised_base,
)
from kofinlaw.trainer.merge.plan_records import LoraTerm, MergePlan, PlannedTensor
from kofinlaw.trainer.merge.tensor_files import (
    FLOATS,
    TORCH_NAMES,
    TensorInfo,
    checkpoint_tensors,
    read_tensor,
)

__all__ = ["EMBEDDINGS", "EMBEDDING_FACTORS", "HEAD", "LINEAR_FACTORS", "plan_merge"]

EMBEDDINGS = ("model.embed_tokens.weight", "transformer.wte.weight")
HEAD = "lm_head.weight"
LINEAR_FACTORS = ("lora_A.weight", "lora_B.weight")
EMBEDDING_FACTORS = ("lora_embedding_A", "lora_embedding_B")


def plan_merge(
    adapter: Path,
    base_folder: Path,
    *,
    base: str = "dequantized",
    dtype: str = "bfloat16",
    accept_unrecorded: bool = False,
) -> MergePlan:
    """Decide how `adapter` is added to `base_folder`; reads headers and hashes the base.

    Args:
        adapter: the adapter's folder.
        base_folder: the 16-bit base model's folder.
        base: `dequantized` (the 4-bit values that training used) or `original`.
        dtype: format of the stored weights, as torch names it.
        accept_unrecorded: accept an adapter that does not record its base.

    Raises UserError where the base is not the adapter's, where an adapter tensor matches no
    weight, has the wrong shape or is left over, and where the base is itself 4-bit.
    """
    if base not in ("dequantized", "original"):  # `best` belongs to proof/best_base.py
        raise ValueError(f"base must be dequantized or original, not {base!r}")
    read = read_adapter(adapter)
    config = read_object(base_folder / "config.json")
    weights = checkpoint_tensors(base_folder)
    refuse_quantised_base(config, weights, base_folder)
    digest = check_base(read, base_folder, accept_unrecorded)
    quantization = quantization_of(read) if base == "dequantized" else None
    return _Planner(read, base_folder, config, weights, quantization).plan(digest, base, dtype)


class _Planner:
    """Matches the tensors of one adapter with those of one base."""

    def __init__(
        self,
        adapter: Adapter,
        base_folder: Path,
        config: JsonObject,
        weights: Mapping[str, TensorInfo],
        quantization: Quantization | None,
    ) -> None:
        self.adapter = adapter
        self.base_folder = base_folder
        self.config = config
        self.weights = weights
        self.quantization = quantization
        self.notes: list[str] = []
        self.embedding = next((name for name in EMBEDDINGS if name in weights), None)
        head_absent = HEAD not in weights
        self.tied = bool(config.get("tie_word_embeddings", head_absent))
        if head_absent and not self.tied:
            raise UserError(
                f"{HEAD} is missing, but the config does not tie it to the embedding",
                where=str(base_folder),
            )

    def plan(self, digest: str, base: str, dtype: str) -> MergePlan:
        terms = {f"{module}.weight": self._term(module) for module in self.adapter.parts}
        biases = self._bias_terms()
        replaced = dict(self.adapter.replacements)
        sources = dict(self.weights)
        tied = self._untie(terms, replaced, sources)
        unmatched = sorted({*terms, *biases, *replaced} - set(sources))
        if unmatched:
            raise UserError(
                f"{len(unmatched)} tensors of the adapter match no weight of this base, first "
                f"{unmatched[0]}{self._nearest(unmatched[0])}",
                where=str(self.adapter.folder / WEIGHTS),
                remedy="this adapter belongs to another architecture",
            )
        vocab_size = self._vocabulary(replaced, sources, tied)
        out = [
            self._planned(sources[name], name, terms.get(name), biases.get(name), replaced, dtype)
            for name in sources
        ]
        if tied and HEAD in sources and self.embedding is not None:
            out = [tensor for tensor in out if tensor.name != HEAD]
            self.notes.append("lm_head is tied to the embedding and not stored twice")
        return MergePlan(
            adapter=self.adapter,
            base_folder=self.base_folder,
            base_sha256=digest,
            base_config=self.config,
            base=base if self.quantization or base == "original" else "original",
            dtype=dtype,
            quantization=self.quantization,
            tensors=tuple(sorted(out, key=lambda t: (t.shard, t.name))),
            tied=tied,
            vocab_size=vocab_size,
            notes=tuple(self.notes),
        )

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, list(self.weights), n=1, cutoff=0.5)
        return f" (nearest: {near[0]})" if near else ""

    def _term(self, module: str) -> LoraTerm:
        parts = dict(self.adapter.parts[module])
        embedding = "lora_embedding_A" in parts
        factors = EMBEDDING_FACTORS if embedding else LINEAR_FACTORS
        where = f"{self.adapter.folder / WEIGHTS}: {module}"
        if any(factor not in parts for factor in factors):
            raise UserError("one of the two factors is missing", where=where)
        a, b = (parts.pop(factor) for factor in factors)
        magnitude = parts.pop("lora_magnitude_vector", None)
        parts.pop("lora_B.bias", None)
        if parts:
            raise UserError(f"unused tensors: {', '.join(sorted(parts))}", where=where)
        if bool(self.adapter.config.get("use_dora")) != (magnitude is not None):
            raise UserError(
                "use_dora in the config does not match the magnitude vectors", where=where
            )
        transposed = bool(self.adapter.config.get("fan_in_fan_out")) and not embedding
        term = LoraTerm(
            module, a, b, self.adapter.scaling(module), magnitude, transposed, embedding
        )
        self._check_shapes(term, where)
        return term

    def _check_shapes(self, term: LoraTerm, where: str) -> None:
        name = f"{term.module}.weight"
        weight = self.weights.get(name)
        if weight is None and name == HEAD and self.embedding is not None:
            weight = self.weights[self.embedding]
        if weight is None:
            return  # reported with all unmatched ones
        rank = self.adapter.rank(term.module)
        rows, columns = (*weight.shape, 0)[:2]
        if term.transposed or term.embedding:
            rows, columns = columns, rows
        # An embedding's weight is (tokens, width), its factors A (rank, tokens), B (width, rank).
        expected = ((rank, columns), (rows, rank))
        if (term.a.shape, term.b.shape) != expected or len(weight.shape) != 2:
            raise UserError(
                f"A {term.a.shape} and B {term.b.shape} do not fit rank {rank} and the weight "
                f"{weight.shape}",
                where=where,
                remedy="adapter and base are of different sizes, or a factor is transposed",
            )
        if term.magnitude is not None and term.magnitude.shape != (rows,):
            raise UserError(f"magnitude {term.magnitude.shape} is not ({rows},)", where=where)

    def _bias_terms(self) -> dict[str, tuple[TensorInfo, float]]:
        return {
            f"{module}.bias": (parts["lora_B.bias"], self.adapter.scaling(module))
            for module, parts in self.adapter.parts.items()
            if "lora_B.bias" in parts
        }

    def _untie(
        self,
        terms: dict[str, LoraTerm],
        replaced: dict[str, TensorInfo],
        sources: dict[str, TensorInfo],
    ) -> bool:
        """Return whether embedding and head stay one tensor.

        Where they do not, `sources` gets a source for the head.
        """
        if not self.tied or self.embedding is None:
            return self.tied
        touched = {*terms, *replaced} & {self.embedding, HEAD}
        if not touched:
            return True
        if not touched & set(terms):
            both_replaced = {self.embedding, HEAD} <= set(replaced)
            if both_replaced and _same_data(replaced[self.embedding], replaced[HEAD]):
                del replaced[HEAD]
                return True
            if self.embedding in replaced and self.adapter.config.get("ensure_weight_tying"):
                replaced.pop(HEAD, None)
                return True
        sources.setdefault(HEAD, self.weights[self.embedding])
        self.notes.append(
            "the adapter changes embedding or head alone: they are stored apart "
            "(tie_word_embeddings false)"
        )
        return False

    def _vocabulary(
        self, replaced: dict[str, TensorInfo], sources: dict[str, TensorInfo], tied: bool
    ) -> int | None:
        """Return the new number of tokens, where the trained embedding has another number
        of rows.
        """
        for name, info in replaced.items():
            shape = sources[name].shape
            rows_may_differ = name in (self.embedding, HEAD)
            if info.shape != shape and not (rows_may_differ and info.shape[1:] == shape[1:]):
                raise UserError(
                    f"{name} was trained as {info.shape}, the base has {shape}",
                    where=str(self.adapter.folder),
                )
        rows = {
            (replaced.get(name) or sources[name]).shape[0]
            for name in (self.embedding, *(() if tied else (HEAD,)))
            if name is not None and name in sources
        }
        if len(rows) > 1:
            raise UserError(
                f"embedding and head have different numbers of rows: {sorted(rows)}",
                where=str(self.adapter.folder),
                remedy="save both resized layers with the adapter (save_embedding_layers=True)",
            )
        resized = any(info.shape != sources[name].shape for name, info in replaced.items())
        return rows.pop() if resized else None

    def _planned(
        self,
        source: TensorInfo,
        name: str,
        term: LoraTerm | None,
        bias: tuple[TensorInfo, float] | None,
        replaced: dict[str, TensorInfo],
        dtype: str,
    ) -> PlannedTensor:
        shard = source.file.name
        final = replaced.get(name, source)
        return PlannedTensor(
            name=name,
            shard=shard,
            shape=final.shape,
            dtype=TORCH_NAMES[dtype] if final.dtype in FLOATS else final.dtype,
            source=final,
            dequantised=name not in replaced and name in self.quantised,
            term=term,
            bias_term=bias[0] if bias else None,
            bias_scaling=bias[1] if bias else 1.0,
        )

    @property
    def quantised(self) -> frozenset[str]:
        """Weights that training held in 4 bits: as recorded, else every linear one but the head."""
        if self.quantization is None:
            return frozenset()
        modules = self.quantization.get("modules")
        if modules is not None:
            return frozenset(f"{module}.weight" for module in modules)
        return linear_weights(self.weights.values())


def _same_data(first: TensorInfo, second: TensorInfo) -> bool:
    return first.shape == second.shape and torch.equal(read_tensor(first), read_tensor(second))
