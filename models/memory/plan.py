"""What training and serving a model take in memory, term by term. Arithmetic only: no torch.

On a card every term counts in full: torch's allocator keeps the blocks of one part of a step while
another runs. On a processor memory goes back between the parts, so only what is held at the same
time adds up; what its heap holds beyond is a term of its own. See docs/decisions/021.
Sizes are GiB, lengths tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard
from kofinlaw.models.memory.counts import (
    Quantization,
    adapter_parameters,
    bytes_per_token,
    linear_shapes,
    saved_scores,
    saved_tensors,
    weight_terms,
)
from kofinlaw.models.memory.heap import expected_free_bytes
from kofinlaw.units import GIB

Optimizer = Literal["adamw", "adamw_8bit", "paged_adamw_8bit"]

# Bytes of optimizer state a trained parameter takes: two moments in float32, or in 8 bit with a
# float32 scale for 256 of them.
OPTIMIZER_BYTES = {"adamw": 8.0, "adamw_8bit": 2 + 8 / 256, "paged_adamw_8bit": 2 + 8 / 256}
# CUDA context with cuBLAS's workspaces; Python with torch and its libraries.
GPU_CONTEXT_GIB = 1.0
CPU_CONTEXT_GIB = 0.6
# What the caching allocator holds beyond what is in use.
GPU_SLACK = 0.03
# Bytes of the host's memory a tokenizer takes for an entry of its vocabulary, merges included
# (Gemma 3's, 262,144 entries, in tokenizers: 275 MiB).
TOKENIZER_BYTES = 1100
# Bytes of one logit while a chunk's loss is formed (trainer/loss.py): the head's 16 bits and their
# float32 copy; and while probabilities are (models/engines/decoder.py): float32 twice.
LOSS_BYTES, LOGPROB_BYTES = 6, 8


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A plan. `terms` and `total` are GiB at the asked size; `micro_batch` is the most sequences of
    that length the limit holds, `longest` the longest single sequence (tokens); 0: not even one."""

    terms: dict[str, float]
    total: float
    micro_batch: int
    longest: int

    def fits(self, limit_gib: float) -> bool:
        """Whether the asked size stays within a limit."""
        return self.total <= limit_gib


def plan_training_memory(
    card: ModelCard,
    *,
    quantization: Quantization = "nf4",
    rank: int = 16,
    targets: tuple[str, ...] | None = None,
    optimizer: Optimizer = "adamw_8bit",
    length: int = 2048,
    batch: int = 1,
    gradient_checkpointing: bool | Literal["auto"] = True,
    limit_gib: float = 24.0,
    gpu: bool = True,
    loss: Literal["chunked", "full"] = "chunked",
    head_chunk_rows: int = 256,
) -> MemoryPlan:
    """Memory of LoRA training of `batch` sequences of `length` tokens in one micro-batch.

    `loss` full holds the logits of every position (16-bit values, a float32 copy and its
    gradient: 10 bytes a position and vocabulary entry), chunked those of `head_chunk_rows`.
    On a processor "loss" is what it takes beyond a layer's activations, which are not held then.
    Raises UserError for a model of unknown shape.
    """
    trained = adapter_parameters(card, rank, targets)
    checkpointing = gpu if gradient_checkpointing == "auto" else gradient_checkpointing

    def terms_at(length: int, batch: int) -> dict[str, float]:
        tokens = length * batch
        saved = saved_tensors(card, rank)
        # The backward pass holds gradients beside what was saved: three of the MLP's width, or two
        # of the attention matrix in float32, when what the MLP saved is gone already.
        passing = [(2 * card.intermediate, 3)]
        beside = bytes_per_token(passing)
        if not gpu:
            saved += saved_scores(card, length)
            mlp = 2 * card.intermediate * (4 if card.gated else 2)
            beside = max(beside, 8 * card.heads * length - mlp)
        inputs = (card.layers + 1) * card.hidden * 2 if checkpointing else card.hidden * 2
        kept = 0 if checkpointing else card.layers * bytes_per_token(saved)
        layer = beside + (bytes_per_token(saved) if checkpointing else 0)
        if loss == "full":
            logits = tokens * card.vocab * 10
        else:
            rows = min(tokens, head_chunk_rows)
            logits = rows * card.vocab * LOSS_BYTES + tokens * card.hidden * 4
        terms = weight_terms(card, quantization)
        # Twice: training keeps the adapter as it began, to see in the end that every part moved.
        terms["adapter"] = 2 * trained * 4 / GIB
        terms["gradients"] = trained * 4 / GIB
        terms["optimizer"] = trained * OPTIMIZER_BYTES[optimizer] / GIB
        terms["saved layer inputs"] = tokens * inputs / GIB
        name = "one layer's activations" if checkpointing else "all layers' activations"
        terms[name] = tokens * (kept + layer) / GIB
        free = 0 if gpu else expected_free_bytes(saved + passing, tokens)
        terms["loss"] = (logits if gpu else max(0, logits - tokens * layer - free)) / GIB
        return _with_rest(terms, free, gpu)

    return _plan(terms_at, length, batch, limit_gib, card.context)


