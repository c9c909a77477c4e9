"""Decide how much of a card vLLM takes, and how many sequences it writes at once.

vLLM asks for a share of the card's total memory and refuses to start if less is free, for example
because an embedder lies on the card. The share is therefore taken from what is free.
"""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.memory.card_memory import CardMemory, card_memory, memory_share
from kofinlaw.models.settings import EngineSettings
from kofinlaw.units import GIB

__all__ = ["MOST_SEQUENCES", "cache_bytes_per_token", "sequences_at_once", "share_of_card"]

MOST_SEQUENCES = 256  # vLLM's own default for offline batches
# Of vLLM's share, besides weights and cache: activations of the longest batch, CUDA graphs, logits.
WORKING_BYTES = int(1.5 * GIB)
# Size of the loaded linear weights relative to 16 bit.
LOADED = {"none": 1.0, "fp8": 0.5, "int8": 0.5, "nf4": 0.28}


def share_of_card(settings: EngineSettings, card: CardMemory | None = None) -> float:
    """Return the share of the card's memory that vLLM is given.

    `card` is the card's memory now; None: it is asked. Without a figure, vLLM's former default.

    Raises: UserError if the configured share is more than what is free, or if nothing is free.
    """
    card = card or card_memory()
    if card is None:
        return settings.gpu_memory_share or 0.9
    free = memory_share(card)
    asked = settings.gpu_memory_share
    if asked is not None and asked * card.total > card.free:
        raise UserError(
            f"{asked:.0%} of the card is {asked * card.total / GIB:.1f} GiB, but "
            f"{card.free / GIB:.1f} of {card.total / GIB:.1f} GiB are free",
            where="engine.gpu_memory_share",
            remedy=f"remove the key (the free memory gives {free:.2f}), or end other programs on "
            "the card",
        )
    if asked is None and free <= 0:
        raise UserError(
            f"only {card.free / GIB:.1f} GiB of the card are free",
            where="engine",
            remedy="end other programs on the card, or use an embedder on the processor "
            "(rag.embedder: intfloat/multilingual-e5-small)",
        )
    return free if asked is None else asked


def cache_bytes_per_token(config: dict[str, object]) -> int:
    """Return the bytes of keys and values of one token in 16 bit, from a model's config.json.

    0 if the config does not say it. Two tensors (keys, values) of 2 bytes for each layer, head and
    number of a head.
    """
    try:
        layers = int(str(config["num_hidden_layers"]))
        heads = int(str(config["num_attention_heads"]))
        kept = int(str(config.get("num_key_value_heads") or heads))
        size = int(str(config.get("head_dim") or int(str(config["hidden_size"])) // heads))
    except (KeyError, ValueError):
        return 0
    return 4 * layers * kept * size


def sequences_at_once(
    settings: EngineSettings, folder: Path, share: float, card: CardMemory | None = None
) -> int:
    """Return how many sequences vLLM writes at once.

    It is the configured number, or as many sequences of half the context as the cache holds, which
    is vLLM's share less the weights and its working memory; at least 1, at most `MOST_SEQUENCES`.
    More would only be stopped and read again by vLLM.
    """
    if settings.max_sequences is not None:
        return settings.max_sequences
    card = card or card_memory()
    try:
        config = load_json((folder / "config.json").read_text(encoding="utf-8"))
        stored = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    except (OSError, ValueError) as error:
        raise_if_machine(error, folder)
        return MOST_SEQUENCES
    per_token = cache_bytes_per_token(config)
    if card is None or not per_token:
        return MOST_SEQUENCES
    loaded = stored * LOADED[settings.quantization]
    room = share * card.total - loaded - WORKING_BYTES
    typical = max(1, settings.context_tokens // 2)
    return max(1, min(MOST_SEQUENCES, int(room // (per_token * typical))))
