"""Plan the memory of training an encoder for search: an embedder, its static form, a reranker.

The counts follow the operations of a BERT-shaped layer under autocast with float32 weights. Sizes
are GiB, lengths tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from kofinlaw.models.catalogue import ModelCard
from kofinlaw.models.memory.memory_plan import CPU_CONTEXT_GIB, GPU_CONTEXT_GIB, GPU_SLACK
from kofinlaw.units import GIB

__all__ = [
    "SEARCH_BYTES",
    "Method",
    "body_parameters",
    "encoder_training_terms",
    "saved_bytes",
    "search_terms",
    "static_training_terms",
]

Method = Literal["full", "lora", "static"]
OPTIMIZER_BYTES = 8  # AdamW: two moments in float32
# Measured on multilingual-e5-small: a unigram tokenizer per vocabulary entry, the heap's holes as a
# share of the activations on a processor, and the tokenizer that is cut for a static embedder.
TOKENIZER_BYTES = 520
HEAP_HOLES = 0.1
CUT_BYTES = 2080
# Per character of the corpus: BM25 over bigrams and the check of negatives; texts in memory.
SEARCH_BYTES, TEXT_BYTES = 48, 8
_WHOLE_TOKENS = 512 * 3  # tokens in one pass while a static embedder is distilled


def body_parameters(card: ModelCard, layers: int | None = None) -> int:
    """Return the weights of an encoder's layers, of the upper `layers` if it is given."""
    wide = card.intermediate or 4 * card.hidden
    layer = 4 * card.hidden**2 + 2 * card.hidden * wide + 9 * card.hidden + wide
    return (card.layers if layers is None else min(layers, card.layers)) * layer


def saved_bytes(card: ModelCard, length: int, *, half: bool, gpu: bool) -> int:
    """Return the bytes that one layer saves for its backward pass per token of a text.

    With products in 16 bit a layer saves five tensors of `hidden` in float32 and seven in 16 bit,
    and the input and output of the activation; in float32 it saves ten and two. A processor's
    attention with dropout also saves three tables of float32 scores, `length` for each head.
    """
    wide = card.intermediate or 4 * card.hidden
    width = (4 * 5 + 2 * 7) * card.hidden + 4 * wide if half else 40 * card.hidden + 8 * wide
    return width + (0 if gpu else 12 * card.heads * length)


def encoder_training_terms(
    card: ModelCard,
    columns: Sequence[tuple[int, int]],
    *,
    trained: int,
    layers: int | None = None,
    half: bool = True,
    gpu: bool = True,
) -> dict[str, float]:
    """Return GiB by term of a step.

    Args:
        card: The encoder; its shape must be known.
        columns: (texts, tokens of the longest one) whose activations are kept at the same time.
        trained: Number of trained weights.
        layers: Layers with activations, counted from the top; None: all.
        half: Whether products are in 16 bit; their copies of the weights count too.
        gpu: Whether it runs on a card.
    """
    kept = card.layers if layers is None else min(layers, card.layers)
    activations = kept * sum(
        texts * tokens * saved_bytes(card, tokens, half=half, gpu=gpu) for texts, tokens in columns
    )
    terms = {
        "weights": card.parameters * 4 / GIB,
        "gradients": trained * 4 / GIB,
        "optimizer": trained * OPTIMIZER_BYTES / GIB,
        "activations": activations / GIB,
    }
    if half:
        terms["16-bit copies"] = 2 * body_parameters(card) / GIB
    return _with_rest(terms, card, activations, gpu)


def static_training_terms(
    card: ModelCard, rows: int, columns: Sequence[tuple[int, int]]
) -> dict[str, float]:
    """Return GiB by term of training a table of `rows` token vectors on a processor.

    The base is in memory while its tokens are encoded, and its space is not returned.
    """
    tokens = sum(texts * length for texts, length in columns)
    return {
        "base": card.parameters * 4 / GIB,
        "tokenizers": card.vocab * (TOKENIZER_BYTES + CUT_BYTES) / GIB,
        "table with gradients and optimizer": rows * card.hidden * (8 + OPTIMIZER_BYTES) / GIB,
        "texts of a step": tokens * 16 / GIB,
        "context": CPU_CONTEXT_GIB,
    }


def search_terms(characters: int) -> dict[str, float]:
    """Return GiB of a corpus in memory, and of the search for hard negatives in it."""
    return {
        "documents": characters * TEXT_BYTES / GIB,
        "search for negatives": characters * SEARCH_BYTES / GIB,
    }


def _with_rest(
    terms: dict[str, float], card: ModelCard, activations: float, gpu: bool
) -> dict[str, float]:
    if gpu:
        terms["allocator's slack"] = GPU_SLACK * sum(terms.values())
    else:
        terms["holes in the heap"] = HEAP_HOLES * activations / GIB
        terms["tokenizer"] = card.vocab * TOKENIZER_BYTES / GIB
    terms["context"] = GPU_CONTEXT_GIB if gpu else CPU_CONTEXT_GIB
    return terms
