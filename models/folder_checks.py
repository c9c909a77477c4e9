"""Read the configuration of a model folder and refuse folders that must not be loaded.

Everything is decided from config.json and the headers of the weights: sizes that do not fit are
refused before a library builds a model of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.weight_headers import tensor_shapes, weight_files
from kofinlaw.results import JsonValue

__all__ = ["check_folder", "read_config"]

Shapes = Mapping[str, tuple[int, ...]]

# Sizes that config.json may give, with the largest value of any model there is, times ten or more.
_MOST = {
    "hidden_size": 10**6,
    "n_embd": 10**6,
    "intermediate_size": 10**7,
    "num_hidden_layers": 10**4,
    "num_layers": 10**4,
    "n_layer": 10**4,
    "num_attention_heads": 10**5,
    "n_head": 10**5,
    "num_key_value_heads": 10**5,
    "head_dim": 10**5,
    "vocab_size": 10**8,
    "max_position_embeddings": 10**9,
    "n_positions": 10**9,
}
_MAY_BE_LISTS = ("intermediate_size", "num_attention_heads", "num_key_value_heads")
# The packages with which transformers reads weights of a quantization method; vLLM reads them too.
_PACKAGES = {
    "gptq": ("gptqmodel", "auto_gptq"),
    "awq": ("gptqmodel", "awq"),
    "compressed-tensors": ("compressed_tensors",),
    "bitsandbytes": ("bitsandbytes",),
}
_EMBEDDING = re.compile(r"(?:^|\.)(?:embed_tokens|wte|word_embeddings|tok_embeddings)\.weight$")
_LAYER = re.compile(r"(?:^|\.)(?:layers|h)\.(\d+)\.")
_OTHER_TOWER = re.compile(r"vision|visual|image|audio|encoder|mtp", re.IGNORECASE)
_MLP = re.compile(r"\.mlp\.(?:gate_proj|up_proj)\.weight$")


def read_config(path: Path) -> dict[str, JsonValue]:
    """Read a JSON object from a file; an absent file gives an empty object.

    Raises: UserError if the file is not valid JSON or does not hold an object.
    """
    if not path.exists():
        return {}
    try:
        value = load_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise_if_machine(error, path)
        raise UserError(
            f"the file cannot be read: {error}",
            where=str(path),
            remedy="get this file of the model again",
        ) from error
    if not isinstance(value, dict):
        raise UserError("the file must hold one JSON object", where=str(path))
    return value


def check_folder(folder: Path) -> None:
    """Refuse a folder without weights, with pickled weights only, with remote code, or whose files
    contradict each other.

    Raises: UserError that names the problem and the remedy.
    """
    path = folder / "config.json"
    config = read_config(path)
    if not config:
        raise UserError(
            "no model here (config.json is missing)",
            where=str(folder),
            remedy="give the folder that holds config.json and *.safetensors",
        )
    if "auto_map" in config:
        remedy = "use a model that transformers supports without remote code"
        if config.get("model_type") == "exaone":
            remedy = "run `kofinlaw convert llama` on it: EXAONE 3.x becomes a Llama by renaming"
        raise UserError(
            "this model contains its own code, which kofinlaw never runs",
            where=str(folder),
            remedy=remedy,
        )
    read_config(folder / "generation_config.json")
    text = _text_part(config, path)
    _check_values(text, path)
    shapes = tensor_shapes(weight_files(folder))
    if not _check_quantization(config, path):
        _check_sizes(text, shapes, path)


def _text_part(config: Mapping[str, JsonValue], path: Path) -> Mapping[str, JsonValue]:
    """Return the values of the language model, which multimodal models keep in `text_config`."""
    inner = config.get("text_config", {})
    if not isinstance(inner, Mapping):
        raise UserError("`text_config` must be an object", where=str(path))
    return {**config, **inner}


def _check_values(config: Mapping[str, JsonValue], path: Path) -> None:
    """Refuse sizes that are no positive numbers, or larger than those of any model."""
    for key, most in _MOST.items():
        value = config.get(key)
        if value is None and (key not in config or key in ("num_key_value_heads", "head_dim")):
            continue
        values = value if isinstance(value, list) and key in _MAY_BE_LISTS else [value]
        for one in values:
            if isinstance(one, bool) or not isinstance(one, int) or not 1 <= one <= most:
                raise UserError(
                    f"`{key}` is {str(one)[:40]}, not a whole number from 1 to {most:,}",
                    where=str(path),
                    remedy="get config.json of the model again",
                )


def _check_quantization(config: Mapping[str, JsonValue], path: Path) -> bool:
    """Return whether the weights are quantized; refuse a method that nothing here can read."""
    found = config.get("quantization_config")
    if found is None:
        return False
    if not isinstance(found, Mapping):
        raise UserError("`quantization_config` must be an object", where=str(path))
    method = str(found.get("quant_method", ""))
    packages = _PACKAGES.get(method, ())
    if packages and not any(find_spec(name) for name in (*packages, "vllm")):
        raise UserError(
            f"the weights are quantized with {method}, and no package here can read them",
            where=str(path),
            remedy="use the model's original weights (`train.quantization: nf4` quantizes them "
            f"while loading), or answer with them on a machine with vLLM or {packages[0]}",
        )
    return True


def _check_sizes(config: Mapping[str, JsonValue], shapes: Shapes, path: Path) -> None:
    """Refuse a config.json whose sizes are not those of the weights."""

    def refuse(key: str, said: object, found: object, what: str) -> None:
        raise UserError(
            f"`{key}` is {said}, and the weights have {found} ({what})",
            where=str(path),
            remedy="config.json and weights belong to different models: get both from one place",
        )

    own = {name: shape for name, shape in shapes.items() if not _OTHER_TOWER.search(name)}
    for name, shape in own.items():
        if not _EMBEDDING.search(name) or len(shape) != 2:
            continue
        rows, width = config.get("vocab_size"), config.get("hidden_size", config.get("n_embd"))
        if isinstance(rows, int) and rows != shape[0]:
            refuse("vocab_size", rows, shape[0], f"rows of {name}")
        narrow = "embedding_size" in config or "word_embed_proj_dim" in config
        if isinstance(width, int) and width != shape[1] and not narrow:
            refuse("hidden_size", width, shape[1], f"columns of {name}")
    layers = {int(match[1]) for name in own if (match := _LAYER.search(name))}
    wanted = next(
        (config[key] for key in ("num_hidden_layers", "n_layer", "num_layers") if key in config),
        None,
    )
    if layers and isinstance(wanted, int) and not config.get("is_encoder_decoder"):
        more = config.get("num_nextn_predict_layers") or 0  # layers that predict further tokens
        most = wanted + (more if isinstance(more, int) else 0)
        if not wanted <= max(layers) + 1 <= most:
            refuse("num_hidden_layers", wanted, max(layers) + 1, "highest number of a layer + 1")
    width = config.get("intermediate_size")
    if isinstance(width, int) and not any("expert" in key for key in config):
        for name, shape in own.items():
            if _MLP.search(name) and len(shape) == 2 and shape[0] != width:
                refuse("intermediate_size", width, shape[0], f"rows of {name}")
