"""EXAONE 3.x configs to Llama's and back: every key read, none guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.trainer.convert import names
from kofinlaw.trainer.merge.config import readable_by_both


def exaone_to_llama_config(config: dict[str, Any], where: Path) -> dict[str, Any]:
    """The Llama config of the same model.

    Raises UserError for a config that is not EXAONE 3.x, a key that is missing or not known, a
    rope_scaling whose numbers are not all there, and dropout on embeddings (Llama has none).
    """
    if config.get("model_type") != "exaone":
        raise UserError(
            f"model_type is {config.get('model_type')!r}, not 'exaone' (EXAONE 3.0 or 3.5)",
            where=str(where),
            remedy="EXAONE 4 is read by transformers as it stands and is no Llama",
        )
    known = {key for key, _ in names.REQUIRED} | {*names.OPTIONAL, *names.IDENTITY, "embed_dropout"}
    _check_keys(config, known, [key for key, _ in names.REQUIRED], where)
    if config.get("embed_dropout"):
        raise UserError(
            f"embed_dropout is {config['embed_dropout']}, Llama has none", where=str(where)
        )
    check_rope_scaling(config["rope_scaling"], where)
    out: dict[str, Any] = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    out |= {llama: config[exaone] for exaone, llama in names.REQUIRED}
    out |= {key: config[key] for key in names.OPTIONAL if key in config}
    out |= names.LLAMA_FIXED
    out.setdefault("head_dim", _head_dim(config, where))
    stored = out.get("dtype") or out.get("torch_dtype")
    if stored is None:
        raise UserError("neither torch_dtype nor dtype is given", where=str(where))
    return readable_by_both(out, dtype=str(stored))


def llama_to_exaone_config(
    config: dict[str, Any], where: Path, original: dict[str, Any] | None
) -> dict[str, Any]:
    """The EXAONE config of a Llama that was converted; `original` (what it was converted from)
    gives key order and the keys Llama has no place for."""
    if config.get("model_type") != "llama":
        raise UserError(
            f"model_type is {config.get('model_type')!r}, not 'llama'", where=str(where)
        )
    known = {llama for _, llama in names.REQUIRED} | {
        *names.OPTIONAL,
        *names.IDENTITY,
        *names.LLAMA_FIXED,
        *names.LLAMA_DERIVED,
    }
    _check_keys(config, known, [llama for _, llama in names.REQUIRED], where)
    for key, value in names.LLAMA_FIXED.items():
        if config.get(key, value) != value:
            raise UserError(f"{key} is {config[key]}: EXAONE has no such weights", where=str(where))
    check_rope_scaling(config["rope_scaling"], where)
    values = {exaone: config[llama] for exaone, llama in names.REQUIRED}
    values |= {key: config[key] for key in names.OPTIONAL if key in config}
    if original is None:
        return {"architectures": ["ExaoneForCausalLM"], "model_type": "exaone", **values}
    out = {key: values.get(key, value) for key, value in original.items()}
    # What the way to Llama added is not carried back where it says nothing new.
    added = ("head_dim", "dtype", "torch_dtype")
    return out | {k: v for k, v in values.items() if k not in out and k not in added}


def check_rope_scaling(scaling: Any, where: Path) -> None:
    """Raises UserError for a scaling whose type or numbers are not all known."""
    if scaling is None:
        return
    if not isinstance(scaling, dict):
        raise UserError("rope_scaling must be an object or null", where=str(where))
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind not in names.ROPE_SCALING:
        raise UserError(
            f"rope_scaling of type {kind!r} is not known here",
            where=str(where),
            remedy=f"known are {', '.join(names.ROPE_SCALING)}",
        )
    wanted = names.ROPE_SCALING[kind]
    missing = [key for key in wanted if key not in scaling]
    strange = sorted(set(scaling) - {*wanted, "rope_type", "type"})
    if missing or strange:
        raise UserError(
            f"rope_scaling {kind}: "
            + "; ".join(
                text
                for text in (
                    f"missing {', '.join(missing)}" if missing else "",
                    f"unknown {', '.join(strange)}" if strange else "",
                )
                if text
            ),
            where=str(where),
            remedy="readers fill the gap with different defaults; take the official file",
        )


def sizes_of(llama_config: dict[str, Any]) -> dict[str, int]:
    """The sizes `LAYER_TENSORS` names, from a Llama config."""
    head = llama_config["head_dim"]
    return {
        "hidden": llama_config["hidden_size"],
        "queries": llama_config["num_attention_heads"] * head,
        "keys": llama_config["num_key_value_heads"] * head,
        "intermediate": llama_config["intermediate_size"],
    }


def _head_dim(config: dict[str, Any], where: Path) -> int:
    """EXAONE's attention divides the hidden size by its heads."""
    size, rest = divmod(config["hidden_size"], config["num_attention_heads"])
    if rest:
        raise UserError("hidden_size is no multiple of num_attention_heads", where=str(where))
    return size


def _check_keys(config: dict[str, Any], known: set[str], required: list[str], where: Path) -> None:
    unknown = sorted(set(config) - known)
    missing = [key for key in required if key not in config]
    if unknown:
        raise UserError(
            f"the config has keys this conversion does not know: {', '.join(unknown)}",
            where=str(where),
            remedy="they may change the model; nothing is guessed",
        )
    if missing:
        raise UserError(
            f"the config lacks {', '.join(missing)}",
            where=str(where),
            remedy="take the official config.json; nothing is guessed",
        )
