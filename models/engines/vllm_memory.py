"""Decide how much of a card vLLM takes, and how many sequences it writes at once.

vLLM asks for a share of the card's total memory and refuses to start if less is free, for example
because an embedder lies on the card. The share is therefore taken from what is free.
"""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.catalogue import card_from_config
from kofinlaw.models.memory.card_memory import CardMemory, memory_share
from kofinlaw.models.memory.counts import cache_bytes_per_token
from kofinlaw.models.settings import EngineSettings
from kofinlaw.units import GIB

__all__ = ["MOST_SEQUENCES", "sequences_at_once", "share_of_card"]

MOST_SEQUENCES = 256  # vLLM's own default for offline batches
# Of vLLM's share, besides weights and cache: activations of the longest batch, CUDA graphs, logits.
WORKING_BYTES = int(1.5 * GIB)
# Size of the loaded weights relative to the stored ones; vLLM loads no int8.
LOADED = {"none": 1.0, "fp8": 0.5, "nf4": 0.28}


def share_of_card(settings: EngineSettings, card: CardMemory | None) -> float:
    """Return the share of the card's memory that vLLM is given.

    `card` is the card's memory now; None, if it is not known, gives vLLM's former default.

    Raises: UserError if the configured share is more than what is free, or if nothing is free.
    """
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


def sequences_at_once(
    settings: EngineSettings, folder: Path, share: float, card: CardMemory | None
) -> int:
    """Return how many sequences vLLM writes at once.

    It is the configured number, or as many sequences of half the context as the cache holds, which
    is vLLM's share less the weights and its working memory; at least 1, at most `MOST_SEQUENCES`.
    More would only be stopped and read again by vLLM. Without a figure for the card, or for a model
    of unknown shape, it is `MOST_SEQUENCES`.

    Raises: UserError if the folder has no readable config.json.
    """
    if settings.max_sequences is not None:
        return settings.max_sequences
    per_token = cache_bytes_per_token(card_from_config(folder))
    if card is None or not per_token:
        return MOST_SEQUENCES
    stored = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    loaded = stored * LOADED[settings.quantization]
    room = share * card.total - loaded - WORKING_BYTES
    typical = max(1, settings.context_tokens // 2)
    return max(1, min(MOST_SEQUENCES, int(room // (per_token * typical))))
