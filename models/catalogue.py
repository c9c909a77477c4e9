"""Look up models and licences in catalogue.yaml, and recognise local model folders by shape."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine

__all__ = [
    "FILE",
    "LLAMA_TARGETS",
    "SHAPE_KEYS",
    "GuideClaim",
    "License",
    "ModelCard",
    "Role",
    "all_models",
    "card_from_config",
    "estimate_parameters",
    "find_model",
    "guide_claims",
    "licence_notice",
    "licenses",
    "lookup_model",
    "recognise_folder",
]

Role = Literal["llm", "embedder", "reranker"]
LLAMA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
FILE = Path(__file__).parent / "catalogue.yaml"


@dataclass(frozen=True, slots=True)
class License:
    """A licence and the uses that it allows.

    `derivatives` says whether works derived from the licensed work may be shared. `teach` says
    which models the outputs of a licensed model may train: others (any model), own (its own
    family), inherits (any model, but the licence then also covers the student). The name of a
    derived model must begin with `derived_name`. `clauses` gives the licence's clauses on use,
    teaching, naming and passing on under the keys use, teach, name and ship. `notice` is the text
    of the notice that must travel with the weights.
    """

    name: str
    research: bool = False
    commercial: bool = False
    derivatives: bool = True
    teach: Literal["others", "own", "inherits"] = "own"
    derived_name: str = ""
    clauses: dict[str, str] = field(default_factory=dict)
    notice: str = ""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as catalogue.yaml or the config.json of a local folder describes it.

    Zero or an empty value means unknown.

    - `parameters` counts weights, tied embeddings once.
    - `context` is in tokens.
    - `released` is the ISO day of the first public weights.
    - `ships_as` names the package that contains the weights.
    - `gated` says whether the MLP has a gate.
    - `refused` says why kofinlaw does not use this model.
    """

    id: str
    aliases: tuple[str, ...] = ()
    family: str = ""
    role: Role = "llm"
    model_type: str = ""
    parameters: int = 0
    layers: int = 0
    hidden: int = 0
    intermediate: int = 0
    heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    vocab: int = 0
    context: int = 0
    tied: bool = False
    gated: bool = True
    sliding_window: int = 0
    license: str = ""
    license_clauses: dict[str, str] = field(default_factory=dict)
    released: str = ""
    url: str = ""
    template: str = ""
    bos: str = ""
    eos: str = ""
    tokens_per_korean_char: float = 0.0
    lora_targets: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    ships_as: str = ""
    refused: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class GuideClaim:
    """A claim of a widely read guide: on the size of quantised weights, or on a licence."""

    says: str
    parameters: int = 0
    bits: int = 0
    model: str = ""
    license: str = ""


@functools.cache
def _data() -> dict[str, Any]:
    import yaml

    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def guide_claims() -> list[GuideClaim]:
    """Return the guide's claims about memory and licences, to compare with kofinlaw's figures."""
    return [GuideClaim(**claim) for claim in _data()["claims"]]


@functools.cache
def licenses() -> dict[str, License]:
    """Return every licence of the catalogue by name."""
    return {name: License(name=name, **entry) for name, entry in _data()["licenses"].items()}


def licence_notice(name: str) -> str:
    """Return the notice that a licence requires next to the weights; empty: none, or not known."""
    found = licenses().get(name)
    return found.notice if found is not None else ""


@functools.cache
def all_models() -> tuple[ModelCard, ...]:
    """Return every model of the catalogue, in the order of the file."""
    return tuple(_card(name, entry) for name, entry in _data()["models"].items())


def _card(name: str, entry: dict[str, Any]) -> ModelCard:
    family = entry.get("family", "")
    merged = {**_data()["families"].get(family, {}), **entry}
    merged.update(merged.pop("shape", {}))
    merged["id"] = name
    license_name = merged.get("license", "")
    clauses = licenses()[license_name].clauses if license_name in licenses() else {}
    for key in ("aliases", "lora_targets", "readers"):
        merged[key] = tuple(merged.get(key, ()))
    merged["released"] = str(merged.get("released", ""))
    merged.setdefault("url", f"https://huggingface.co/{name}")
    return ModelCard(license_clauses=clauses, **merged)


def find_model(name: str | Path) -> ModelCard:
    """Return the card of a model.

    Args:
        name: a catalogue id, one of its known aliases and misquotes, or a local model folder. A
            folder that the catalogue does not know gets a card from its config.json, with unknown
            licence and date.

    Raises: UserError with the nearest names if nothing fits.
    """
    text = str(name)
    for card in all_models():
        if text.lower() in (card.id.lower(), *(alias.lower() for alias in card.aliases)):
            return card
    folder = Path(name)
    if (folder / "config.json").exists():
        return recognise_folder(folder) or card_from_config(folder)
    names = {alias.lower(): card.id for card in all_models() for alias in (card.id, *card.aliases)}
    near = get_close_matches(text.lower(), names, n=3, cutoff=0.5)
    nearest = list(dict.fromkeys(names[n] for n in near))
    raise UserError(
        f"no model {text!r} in the catalogue, and no such folder with a config.json",
        remedy=f"did you mean {', '.join(nearest)}?" if nearest else "see `kofinlaw models`",
    )


