"""Count the memory of a model's parts: weights, adapter, and saved tensors of the backward pass.

The counts follow the operations of a Llama-shaped layer as kofinlaw trains it: 16-bit compute, a
float32 adapter, and rows shared between the adapters of one input (docs/decisions/021).
"""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard
from kofinlaw.models.settings import Quantization
from kofinlaw.units import GIB

__all__ = [
    "CONSTANT_BYTES",
    "SAME_TARGET",
    "VALUE_BYTES",
    "adapter_parameters",
    "bytes_per_token",
    "cache_bytes_per_token",
    "embedding_parameters",
    "linear_parameters",
    "linear_shapes",
    "saved_by_peft",
    "saved_scores",
    "saved_tensors",
    "target_shapes",
    "weight_terms",
]

# Bytes per weight of a quantised linear layer: the value, and its share of the constants. NF4 with
# double quantisation (QLoRA, arXiv 2305.14314 §3) has an 8-bit scale per 64 weights and a float32
# scale per 256 of these scales.
VALUE_BYTES = {"none": 2.0, "nf4": 0.5, "int8": 1.0}
CONSTANT_BYTES = {"none": 0.0, "nf4": 1 / 64 + 4 / (64 * 256), "int8": 0.0}
# Names of linear layers in other model families, and their Llama names.
SAME_TARGET = {
    "out_proj": "o_proj",
    "c_fc_0": "gate_proj",
    "c_fc_1": "up_proj",
    "c_proj": "down_proj",
    "fc1": "up_proj",
    "fc2": "down_proj",
}


def linear_shapes(card: ModelCard) -> dict[str, tuple[int, int]]:
    """Return (inputs, outputs) of each linear layer of one block, by its Llama name.

    Raises: UserError if the shape of the model is not known.
    """
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
    """Return the number of weights in the blocks' linear layers, which quantisation applies to."""
    return card.layers * sum(i * o for i, o in linear_shapes(card).values())


def embedding_parameters(card: ModelCard) -> int:
    """Return the number of weights of embedding and head (one matrix if tied), kept in 16 bit."""
    return card.vocab * card.hidden * (1 if card.tied else 2)


def adapter_parameters(card: ModelCard, rank: int, targets: tuple[str, ...] | None = None) -> int:
    """Return the number of trained weights of LoRA on the targets (None: every linear layer).

    Raises: UserError for a target that the model does not have.
    """
    return card.layers * rank * sum(map(sum, target_shapes(card, targets)))


def target_shapes(card: ModelCard, targets: tuple[str, ...] | None) -> list[tuple[int, int]]:
    """Return (inputs, outputs) of the layers of a block that get an adapter (None: every one).

    Raises: UserError for a target that the model does not have.
    """
    shapes = linear_shapes(card)
    names = [SAME_TARGET.get(name, name) for name in targets or shapes]
    unknown = [name for name in names if name not in shapes]
    if unknown:
        raise UserError(
            f"{card.id} has no layer {', '.join(unknown)}",
            remedy=f"its layers are {', '.join(shapes)}",
        )
    return [shapes[name] for name in sorted(set(names))]


def weight_terms(
    card: ModelCard, quantization: Quantization, *, width: int = 2
) -> dict[str, float]:
    """Return GiB of the weights, of quantisation constants and of one dequantised layer.

    `width` is the bytes of a number that is not quantised.
    """
    linear, embeddings = linear_parameters(card), embedding_parameters(card)
    norms = card.layers * 2 * card.hidden + card.hidden
    rows = card.layers * sum(o for _, o in linear_shapes(card).values())
    constants = linear * CONSTANT_BYTES[quantization] + (4 * rows if quantization == "int8" else 0)
    value = width if quantization == "none" else VALUE_BYTES[quantization]
    terms = {"weights": (linear * value + (embeddings + norms) * width) / GIB}
    if quantization != "none":
        terms["quantisation constants"] = constants / GIB
        largest = max(i * o for i, o in linear_shapes(card).values())
        terms["one layer dequantised"] = largest * width / GIB
    return terms


def bytes_per_token(tensors: Sequence[tuple[int, int]]) -> int:
    """Return the total bytes per token of tensors given as (bytes per token, number)."""
    return sum(width * count for width, count in tensors)


def cache_bytes_per_token(card: ModelCard) -> int:
    """Return the bytes of a token's keys and values in 16 bit; 0 for a model of unknown shape.

    They are 2 tensors · layers · key-value heads · head size · 2 bytes.
    """
    return 4 * card.layers * card.kv_heads * card.head_dim


def saved_tensors(card: ModelCard, rank: int = 16, *, width: int = 2) -> list[tuple[int, int]]:
    """Return (bytes per token, number) of the tensors that a block saves for its backward pass.

    The counts are for LoRA on all linear layers and numbers of `width` bytes.
    tests/models/memory/test_counts.py compares them with the tensors that autograd saves.

    - Each norm saves its input in float32. There are two norms per block. Families that also norm
      outputs, queries and keys have four, and two per head.
    - The two products after a norm share its 16-bit output.
    - Attention saves query, key, value and output.
    - The MLP saves the input and output of the activation, the other half and their product.
    - Each adapter saves its `rank` inner values.
    """
    attention, keys = card.heads * card.head_dim, card.kv_heads * card.head_dim
    norms_heads = card.model_type.startswith("gemma3")
    return [
        (4 * card.hidden, 4 if card.model_type.startswith("gemma") else 2),
        (4 * attention, int(norms_heads)),
        (4 * keys, int(norms_heads)),
        (width * card.hidden, 2),
        (width * attention, 2),
        (width * keys, 2),
        (width * card.intermediate, 4 if card.gated else 2),
        (width * rank, len(linear_shapes(card))),
    ]


def saved_by_peft(card: ModelCard, targets: tuple[str, ...] | None = None) -> list[tuple[int, int]]:
    """Return the same for what peft's own LoRA pass saves in addition (dropout, DoRA).

    Each adapter saves its input in float32, and a byte for each number that dropout keeps.
    """
    return [(5 * inputs, 1) for inputs, _ in target_shapes(card, targets)]


def saved_scores(card: ModelCard, length: int) -> list[tuple[int, int]]:
    """Return the same for the scores of one block's attention if it is not fused (on a CPU).

    Each head saves the softmax over `length` keys (tokens) in float32 and in 16 bit. Keys and
    values are saved repeated for every head.
    """
    repeated = 2 * (card.heads - card.kv_heads) * card.head_dim
    return [(4 * card.heads * length, 1), (2 * card.heads * length, 1), (repeated, 2)]
