"""Plan the memory of training and serving a model, term by term, by arithmetic without torch.

On a GPU every term counts fully: torch's allocator keeps the blocks of one part of a step while
another part runs. On a CPU memory is returned between the parts, so that only memory held at the
same time adds up; the free space in the heap is a separate term. See docs/decisions/021.
Sizes are GiB, lengths tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard
from kofinlaw.models.memory.counts import (
    Quantization,
    adapter_parameters,
    bytes_per_token,
    cache_bytes_per_token,
    linear_shapes,
    saved_by_peft,
    saved_scores,
    saved_tensors,
    weight_terms,
)
from kofinlaw.models.memory.heap import expected_free_bytes
from kofinlaw.units import GIB

__all__ = [
    "CPU_CONTEXT_GIB",
    "GPU_CONTEXT_GIB",
    "GPU_SLACK",
    "LOGPROB_BYTES",
    "LOSS_BYTES",
    "OPTIMIZER_BYTES",
    "TOKENIZER_BYTES",
    "MemoryPlan",
    "Optimizer",
    "held_by_tensors",
    "plan_serving_memory",
    "plan_training_memory",
]

Optimizer = Literal["adamw", "adamw_8bit", "paged_adamw_8bit"]

# Bytes of optimizer state per trained parameter: two moments in float32, or in 8 bit with a
# float32 scale per 256 values.
OPTIMIZER_BYTES = {"adamw": 8.0, "adamw_8bit": 2 + 8 / 256, "paged_adamw_8bit": 2 + 8 / 256}
# The CUDA context with cuBLAS's workspaces; Python with torch and its libraries.
GPU_CONTEXT_GIB = 1.0
CPU_CONTEXT_GIB = 0.6
# Share that the caching allocator holds in addition to the memory in use.
GPU_SLACK = 0.03
# Bytes of host memory per vocabulary entry of a tokenizer, merges included (Gemma 3 with 262,144
# entries in tokenizers: 275 MiB).
TOKENIZER_BYTES = 1100
# Bytes per logit while the loss of a chunk is computed (trainer/loss.py): 16 bits and a float32
# copy; and while probabilities are computed (models/engines/decoder.py): float32 twice.
LOSS_BYTES, LOGPROB_BYTES = 6, 8


_CONTEXT, _SLACK, _HOLES = "context", "allocator's slack", "holes in the heap"
_NOT_TENSORS = (_CONTEXT, _SLACK, _HOLES)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A memory plan.

    - `terms` (by name) and `total` are GiB at the requested size.
    - `micro_batch` is the largest number of sequences of this length that the limit holds.
    - `longest` is the longest single sequence in tokens; 0 if not even one token fits.
    """

    terms: dict[str, float]
    total: float
    micro_batch: int
    longest: int

    def fits(self, limit_gib: float) -> bool:
        """Return whether the requested size stays within a limit in GiB."""
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
    kept_layers: int = 0,
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16",
    attention: Literal["auto", "sdpa", "eager"] = "auto",
    last_layers: int | None = None,
    peft_pass: bool = False,
) -> MemoryPlan:
    """Plan the memory of LoRA training.

    Args:
        card: the model; its shape must be known.
        quantization: of the frozen weights.
        rank: LoRA rank.
        targets: layers with an adapter; None: every linear layer.
        optimizer: decides the bytes of optimizer state per trained parameter.
        length: tokens per sequence.
        batch: sequences per micro-batch.
        gradient_checkpointing: whether layers are recomputed; auto: on a GPU only.
        limit_gib: memory for `micro_batch` and `longest` of the plan.
        gpu: whether training runs on a GPU.
        loss: `full` keeps the logits of every position (16-bit values, a float32 copy and its
            gradient: 10 bytes per position and vocabulary entry); `chunked` keeps the logits of
            `head_chunk_rows` positions.
        head_chunk_rows: positions per chunk of the loss.
        kept_layers: layers that keep their activations although others are recomputed. One is free:
            a layer that is recomputed takes the same memory, at another time.
        dtype: of the arithmetic and of the weights that are not quantised.
        attention: with `eager`, and in float32 with shared keys, scores are saved on a card too.
        last_layers: layers with an adapter, counted from the top; None: all.
        peft_pass: whether peft's own LoRA pass runs, as it does for dropout and DoRA.

    On a CPU the term "loss" counts only what exceeds a layer's activations, which are freed before.

    Raises: UserError for a model of unknown shape or an unknown target.
    """
    trained = adapter_parameters(card, rank, targets) * (last_layers or card.layers) / card.layers
    width = 4 if dtype == "float32" else 2
    scored = not gpu or attention == "eager" or (width == 4 and card.kv_heads != card.heads)
    checkpointing = gpu if gradient_checkpointing == "auto" else gradient_checkpointing

    def terms_at(length: int, batch: int) -> dict[str, float]:
        tokens = length * batch
        saved = saved_tensors(card, rank, width=width)
        if peft_pass:
            saved += saved_by_peft(card, targets)
        # The backward pass holds gradients in addition to the saved tensors: three of the MLP's
        # width, or two of the attention matrix in float32, after the MLP's tensors are freed.
        transient = [(width * card.intermediate, 3)]
        gradients = bytes_per_token(transient)
        if scored:
            saved += saved_scores(card, length)
            mlp = width * card.intermediate * (4 if card.gated else 2)
            gradients = max(gradients, 8 * card.heads * length - mlp)
        inputs = (card.layers + 1 if checkpointing else 1) * card.hidden * width
        kept = 0 if checkpointing else card.layers * bytes_per_token(saved)
        layer = gradients + (bytes_per_token(saved) if checkpointing else 0)
        if loss == "full":
            logits = tokens * card.vocab * 10
        else:
            rows = min(tokens, head_chunk_rows)
            logits = rows * card.vocab * LOSS_BYTES + tokens * card.hidden * 4
        terms = weight_terms(card, quantization, width=width)
        if gpu and quantization == "nf4" and not peft_pass:
            # Next to it the buffer into which the backward pass dequantises (trainer/lora_pass.py).
            terms["one layer dequantised"] *= 2
        # Twice: training keeps the initial adapter, to check at the end that every part changed.
        terms["adapter"] = 2 * trained * 4 / GIB
        terms["gradients"] = trained * 4 / GIB
        terms["optimizer"] = trained * OPTIMIZER_BYTES[optimizer] / GIB
        terms["saved layer inputs"] = tokens * inputs / GIB
        name = "one layer's activations" if checkpointing else "all layers' activations"
        terms[name] = tokens * (kept + layer) / GIB
        if checkpointing and kept_layers > 1:
            more = (kept_layers - 1) * bytes_per_token(saved)
            terms["kept layers' activations"] = tokens * more / GIB
        free = 0 if gpu else expected_free_bytes(saved + transient, tokens)
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
    """Plan the memory of answering.

    On a CPU the term "logits" counts only what exceeds the prompts' activations.

    Args:
        card: the model; its shape must be known.
        bits: bits per weight: 4, 8 or 16.
        context: tokens per sequence, prompt and answer.
        batch: sequences at the same time.
        limit_gib: memory for `micro_batch` and `longest` of the plan.
        gpu: whether the model runs on a GPU.

    Raises: UserError for other bits and for a model of unknown shape.
    """
    names: dict[int, Quantization] = {4: "nf4", 8: "int8", 16: "none"}
    if bits not in names:
        raise UserError(f"bits must be 4, 8 or 16, not {bits}")
    linear_shapes(card)

    def terms_at(context: int, batch: int) -> dict[str, float]:
        tokens = batch * context
        transient = [(2 * card.hidden, 4), (2 * card.intermediate, 3)]
        if not gpu:
            transient = max(transient, _attention_tensors(card, context), key=bytes_per_token)
        prefill, logits = tokens * bytes_per_token(transient), batch * card.vocab * LOGPROB_BYTES
        free = 0 if gpu else expected_free_bytes(transient, tokens)
        terms = weight_terms(card, names[bits])
        terms["key-value cache"] = tokens * cache_bytes_per_token(card) / GIB
        terms["prefill activations"] = prefill / GIB
        terms["logits"] = (logits if gpu else max(0, logits - prefill - free)) / GIB
        if not gpu:
            terms["tokenizer"] = card.vocab * TOKENIZER_BYTES / GIB
        return _with_rest(terms, free, gpu)

    return _plan(terms_at, context, batch, limit_gib, card.context)


