"""What the parts of a model take: weights, adapter, and what a token keeps for its backward pass.

Counted from the operations of a Llama-shaped layer as this project trains it (16-bit compute,
float32 adapter, rows shared between the adapters of one input): see docs/decisions/021.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard
from kofinlaw.units import GIB

Quantization = Literal["none", "nf4", "int8"]

# Bytes a weight of a quantised linear layer takes: the value, and its share of the constants.
# NF4 with double quantisation (QLoRA, arXiv 2305.14314 §3): an 8-bit scale for 64 weights and a
# float32 one for 256 of those.
VALUE_BYTES = {"none": 2.0, "nf4": 0.5, "int8": 1.0}
CONSTANT_BYTES = {"none": 0.0, "nf4": 1 / 64 + 4 / (64 * 256), "int8": 0.0}
SAME_TARGET = {
    "out_proj": "o_proj",
    "c_fc_0": "gate_proj",
    "c_fc_1": "up_proj",
    "c_proj": "down_proj",
    "fc1": "up_proj",
    "fc2": "down_proj",
}


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


def bytes_per_token(tensors: Sequence[tuple[int, int]]) -> int:
    """The sum of tensors given as (bytes a token, how many)."""
    return sum(width * count for width, count in tensors)


def saved_tensors(card: ModelCard, rank: int = 16) -> list[tuple[int, int]]:
    """(bytes a token, how many) of the tensors that one block keeps for its backward pass.

    For 16-bit compute and LoRA on all linear layers; counted against autograd's own saved tensors
    in tests/models/test_memory_counted.py. Each norm keeps its input in float32 (two norms; four
    and two a head where the family norms its outputs, queries and keys too) and the two products
    after a norm share its 16-bit output; attention keeps query, key, value and output; the MLP
    keeps what enters the activation, what leaves it, the other half and their product; each adapter
    keeps its inner `rank` values.
    """
    attention, keys = card.heads * card.head_dim, card.kv_heads * card.head_dim
    norms_heads = card.model_type.startswith("gemma3")
    return [
        (4 * card.hidden, 4 if card.model_type.startswith("gemma") else 2),
        (4 * attention, int(norms_heads)),
        (4 * keys, int(norms_heads)),
        (2 * card.hidden, 2),
        (2 * attention, 2),
        (2 * keys, 2),
        (2 * card.intermediate, 4 if card.gated else 2),
        (2 * rank, len(linear_shapes(card))),
    ]


def saved_scores(card: ModelCard, length: int) -> list[tuple[int, int]]:
    """The same of one block's attention where it is not fused (on a processor).

    The softmax in float32 and in 16 bit over `length` keys in each head; keys and values are kept
    repeated for every head instead of as they were.
    """
    repeated = 2 * (card.heads - card.kv_heads) * card.head_dim
    return [(4 * card.heads * length, 1), (2 * card.heads * length, 1), (repeated, 2)]