def plan_serving_memory(
    card: ModelCard,
    *,
    bits: int = 16,
    context: int = 4096,
    batch: int = 1,
    limit_gib: float = 24.0,
    gpu: bool = True,
) -> MemoryPlan:
    """Memory of answering: weights in 4, 8 or 16 bit and `batch` sequences of `context` tokens.

    The cache takes 2 · layers · kv heads · head size · 2 bytes a token. On a processor "logits"
    are what they take beyond the prompts' activations. Raises UserError for other bits or a model
    of unknown shape.
    """
    names: dict[int, Quantization] = {4: "nf4", 8: "int8", 16: "none"}
    if bits not in names:
        raise UserError(f"bits are 4, 8 or 16, not {bits}")
    linear_shapes(card)

    def terms_at(context: int, batch: int) -> dict[str, float]:
        tokens = batch * context
        per_token = 4 * card.layers * card.kv_heads * card.head_dim
        passing = [(2 * card.hidden, 4), (2 * card.intermediate, 3)]
        if not gpu:
            passing = max(passing, _attending(card, context), key=bytes_per_token)
        prefill, logits = tokens * bytes_per_token(passing), batch * card.vocab * LOGPROB_BYTES
        free = 0 if gpu else expected_free_bytes(passing, tokens)
        terms = weight_terms(card, names[bits])
        terms["key-value cache"] = tokens * per_token / GIB
        terms["prefill activations"] = prefill / GIB
        terms["logits"] = (logits if gpu else max(0, logits - prefill - free)) / GIB
        if not gpu:
            terms["tokenizer"] = card.vocab * TOKENIZER_BYTES / GIB
        return _with_rest(terms, free, gpu)

    return _plan(terms_at, context, batch, limit_gib, card.context)


def _attending(card: ModelCard, context: int) -> list[tuple[int, int]]:
    """(bytes a token, how many) held while a prompt attends to itself and attention is not fused.

    The block's input and its norm, the query, keys and values repeated for every head, the 16-bit
    scores, their float32 copy and its softmax.
    """
    attention = card.heads * card.head_dim
    scores = card.heads * context
    return [(2 * card.hidden, 2), (2 * attention, 3), (2 * scores, 1), (4 * scores, 2)]


def _with_rest(terms: dict[str, float], free: float, gpu: bool) -> dict[str, float]:
    """The terms with what the allocator holds beyond them (`free` bytes of a heap) and the
    process itself."""
    if gpu:
        terms["allocator's slack"] = GPU_SLACK * sum(terms.values())
    else:
        terms["holes in the heap"] = free / GIB
    terms["context"] = GPU_CONTEXT_GIB if gpu else CPU_CONTEXT_GIB
    return terms


def _plan(
    terms_at: Callable[[int, int], dict[str, float]],
    length: int,
    batch: int,
    limit_gib: float,
    window: int,
) -> MemoryPlan:
    def fits(length: int, batch: int) -> bool:
        return sum(terms_at(length, batch).values()) <= limit_gib

    terms = terms_at(length, batch)
    micro_batch = _largest(lambda size: fits(length, size), 4096)
    longest = _largest(lambda size: fits(size, 1), window or 2**20)
    return MemoryPlan(terms, sum(terms.values()), micro_batch, longest)


def _largest(fits: Callable[[int], bool], ceiling: int) -> int:
    """The largest size in 0..ceiling that fits, where every smaller one does too."""
    low, high = 0, ceiling
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
