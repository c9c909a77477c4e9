"""Convert EXAONE 3.x configs to Llama's and back: every key is read, no value is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.results import JsonValue
from kofinlaw.trainer.convert import name_tables as names
from kofinlaw.trainer.merge.json_objects import JsonObject, integer_at
from kofinlaw.trainer.merge.merged_config import readable_by_both

__all__ = ["check_rope_scaling", "exaone_to_llama_config", "llama_to_exaone_config", "sizes_of"]


def exaone_to_llama_config(config: JsonObject, where: Path) -> JsonObject:
    """Return the Llama config of the same model; `where` is the file that messages name.

    Raises UserError for a config that is not EXAONE 3.x, for a missing or unknown key, for an
    incomplete rope_scaling, and for dropout on embeddings (Llama has none).
    """
    if config.get("model_type") != "exaone":
        raise UserError(
            f"model_type is {config.get('model_type')!r}, not 'exaone' (EXAONE 3.0 or 3.5)",
            where=str(where),
            remedy="transformers reads EXAONE 4 without conversion; it is not a Llama",
        )
    known = {key for key, _ in names.REQUIRED} | {*names.OPTIONAL, *names.IDENTITY, "embed_dropout"}
    _check_keys(config, known, [key for key, _ in names.REQUIRED], where)
    if config.get("embed_dropout"):
        raise UserError(
            f"embed_dropout is {config['embed_dropout']}, Llama has none", where=str(where)
        )
    check_rope_scaling(config["rope_scaling"], where)
    out: JsonObject = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    out |= {llama: config[exaone] for exaone, llama in names.REQUIRED}
    out |= {key: config[key] for key in names.OPTIONAL if key in config}
    out |= names.LLAMA_FIXED
    out.setdefault("head_dim", _head_dim(config, where))
    stored = out.get("dtype") or out.get("torch_dtype")
    if stored is None:
        raise UserError("neither torch_dtype nor dtype is given", where=str(where))
    return readable_by_both(out, dtype=str(stored))


def llama_to_exaone_config(
    config: JsonObject, where: Path, original: JsonObject | None
) -> JsonObject:
    """Return the EXAONE config of a Llama that was converted from EXAONE.

    `original`, the config it was converted from, gives the order of keys and the keys that Llama
    lacks. Raises UserError for unknown or missing keys, and for values that EXAONE cannot hold.
    """
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
    values: JsonObject = {exaone: config[llama] for exaone, llama in names.REQUIRED}
    values |= {key: config[key] for key in names.OPTIONAL if key in config}
    if original is None:
        return {"architectures": ["ExaoneForCausalLM"], "model_type": "exaone", **values}
    out = {key: values.get(key, value) for key, value in original.items()}
    # Keys that the conversion to Llama added are left out.
    added = ("head_dim", "dtype", "torch_dtype")
    return out | {k: v for k, v in values.items() if k not in out and k not in added}


def check_rope_scaling(scaling: JsonValue, where: Path) -> None:
    """Raise UserError for a scaling of unknown type, or with missing or unknown numbers."""
    if scaling is None:
        return
    if not isinstance(scaling, dict):
        raise UserError("rope_scaling must be an object or null", where=str(where))
    kind = scaling.get("rope_type", scaling.get("type"))
    if not isinstance(kind, str) or kind not in names.ROPE_SCALING:
        raise UserError(
            f"rope_scaling of type {kind!r} is not supported",
            where=str(where),
            remedy=f"supported types: {', '.join(names.ROPE_SCALING)}",
        )
    needed = names.ROPE_SCALING[kind]
    missing = [key for key in needed if key not in scaling]
    unknown = sorted(set(scaling) - {*needed, "rope_type", "type"})
    faults = [f"missing {', '.join(missing)}"] if missing else []
    faults += [f"unknown {', '.join(unknown)}"] if unknown else []
    if faults:
        raise UserError(
            f"rope_scaling {kind}: {'; '.join(faults)}",
            where=str(where),
            remedy="use the official config.json; readers have different defaults",
        )


def sizes_of(llama_config: Mapping[str, JsonValue], where: Path) -> dict[str, int]:
    """The sizes of a Llama config by the names that `LAYER_TENSORS` uses, the number of layers
    and the vocabulary; raises UserError for a size that is not a whole number."""
    head = integer_at(llama_config, "head_dim", where)
    return {
        "hidden": integer_at(llama_config, "hidden_size", where),
        "queries": integer_at(llama_config, "num_attention_heads", where) * head,
        "keys": integer_at(llama_config, "num_key_value_heads", where) * head,
        "intermediate": integer_at(llama_config, "intermediate_size", where),
        "layers": integer_at(llama_config, "num_hidden_layers", where),
        "vocabulary": integer_at(llama_config, "vocab_size", where),
    }


def _head_dim(config: JsonObject, where: Path) -> int:
    """Return the width of a head: EXAONE's attention divides the hidden size by its heads."""
    hidden = integer_at(config, "hidden_size", where)
    size, rest = divmod(hidden, integer_at(config, "num_attention_heads", where))
    if rest:
        raise UserError("hidden_size is not a multiple of num_attention_heads", where=str(where))
    return size


def _check_keys(config: JsonObject, known: set[str], required: list[str], where: Path) -> None:
    unknown = sorted(set(config) - known)
    missing = [key for key in required if key not in config]
    if unknown:
        raise UserError(
            f"the config has keys that this conversion does not know: {', '.join(unknown)}",
            where=str(where),
            remedy="they may change the model; convert a config without them",
        )
    if missing:
        raise UserError(
            f"the config lacks {', '.join(missing)}",
            where=str(where),
            remedy="use the official config.json; no value is guessed",
        )
