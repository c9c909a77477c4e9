"""Write a config.json that transformers 4 and 5 read alike.

transformers 5 saves rotary settings only in `rope_parameters`. transformers 4 reads `rope_theta`
and `rope_scaling`; without them it silently uses theta 10000. This module writes both forms from
the one that the base has. Every other key stays unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping

from kofinlaw.results import JsonValue
from kofinlaw.trainer.merge.json_objects import JsonObject, object_at

__all__ = ["LAYER_KINDS", "readable_by_both"]

LAYER_KINDS = ("full_attention", "sliding_attention")


def readable_by_both(
    config: Mapping[str, JsonValue],
    *,
    dtype: str,
    tied: bool | None = None,
    vocab_size: int | None = None,
    special: Mapping[str, int] | None = None,
) -> JsonObject:
    """Return the config with the keys of both generations of transformers.

    Args:
        config: the base's config.json; it stays unchanged.
        dtype: format of the stored weights, as torch names it (`bfloat16`).
        tied: whether embedding and head share one tensor, where the merge changed it.
        vocab_size: number of tokens, where the merge changed it.
        special: ids of special tokens, such as `pad_token_id`, where the merge changed them.
    """
    out = dict(config)
    out.pop("_name_or_path", None)
    out.pop("auto_map", None)
    out["dtype"] = out["torch_dtype"] = dtype
    text = object_at(out, "text_config")  # a model of text and pictures describes each
    changed: JsonObject = {} if vocab_size is None else {"vocab_size": vocab_size}
    if tied is not None:
        out["tie_word_embeddings"] = tied
        changed["tie_word_embeddings"] = tied
    for key, number in (special or {}).items():
        ends = out.get(key, text.get(key))
        if number not in (ends if isinstance(ends, list) else [ends]):
            changed[key] = number
    if text:
        inner = {k: v for k, v in changed.items() if k in text or k not in out}
        out["text_config"] = {**text, **inner}
    out |= {key: value for key, value in changed.items() if key in out or not text}
    parameters = object_at(out, "rope_parameters")
    if parameters:
        _add_old_keys(out, parameters)
    elif "rope_theta" in out:
        out["rope_parameters"] = _new_form(out)
    return out


def _add_old_keys(out: JsonObject, parameters: JsonObject) -> None:
    if any(kind in parameters for kind in LAYER_KINDS):
        rotary = dict(object_at(parameters, "full_attention"))
        local = object_at(parameters, "sliding_attention")
        if "rope_theta" in local:
            out.setdefault("rope_local_base_freq", local["rope_theta"])
    else:
        rotary = dict(parameters)
    if "rope_theta" in rotary:
        out.setdefault("rope_theta", rotary.pop("rope_theta"))
    if "partial_rotary_factor" in rotary:
        out.setdefault("partial_rotary_factor", rotary.pop("partial_rotary_factor"))
    plain = rotary.get("rope_type", "default") == "default"
    out.setdefault("rope_scaling", None if plain else rotary)


def _new_form(out: JsonObject) -> JsonObject:
    scaling = dict(object_at(out, "rope_scaling"))
    scaling.setdefault("rope_type", scaling.pop("type", "default"))
    rotary: JsonObject = {**scaling, "rope_theta": out["rope_theta"]}
    if "partial_rotary_factor" in out:
        rotary["partial_rotary_factor"] = out["partial_rotary_factor"]
    if "rope_local_base_freq" not in out:
        return rotary
    local: JsonObject = {"rope_type": "default", "rope_theta": out["rope_local_base_freq"]}
    return {"full_attention": rotary, "sliding_attention": local}