def _attention_tensors(card: ModelCard, context: int) -> list[tuple[int, int]]:
    """Return (bytes per token, number) of the tensors during unfused attention of a prompt.

    These are the block's input and its norm, the query, keys and values repeated for every head,
    the 16-bit scores, their float32 copy and its softmax.
    """
    attention = card.heads * card.head_dim
    scores = card.heads * context
    return [(2 * card.hidden, 2), (2 * attention, 3), (2 * scores, 1), (4 * scores, 2)]


def held_by_tensors(terms: Mapping[str, float]) -> float:
    """Return the GiB of a plan's terms that tensors hold: without context, slack and holes."""
    return sum(gib for name, gib in terms.items() if name not in _NOT_TENSORS)


def _with_rest(terms: dict[str, float], free: float, gpu: bool) -> dict[str, float]:
    """Add the memory that the allocator holds (`free` bytes of a CPU heap) and the process."""
    if gpu:
        terms[_SLACK] = GPU_SLACK * sum(terms.values())
    else:
        terms[_HOLES] = free / GIB
    terms[_CONTEXT] = GPU_CONTEXT_GIB if gpu else CPU_CONTEXT_GIB
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
    """Return the largest size in 0..ceiling that fits; every smaller size must fit too."""
    low, high = 0, ceiling
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
