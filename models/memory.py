"""What training and serving a model take in memory, term by term. Arithmetic only: no torch.

Counted from the operations of a Llama-shaped layer as this project trains it (16-bit compute,
float32 adapter, rows shared between the adapters of one input): see docs/decisions/021.
Sizes are GiB, lengths tokens, weights parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard

GIB = 2**30
Quantization = Literal["none", "nf4", "int8"]
Optimizer = Literal["adamw", "adamw_8bit", "paged_adamw_8bit"]

# Bytes a weight of a quantised linear layer takes: the value, and its share of the constants.
# NF4 with double quantisation (QLoRA, arXiv 2305.14314 §3): an 8-bit scale for 64 weights and a
# float32 one for 256 of those.
VALUE_BYTES = {"none": 2.0, "nf4": 0.5, "int8": 1.0}
CONSTANT_BYTES = {"none": 0.0, "nf4": 1 / 64 + 4 / (64 * 256), "int8": 0.0}
# Bytes of optimizer state a trained parameter takes: two moments in float32, or in 8 bit with a
# float32 scale for 256 of them.
OPTIMIZER_BYTES = {"adamw": 8.0, "adamw_8bit": 2 + 8 / 256, "paged_adamw_8bit": 2 + 8 / 256}
# CUDA context with cuBLAS's workspaces; Python with torch and its libraries.
GPU_CONTEXT_GIB = 1.0
CPU_CONTEXT_GIB = 0.6
# What the caching allocator holds beyond what is in use.
GPU_SLACK = 0.03
SAME_TARGET = {
    "out_proj": "o_proj",
    "c_fc_0": "gate_proj",
    "c_fc_1": "up_proj",
    "c_proj": "down_proj",
    "fc1": "up_proj",
    "fc2": "down_proj",
}


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


def linear_shapes(card: ModelCard) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of each linear layer of one block, by its Llama name."""
    if not (card.layers and card.hidden and card.heads and card.intermediate and card.vocab):
        raise UserError(f"the shape of {card.id} is not known", remedy="give a local folder's path")
    attention, keys = card.heads * card.head_dim, card.kv_heads * card.head_dim
    hidden, mlp = card.hidden, card.intermediate
    shapes = {
        "q_proj": (hidden, attention),
        "k_proj": (hidden, keys),
        "v_proj": (hidden, keys),
        "o_proj": (attention, hidden),
        "gate_proj": (hidden, mlp),
        "up_proj": (hidden, mlp),
        "down_proj": (mlp, hidden),
    }
    if not card.gated:
        del shapes["gate_proj"]
    return shapes


def linear_parameters(card: ModelCard) -> int:
    """Weights in the blocks' linear layers: what quantisation applies to."""
    return card.layers * sum(i * o for i, o in linear_shapes(card).values())


def embedding_parameters(card: ModelCard) -> int:
    """Weights of embedding and head (one matrix where tied), which stay in 16 bit."""
    return card.vocab * card.hidden * (1 if card.tied else 2)


def adapter_parameters(card: ModelCard, rank: int, targets: tuple[str, ...] | None = None) -> int:
    """Trained weights of LoRA of a rank on the targets (None: every linear layer)."""
    shapes = linear_shapes(card)
    names = [SAME_TARGET.get(name, name) for name in targets or shapes]
    unknown = [name for name in names if name not in shapes]
    if unknown:
        raise UserError(
            f"{card.id} has no layer {', '.join(unknown)}", remedy=f"there are {', '.join(shapes)}"
        )
    return card.layers * rank * sum(sum(shapes[name]) for name in set(names))


def weight_terms(card: ModelCard, quantization: Quantization) -> dict[str, float]:
    """GiB of weights and of quantisation constants."""
    linear, embeddings = linear_parameters(card), embedding_parameters(card)
    norms = card.layers * 2 * card.hidden + card.hidden
    rows = card.layers * sum(o for _, o in linear_shapes(card).values())
    constants = linear * CONSTANT_BYTES[quantization] + (4 * rows if quantization == "int8" else 0)
    terms = {"weights": (linear * VALUE_BYTES[quantization] + (embeddings + norms) * 2) / GIB}
    if quantization != "none":
        terms["quantisation constants"] = constants / GIB
        largest = max(i * o for i, o in linear_shapes(card).values())
        terms["one layer dequantised"] = largest * 2 / GIB
    return terms


