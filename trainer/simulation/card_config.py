"""Make a transformers config from a model's card, for models of real shape without weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard

if TYPE_CHECKING:
    from transformers import PretrainedConfig

__all__ = ["config_from_card"]

# transformers' class for each `model_type` of the catalogue; EXAONE 3.x as its converted Llama.
_CLASSES = {
    "llama": "LlamaConfig",
    "exaone": "LlamaConfig",
    "qwen2": "Qwen2Config",
    "exaone4": "Exaone4Config",
    "gemma3_text": "Gemma3TextConfig",
    "opt": "OPTConfig",
}
# What a card does not say. OPT-350m embeds in 512 dimensions and norms after each part.
_FURTHER: dict[str, dict[str, object]] = {
    "facebook/opt-350m": {"word_embed_proj_dim": 512, "do_layer_norm_before": False}
}


def config_from_card(card: ModelCard, **changes: object) -> PretrainedConfig:
    """Return the config of a card's shape; `changes` set keys of it (`num_hidden_layers=2`).

    Raises UserError if the card has no shape, or a model type that is not in the catalogue.
    """
    import transformers

    if not card.layers or card.model_type not in _CLASSES:
        raise UserError(
            f"the catalogue does not hold the shape of {card.id}",
            where="model.id",
            remedy="give the folder of the model in model.path: its config.json holds the shape",
        )
    shape: dict[str, object] = {
        "vocab_size": card.vocab,
        "hidden_size": card.hidden,
        "num_hidden_layers": card.layers,
        "num_attention_heads": card.heads,
        "max_position_embeddings": card.context,
        "tie_word_embeddings": card.tied,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    if card.model_type == "opt":
        shape["ffn_dim"] = card.intermediate
    else:
        shape |= {
            "intermediate_size": card.intermediate,
            "num_key_value_heads": card.kv_heads,
            "head_dim": card.head_dim,
        }
    if card.sliding_window:
        shape["sliding_window"] = card.sliding_window
    shape |= _FURTHER.get(card.id, {}) | changes
    return getattr(transformers, _CLASSES[card.model_type])(**shape)
