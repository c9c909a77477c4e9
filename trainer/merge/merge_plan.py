"""Plan a merge tensor by tensor from file headers.

Before a byte is written, every adapter tensor must have a use and every stored weight a source.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.trainer.merge.adapter_files import WEIGHTS, Adapter, Quantization, read_adapter
from kofinlaw.trainer.merge.coverage import BaseNames, check_coverage, refuse_unmatched
from kofinlaw.trainer.merge.embedding_layers import BothLayers, both_layers, find_layers
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
)

__all__ = ["EMBEDDING_FACTORS", "LINEAR_FACTORS", "plan_merge"]

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

    Raises UserError where the base is not the adapter's, where the adapter lacks a tensor that
    its config selects, where an adapter tensor matches no weight, has the wrong shape or is left
    over, and where the base is itself 4-bit.
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
        self.layers = find_layers(config, weights, base_folder)
        self.names = dict(weights)  # with the head, even where it is not stored
        if self.layers.head not in weights and self.layers.embedding is not None:
            self.names[self.layers.head] = weights[self.layers.embedding]

    def plan(self, digest: str, base: str, dtype: str) -> MergePlan:
        adapter, layers = self.adapter, self.layers
        biases = self._bias_terms()
        with_lora = frozenset(f"{module}.weight" for module in adapter.parts)
        with_rows = {f"{module}.weight" for module in adapter.token_rows}
        unmatched = {*with_lora, *with_rows, *biases, *adapter.replacements} - set(self.names)
        nearest = self._nearest(min(unmatched)) if unmatched else ""
        refuse_unmatched(adapter, unmatched, self.names, nearest)
        model_type = str(self.config.get("model_type", ""))
        modules = check_coverage(
            adapter,
            BaseNames(self.names, model_type, layers.embedding, layers.head, layers.tied),
        )
        both = both_layers(adapter, self.weights, layers, with_lora)
        sources = {name: self._source(name, both) for name in self.names}
        if both.tied:
            sources.pop(layers.head, None)
        terms = {f"{module}.weight": self._term(module, sources) for module in adapter.parts}
        out = [
            self._planned(name, source, terms.get(name), biases.get(name), both, dtype)
            for name, source in sources.items()
        ]
        return MergePlan(
            adapter=adapter,
            base_folder=self.base_folder,
            base_sha256=digest,
            base_config=self.config,
            base=base if self.quantization or base == "original" else "original",
            dtype=dtype,
            quantization=self.quantization,
            tensors=tuple(sorted(out, key=lambda t: (t.shard, t.name))),
            modules=modules,
            tied=both.tied,
            vocab_size=both.vocab_size,
            notes=tuple(self._notes(both)),
        )

    def _notes(self, both: BothLayers) -> list[str]:
        notes = []
        if both.tied and self.layers.head in self.weights:
            notes.append(f"{self.layers.head} is tied to the embedding and not stored twice")
        if self.layers.tied and not both.tied:
            notes.append(
                "the adapter changes embedding or head alone: they are stored apart "
                "(tie_word_embeddings false)"
            )
        if both.vocab_size is not None:
            notes.append(f"the adapter resized the vocabulary to {both.vocab_size} tokens")
        return notes

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, list(self.names), n=1, cutoff=0.5)
        return f" (nearest: {near[0]})" if near else ""

    def _source(self, name: str, both: BothLayers) -> TensorInfo:
        """Return the tensor that a weight is made from: the adapter's own, or else the base's.

        Raises UserError for another shape than the base's. Embedding and head may have other rows.
        """
        if name in both.sources:
            source = both.sources[name]
            same = source.shape[1:] == self.names[name].shape[1:]
        else:
            source = self.adapter.replacements.get(name, self.names[name])
            same = source.shape == self.names[name].shape
        if not same:
            raise UserError(
                f"{name} was trained as {source.shape}, the base has {self.names[name].shape}",
                where=str(self.adapter.folder / WEIGHTS),
                remedy="merge it with the base that it was trained on",
            )
        return source

    def _term(self, module: str, sources: Mapping[str, TensorInfo]) -> LoraTerm:
        parts = dict(self.adapter.parts[module])
        embedding = "lora_embedding_A" in parts
        factors = EMBEDDING_FACTORS if embedding else LINEAR_FACTORS
        where = f"{self.adapter.folder / WEIGHTS}: {module}"
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
        self._check_shapes(term, sources[f"{module}.weight"].shape, where)
        return term

    def _check_shapes(self, term: LoraTerm, weight: tuple[int, ...], where: str) -> None:
        rank = self.adapter.rank(term.module)
        rows, columns = (*weight, 0)[:2]
        if term.transposed or term.embedding:
            rows, columns = columns, rows
        # An embedding's weight is (tokens, width), its factors A (rank, tokens), B (width, rank).
        expected = ((rank, columns), (rows, rank))
        if (term.a.shape, term.b.shape) != expected or len(weight) != 2:
            raise UserError(
                f"A {term.a.shape} and B {term.b.shape} do not fit rank {rank} and the weight "
                f"{weight}",
                where=where,
                remedy=self._shape_remedy(term, rows, columns),
            )
        if term.magnitude is not None and term.magnitude.shape != (rows,):
            raise UserError(f"magnitude {term.magnitude.shape} is not ({rows},)", where=where)

    def _shape_remedy(self, term: LoraTerm, rows: int, columns: int) -> str:
        if f"{term.module}.weight" in self.layers.names and (
            term.a.shape[1:] != (columns,) or term.b.shape[:1] != (rows,)
        ):
            return (
                "training resized the vocabulary: save the resized layers with the adapter "
                "(save_embedding_layers=True)"
            )
        if term.a.shape[1:] == (columns,) and term.b.shape[:1] == (rows,):
            return "r and rank_pattern in the config are not those of the training"
        return "adapter and base are of different sizes, or a factor is transposed"

    def _bias_terms(self) -> dict[str, tuple[TensorInfo, float]]:
        return {
            f"{module}.bias": (parts["lora_B.bias"], self.adapter.scaling(module))
            for module, parts in self.adapter.parts.items()
            if "lora_B.bias" in parts
        }

    def _planned(
        self,
        name: str,
        source: TensorInfo,
        term: LoraTerm | None,
        bias: tuple[TensorInfo, float] | None,
        both: BothLayers,
        dtype: str,
    ) -> PlannedTensor:
        return PlannedTensor(
            name=name,
            shard=self.names[name].file.name,
            shape=source.shape,
            dtype=TORCH_NAMES[dtype] if source.dtype in FLOATS else source.dtype,
            source=source,
            dequantised=source is self.names[name] and name in self.quantised,
            term=term,
            bias_term=bias[0] if bias else None,
            bias_scaling=bias[1] if bias else 1.0,
            rows=both.rows.get(name),
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