def saved_bytes_per_token(card: ModelCard, rank: int = 16) -> int:
    """Bytes a token keeps of one block for its backward pass (16-bit compute, LoRA on all layers).

    Each norm keeps its input in float32 (two norms; four and two a head where the family norms its
    outputs, queries and keys too) and the two products after a norm share its 16-bit output;
    attention keeps query, key, value and output; the MLP keeps what enters the activation, what
    leaves it, the other half and their product; each adapter keeps its inner `rank` values.
    Counted against autograd's own saved tensors in tests/models/test_memory_counted.py.
    """
    attention, keys = card.heads * card.head_dim, card.kv_heads * card.head_dim
    norms = 4 if card.model_type.startswith("gemma") else 2
    per_head = (attention + keys) * 4 if card.model_type.startswith("gemma3") else 0
    products = 2 * card.hidden * 2
    widths = 8 if card.gated else 4
    inner = 2 * rank * len(linear_shapes(card))
    attended = 2 * (2 * attention + 2 * keys)
    mlp = widths * card.intermediate
    return norms * 4 * card.hidden + per_head + products + attended + mlp + inner


def saved_bytes_of_scores(card: ModelCard, length: int) -> int:
    """Bytes a token keeps of one block's attention matrix where attention is not fused (on CPU).

    The softmax in float32 and in 16 bit over `length` keys in each head, and keys and values
    repeated for every head.
    """
    repeated = 4 * (card.heads - card.kv_heads) * card.head_dim
    return 6 * card.heads * length + repeated


def training_plan(
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
    Raises UserError for a model of unknown shape.
    """
    trained = adapter_parameters(card, rank, targets)
    checkpointing = gpu if gradient_checkpointing == "auto" else gradient_checkpointing

    def terms_at(length: int, batch: int) -> dict[str, float]:
        tokens = length * batch
        saved = saved_bytes_per_token(card, rank)
        # The backward pass holds gradients beside what was saved: three of the MLP's width, or
        # two of the attention matrix in float32.
        passing = 6 * card.intermediate
        if not gpu:
            saved += saved_bytes_of_scores(card, length)
            passing = max(passing, 8 * card.heads * length)
        blocks = 1 if checkpointing else card.layers
        inputs = (card.layers + 1) * card.hidden * 2 if checkpointing else card.hidden * 2
        if loss == "full":
            logits = tokens * card.vocab * 10
        else:
            logits = min(tokens, head_chunk_rows) * card.vocab * 8 + tokens * card.hidden * 4
        terms = weight_terms(card, quantization)
        # Twice: training keeps the adapter as it began, to see in the end that every part moved.
        terms["adapter"] = 2 * trained * 4 / GIB
        terms["gradients"] = trained * 4 / GIB
        terms["optimizer"] = trained * OPTIMIZER_BYTES[optimizer] / GIB
        terms["saved layer inputs"] = tokens * inputs / GIB
        name = "one layer's activations" if checkpointing else "all layers' activations"
        terms[name] = tokens * (blocks * saved + passing) / GIB
        terms["loss"] = logits / GIB
        return _with_context(terms, gpu)

    return _plan(terms_at, length, batch, limit_gib, card.context)


def serving_plan(
    card: ModelCard,
    *,
    bits: int = 16,
    context: int = 4096,
    batch: int = 1,
    limit_gib: float = 24.0,
    gpu: bool = True,
) -> MemoryPlan:
    """Memory of answering: weights in 4, 8 or 16 bit and `batch` sequences of `context` tokens.

    The cache takes 2 · layers · kv heads · head size · 2 bytes a token. Raises UserError for
    other bits or a model of unknown shape.
    """
    names: dict[int, Quantization] = {4: "nf4", 8: "int8", 16: "none"}
    if bits not in names:
        raise UserError(f"bits are 4, 8 or 16, not {bits}")
    linear_shapes(card)

    def terms_at(context: int, batch: int) -> dict[str, float]:
        per_token = 4 * card.layers * card.kv_heads * card.head_dim
        passing = 2 * (4 * card.hidden + 3 * card.intermediate)
        scores = 0 if gpu else 6 * batch * card.heads * context * context
        terms = weight_terms(card, names[bits])
        terms["key-value cache"] = batch * context * per_token / GIB
        terms["prefill activations"] = (batch * context * passing + scores) / GIB
        terms["logits"] = batch * card.vocab * 6 / GIB
        return _with_context(terms, gpu)

    return _plan(terms_at, context, batch, limit_gib, card.context)


def _with_context(terms: dict[str, float], gpu: bool) -> dict[str, float]:
    if gpu:
        terms["allocator's slack"] = GPU_SLACK * sum(terms.values())
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
