"""A config.json that transformers 4 and 5 read alike.

transformers 5 saves rotary settings in `rope_parameters` alone; 4.x knows `rope_theta` and
`rope_scaling`, and without them falls back to theta 10000 without a word. Both forms are
written, from whichever the base has; every other key stays as it is.
"""

from __future__ import annotations

from typing import Any

LAYER_KINDS = ("full_attention", "sliding_attention")


def readable_by_both(
    config: dict[str, Any], *, dtype: str, tied: bool | None = None, vocab_size: int | None = None
) -> dict[str, Any]:
    """The config with both generations' keys; `dtype` as torch names it (`bfloat16`).

    `tied` and `vocab_size` are given where the merge changed them.
    """
    out = dict(config)
    out.pop("_name_or_path", None)
    out.pop("auto_map", None)
    out["dtype"] = out["torch_dtype"] = dtype
    if tied is not None:
        out["tie_word_embeddings"] = tied
    if vocab_size is not None:
        out["vocab_size"] = vocab_size
    parameters = out.get("rope_parameters")
    if parameters:
        _add_old_keys(out, parameters)
    elif "rope_theta" in out:
        out["rope_parameters"] = _new_form(out)
    return out


def _add_old_keys(out: dict[str, Any], parameters: dict[str, Any]) -> None:
    if any(kind in parameters for kind in LAYER_KINDS):
        whole = dict(parameters.get("full_attention") or {})
        local = parameters.get("sliding_attention") or {}
        if "rope_theta" in local:
            out.setdefault("rope_local_base_freq", local["rope_theta"])
    else:
        whole = dict(parameters)
    if "rope_theta" in whole:
        out.setdefault("rope_theta", whole.pop("rope_theta"))
    if "partial_rotary_factor" in whole:
        out.setdefault("partial_rotary_factor", whole.pop("partial_rotary_factor"))
    plain = whole.get("rope_type", "default") == "default"
    out.setdefault("rope_scaling", None if plain else whole)


def _new_form(out: dict[str, Any]) -> dict[str, Any]:
    scaling = dict(out.get("rope_scaling") or {})
    scaling.setdefault("rope_type", scaling.pop("type", "default"))
    whole = {**scaling, "rope_theta": out["rope_theta"]}
    if "partial_rotary_factor" in out:
        whole["partial_rotary_factor"] = out["partial_rotary_factor"]
    if "rope_local_base_freq" not in out:
        return whole
    local = {"rope_type": "default", "rope_theta": out["rope_local_base_freq"]}
    return {"full_attention": whole, "sliding_attention": local}