def lookup_model(name: str | Path) -> ModelCard | None:
    """Return the card of a model as `find_model` does; it returns None where that raises."""
    try:
        return find_model(name)
    except UserError:
        return None


SHAPE_KEYS = {
    "hidden": ("hidden_size", "n_embd"),
    "layers": ("num_hidden_layers", "num_layers", "n_layer"),
    "intermediate": ("intermediate_size", "ffn_dim"),
    "heads": ("num_attention_heads", "n_head"),
    "kv_heads": ("num_key_value_heads", "num_attention_heads", "n_head"),
    "vocab": ("vocab_size",),
    "context": ("max_position_embeddings", "n_positions"),
}


@dataclass(frozen=True, slots=True)
class _LocalConfig:
    """The content of a folder's config.json; `shape` has the keys of SHAPE_KEYS and head_dim."""

    shape: dict[str, int]
    tied: bool
    sliding_window: int
    model_type: str
    origin: str


def recognise_folder(folder: Path) -> ModelCard | None:
    """Return the catalogue's card of a local folder by the shape in its config.json, else None."""
    local = _read_local_config(folder)
    keys = ("layers", "hidden", "intermediate", "heads", "kv_heads", "vocab")
    if local is None or not all(local.shape[key] for key in keys):
        return None
    same = [
        card
        for card in all_models()
        if card.role == "llm" and all(getattr(card, key) == local.shape[key] for key in keys)
    ]
    origin = f"{local.origin} {folder.resolve().name}".lower()
    named = [card for card in same if card.id.split("/")[-1].lower() in origin]
    typed = [card for card in same if card.model_type == local.model_type]
    fitting = named or typed or same
    if not fitting:
        return None
    card = fitting[0]
    if card.model_type == local.model_type:
        return card
    # A converted copy: its layers have the names of the model type that it was converted to.
    return replace(card, model_type=local.model_type, lora_targets=LLAMA_TARGETS)


def card_from_config(folder: Path) -> ModelCard:
    """Make a card from a folder's config.json alone, with unknown licence and date.

    Raises: UserError if there is no readable config.json.
    """
    local = _read_local_config(folder)
    if local is None:
        raise UserError("no readable config.json", where=str(folder))
    shape = local.shape
    return ModelCard(
        id=str(folder),
        family=local.model_type,
        model_type=local.model_type,
        parameters=estimate_parameters({**shape, "tied": local.tied}),
        readers=("transformers",),
        hidden=shape["hidden"],
        layers=shape["layers"],
        intermediate=shape["intermediate"],
        heads=shape["heads"],
        kv_heads=shape["kv_heads"],
        head_dim=shape["head_dim"],
        vocab=shape["vocab"],
        context=shape["context"],
        tied=local.tied,
        sliding_window=local.sliding_window,
    )


def _read_local_config(folder: Path) -> _LocalConfig | None:
    try:
        config = load_json((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise_if_machine(error, folder / "config.json")
        return None
    if not isinstance(config, dict):
        return None
    text = config.get("text_config")
    config = {**config, **(text if isinstance(text, dict) else {})}
    shape = {
        key: next((n for name in names if (n := _whole_number(config, name, folder))), 0)
        for key, names in SHAPE_KEYS.items()
    }
    shape["head_dim"] = _whole_number(config, "head_dim", folder) or shape["hidden"] // (
        shape["heads"] or 1
    )
    return _LocalConfig(
        shape=shape,
        tied=bool(config.get("tie_word_embeddings", False)),
        sliding_window=_whole_number(config, "sliding_window", folder),
        model_type=str(config.get("model_type", "")),
        origin=str(config.get("_name_or_path") or config.get("_model_name_or_path") or ""),
    )


def _whole_number(config: Mapping[str, Any], key: str, folder: Path) -> int:
    """Return a number of a config; 0 if it is absent or a list with a value for each layer.

    Raises UserError for any other value that is no whole number.
    """
    value = config.get(key)
    if value is None or value is False or isinstance(value, list):
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise UserError(
            f"{key} is {value!r}, not a whole number",
            where=str(folder / "config.json"),
            remedy="copy the file again from where the model came from",
        )
    return int(value)


def estimate_parameters(shape: Mapping[str, int]) -> int:
    """Count the weights of a Llama-shaped model: attention, MLP, norms, embedding, untied head.

    `shape` has the keys hidden, layers, intermediate, heads, kv_heads, vocab and tied; gated
    (default true) and head_dim (default hidden / heads) are optional.
    """
    hidden, layers = shape["hidden"], shape["layers"]
    head_dim = shape.get("head_dim") or hidden // max(1, shape["heads"])
    attention = 2 * hidden * head_dim * (shape["heads"] + shape["kv_heads"])
    mlp = (3 if shape.get("gated", True) else 2) * hidden * shape["intermediate"]
    embeddings = shape["vocab"] * hidden * (1 if shape["tied"] else 2)
    return layers * (attention + mlp + 2 * hidden) + hidden + embeddings
