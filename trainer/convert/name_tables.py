"""List the names that EXAONE 3.0/3.5 and Llama give to the same tensors, modules and config keys.

The two are the same model tensor for tensor: RMS norms, rotate-half rotary embedding, grouped
heads, a gated SiLU feed-forward, no biases. No weight is permuted. Sources: mergekit's
architecture file, vLLM's and TensorRT-LLM's loaders (docs/guides/merge.md).
"""

from __future__ import annotations

from typing import Final, Literal

__all__ = [
    "COMPUTED",
    "EMBEDDING",
    "EXAONE",
    "FINAL_NORM",
    "HEAD",
    "IDENTITY",
    "LAYER",
    "LAYER_TENSORS",
    "LLAMA",
    "LLAMA_DERIVED",
    "LLAMA_FIXED",
    "MODULES",
    "OPTIONAL",
    "REQUIRED",
    "ROPE_SCALING",
    "Side",
    "tensor_names",
]

# Which name of a pair: the first is EXAONE's, the second Llama's.
Side = Literal[0, 1]
EXAONE: Final = 0
LLAMA: Final = 1

EMBEDDING = ("transformer.wte.weight", "model.embed_tokens.weight")
FINAL_NORM = ("transformer.ln_f.weight", "model.norm.weight")
HEAD = ("lm_head.weight", "lm_head.weight")
LAYER = ("transformer.h.{}.", "model.layers.{}.")
# Within a layer: (EXAONE, Llama, rows, columns); the sizes are keys of `config.sizes_of`.
LAYER_TENSORS: tuple[tuple[str, str, str, str | None], ...] = (
    ("ln_1", "input_layernorm", "hidden", None),
    ("attn.attention.q_proj", "self_attn.q_proj", "queries", "hidden"),
    ("attn.attention.k_proj", "self_attn.k_proj", "keys", "hidden"),
    ("attn.attention.v_proj", "self_attn.v_proj", "keys", "hidden"),
    ("attn.attention.out_proj", "self_attn.o_proj", "hidden", "queries"),
    ("ln_2", "post_attention_layernorm", "hidden", None),
    ("mlp.c_fc_0", "mlp.gate_proj", "intermediate", "hidden"),
    ("mlp.c_fc_1", "mlp.up_proj", "intermediate", "hidden"),
    ("mlp.c_proj", "mlp.down_proj", "hidden", "intermediate"),
)
# Buffers that are computed from the config and belong to neither side's weights.
COMPUTED = ("rotary.inv_freq", "rotary_emb.inv_freq")

# Names that a LoRA config lists: the last part of the module's path.
MODULES = (
    ("q_proj", "q_proj"),
    ("k_proj", "k_proj"),
    ("v_proj", "v_proj"),
    ("out_proj", "o_proj"),
    ("c_fc_0", "gate_proj"),
    ("c_fc_1", "up_proj"),
    ("c_proj", "down_proj"),
    ("wte", "embed_tokens"),
    ("lm_head", "lm_head"),
    ("all-linear", "all-linear"),
)

# Config keys that an EXAONE config must have; their values are copied unchanged.
REQUIRED = (
    ("num_layers", "num_hidden_layers"),
    ("hidden_size", "hidden_size"),
    ("intermediate_size", "intermediate_size"),
    ("num_attention_heads", "num_attention_heads"),
    ("num_key_value_heads", "num_key_value_heads"),
    ("vocab_size", "vocab_size"),
    ("max_position_embeddings", "max_position_embeddings"),
    ("layer_norm_epsilon", "rms_norm_eps"),
    ("activation_function", "hidden_act"),
    ("rope_theta", "rope_theta"),
    ("rope_scaling", "rope_scaling"),
    ("tie_word_embeddings", "tie_word_embeddings"),
    ("bos_token_id", "bos_token_id"),
    ("eos_token_id", "eos_token_id"),
)
# Copied where the config has them.
OPTIONAL = (
    "pad_token_id",
    "attention_dropout",
    "initializer_range",
    "use_cache",
    "head_dim",
    "torch_dtype",
    "dtype",
    "transformers_version",
)
# They say which code reads the checkpoint: replaced, never copied.
IDENTITY = ("architectures", "model_type", "auto_map", "_name_or_path")
# Only Llama has them; EXAONE's formulas fix their values.
LLAMA_FIXED = {"attention_bias": False, "mlp_bias": False}
# A second form of rope_theta and rope_scaling, and a parallelism hint without effect.
LLAMA_DERIVED = ("rope_parameters", "pretraining_tp", "attention_dropout")

# Keys that a rope_scaling must have, by its type, because defaults differ between readers.
ROPE_SCALING = {
    "default": (),
    "linear": ("factor",),
    "dynamic": ("factor",),
    "llama3": (
        "factor",
        "low_freq_factor",
        "high_freq_factor",
        "original_max_position_embeddings",
    ),
}


def tensor_names(layers: int, *, tied: bool) -> list[tuple[str, str]]:
    """Return (EXAONE name, Llama name) of every tensor of a model of this depth."""
    names = [EMBEDDING, FINAL_NORM] + ([] if tied else [HEAD])
    for layer in range(layers):
        for exaone, llama, _, _ in LAYER_TENSORS:
            names.append(
                (
                    f"{LAYER[0].format(layer)}{exaone}.weight",
                    f"{LAYER[1].format(layer)}{llama}.weight",
                )
            )
    return names
