"""Decide what embedding and head become: one tensor or two, and how many tokens they have.

A base may tie the head to the embedding. Training may change one of them, both, or single rows,
and resize both. peft saves each of these forms differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from kofinlaw import UserError
from kofinlaw.trainer.merge.adapter_files import WEIGHTS, Adapter
from kofinlaw.trainer.merge.json_objects import JsonObject
from kofinlaw.trainer.merge.plan_records import TokenRows
from kofinlaw.trainer.merge.tensor_files import TensorInfo, read_tensor

__all__ = ["HEADS", "BothLayers", "EmbeddingLayers", "both_layers", "find_layers"]

_EMBEDDING_ENDS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight")
HEADS = ("lm_head.weight", "embed_out.weight", "language_model.lm_head.weight")


@dataclass(frozen=True, slots=True)
class EmbeddingLayers:
    """Names of the embedding's and the head's weight in the base, and whether they are one.

    `embedding` is None where the base's names do not show it.
    """

    embedding: str | None
    head: str
    tied: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are known."""
        return (self.head,) if self.embedding is None else (self.embedding, self.head)


@dataclass(frozen=True, slots=True)
class BothLayers:
    """What embedding and head become.

    Attributes:
        sources: the tensor that each is made from, by name.
        rows: the rows that are trained for single tokens, by name.
        tied: whether one tensor is stored for both.
        vocab_size: the number of tokens, where it is not the base's; else None.
    """

    sources: dict[str, TensorInfo]
    rows: dict[str, TokenRows]
    tied: bool
    vocab_size: int | None


def find_layers(
    config: JsonObject, weights: Mapping[str, TensorInfo], folder: Path
) -> EmbeddingLayers:
    """Find embedding and head among the base's tensors.

    Raises UserError where the head is missing although the config does not tie it.
    """
    found = [n for n in weights if n.endswith(_EMBEDDING_ENDS) and len(weights[n].shape) == 2]
    embedding = found[0] if len(found) == 1 else None
    head = next((name for name in HEADS if name in weights), None)
    said = config.get("tie_word_embeddings")
    if said is None:  # the default differs by class: the tensors decide
        stored = head is not None and embedding is not None
        tied = head is None or (stored and _same_data(weights[head], weights[str(embedding)]))
    else:
        tied = bool(said)
    if head is None and not tied:
        raise UserError(
            f"{HEADS[0]} is missing, but the config does not tie it to the embedding",
            where=str(folder),
        )
    return EmbeddingLayers(embedding, head or HEADS[0], tied)


def both_layers(
    adapter: Adapter,
    weights: Mapping[str, TensorInfo],
    layers: EmbeddingLayers,
    with_lora: frozenset[str],
) -> BothLayers:
    """Decide what embedding and head of this base become with this adapter.

    Args:
        adapter: the adapter.
        weights: the base's tensors by name.
        layers: their names.
        with_lora: names of the weights that get a low-rank term.

    Raises UserError where both have different numbers of rows, or where trained rows lie beyond
    them.
    """
    sources = {
        name: _source(name, adapter, weights, layers)
        for name in layers.names
        if name in weights or layers.embedding is not None
    }
    rows = {}
    for name, source in sources.items():
        found = _rows(name, adapter, layers, source)
        if found is not None:
            rows[name] = found
    sizes = {info.shape[0] for info in sources.values()}
    if len(sizes) > 1:
        raise UserError(
            f"embedding and head have different numbers of rows: {sorted(sizes)}",
            where=str(adapter.folder / WEIGHTS),
            remedy="peft saves only one of the resized layers when one of them has LoRA: name both "
            "in target_modules or in modules_to_save and train again, or save the resized base "
            "before training and merge into it",
        )
    tied = layers.tied
    if tied and layers.embedding is not None:
        first, second = layers.names
        tied = not with_lora & set(layers.names)
        tied = tied and _same_data(sources[first], sources[second])
        tied = tied and _same_rows(rows.get(first), rows.get(second))
    base = weights.get(layers.embedding or layers.head)
    resized = base is not None and base.shape[0] not in sizes
    return BothLayers(sources, rows, tied, sizes.pop() if resized and sizes else None)


def _source(
    name: str, adapter: Adapter, weights: Mapping[str, TensorInfo], layers: EmbeddingLayers
) -> TensorInfo:
    """Return the tensor that a layer is made from, before LoRA and trained rows."""
    replaced = adapter.replacements
    if name in replaced:
        return replaced[name]
    other = next((n for n in layers.names if n != name), None)
    if layers.tied and other in replaced:
        if adapter.config.get("ensure_weight_tying") or not _saved_whole(adapter, other):
            return replaced[other]
        if other in adapter.originals:
            return adapter.originals[other]
    return weights[name] if name in weights else weights[str(other)]


def _saved_whole(adapter: Adapter, name: str) -> bool:
    """Return whether `modules_to_save` names the module of this weight; else it was only resized.

    The comparison of names is peft's.
    """
    listed = adapter.config.get("modules_to_save")
    saved = tuple(str(item) for item in listed) if isinstance(listed, list) else ()
    return bool(saved) and name.removesuffix(".weight").endswith(saved)


def _rows(
    name: str, adapter: Adapter, layers: EmbeddingLayers, source: TensorInfo
) -> TokenRows | None:
    """Return the trained rows of a layer; those of the embedding are also a tied head's."""
    module = name.removesuffix(".weight")
    if module not in adapter.token_rows and layers.tied and layers.embedding is not None:
        module = layers.embedding.removesuffix(".weight")
    info = adapter.token_rows.get(module)
    if info is None:
        return None
    ids = adapter.token_ids(module)
    where = f"{adapter.folder / WEIGHTS}: {info.name}"
    if info.shape != (len(ids), *source.shape[1:]):
        raise UserError(
            f"the rows {info.shape} are not those of {len(ids)} tokens of {source.shape[1:]}",
            where=where,
        )
    beyond = [i for i in ids if not 0 <= i < source.shape[0]]
    if beyond:
        raise UserError(
            f"rows are trained for token {beyond[0]}, but the embedding has {source.shape[0]} rows",
            where=where,
            remedy="save the resized embedding with the adapter (save_embedding_layers=True)",
        )
    return TokenRows(info, ids)


def _same_data(first: TensorInfo, second: TensorInfo) -> bool:
    if first == second:
        return True
    return first.shape == second.shape and torch.equal(read_tensor(first), read_tensor(second))


def _same_rows(first: TokenRows | None, second: TokenRows | None) -> bool:
    if first is None or second is None:
        return first is second
    return first.ids == second.ids and _same_data(first.values, second.values)
