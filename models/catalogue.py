"""The models this project knows: shape, licence, date, template, readers (catalogue.yaml)."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from kofinlaw import UserError

Role = Literal["llm", "embedder", "reranker"]
LLAMA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
FILE = Path(__file__).parent / "catalogue.yaml"


@dataclass(frozen=True, slots=True)
class License:
    """What a licence allows, each with its clause (`clauses`: use, teach, name).

    `derivatives`: works made from it may be shared; `teach`: whom its models' outputs may train:
    others (anyone), own (its own family), inherits (anyone, but the licence then covers the student
    too); `derived_name`: how a derivative's name must begin.
    """

    name: str
    research: bool = False
    commercial: bool = False
    derivatives: bool = True
    teach: Literal["others", "own", "inherits"] = "own"
    derived_name: str = ""
    clauses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as the catalogue knows it, or as a local folder's config shows it.

    Zero or empty means unknown. `parameters` counts weights once where embeddings are tied;
    `context` is in tokens; `released` the ISO day of the first public weights; `ships_as` the
    package that carries the weights; `gated` whether the MLP has a gate; `refused` why nothing
    here may use it.
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


@functools.cache
def _data() -> dict[str, Any]:
    import yaml

    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def claims() -> list[dict[str, Any]]:
    """What a widely read guide says of memory and licences, to be printed beside what is so."""
    return list(_data()["claims"])


@functools.cache
def licenses() -> dict[str, License]:
    """Every licence of the catalogue by name."""
    return {name: License(name=name, **entry) for name, entry in _data()["licenses"].items()}


@functools.cache
def all_models() -> tuple[ModelCard, ...]:
    """Every model of the catalogue, in the file's order."""
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


def find(name: str | Path) -> ModelCard:
    """The card of a catalogue id, one of its known misquotes, or a local model folder.

    A folder that the catalogue does not know gets a card from its config.json (licence and date
    unknown). Raises UserError with the nearest names where nothing fits.
    """
    text = str(name)
    for card in all_models():
        if text.lower() in (card.id.lower(), *(alias.lower() for alias in card.aliases)):
            return card
    folder = Path(name)
    if (folder / "config.json").exists():
        return recognise(folder) or card_from_config(folder)
    names = {alias.lower(): card.id for card in all_models() for alias in (card.id, *card.aliases)}
    near = get_close_matches(text.lower(), names, n=3, cutoff=0.5)
    nearest = list(dict.fromkeys(names[n] for n in near))
    raise UserError(
        f"no model {text!r} in the catalogue, and no such folder with a config.json",
        remedy=f"did you mean {', '.join(nearest)}?" if nearest else "see `kofinlaw models`",
    )


SHAPE_KEYS = {
    "hidden": ("hidden_size", "n_embd"),
    "layers": ("num_hidden_layers", "num_layers", "n_layer"),
    "intermediate": ("intermediate_size", "ffn_dim"),
    "heads": ("num_attention_heads", "n_head"),
    "kv_heads": ("num_key_value_heads", "num_attention_heads", "n_head"),
    "vocab": ("vocab_size",),
    "context": ("max_position_embeddings", "n_positions"),
}


def recognise(folder: Path) -> ModelCard | None:
    """The catalogue's card for a local folder, by the shape its config.json gives; else None."""
    local = _shape(folder)
    if local is None:
        return None
    keys = ("layers", "hidden", "intermediate", "heads", "kv_heads", "vocab")
    same = [
        card
        for card in all_models()
        if card.role == "llm" and all(getattr(card, key) == local[key] for key in keys)
    ]
    origin = f"{local['name']} {folder.resolve().name}".lower()
    named = [card for card in same if card.id.split("/")[-1].lower() in origin]
    typed = [card for card in same if card.model_type == local["model_type"]]
    fitting = named or typed or same
    if not fitting:
        return None
    card = fitting[0]
    if card.model_type == local["model_type"]:
        return card
    # A converted copy: its layers bear the names of what it became.
    return replace(card, model_type=local["model_type"], lora_targets=LLAMA_TARGETS)


def card_from_config(folder: Path) -> ModelCard:
    """A card made from a folder's config.json alone: shape known, licence and date not."""
    local = _shape(folder)
    if local is None:
        raise UserError("no readable config.json", where=str(folder))
    shape = {key: local[key] for key in (*SHAPE_KEYS, "head_dim", "tied", "sliding_window")}
    return ModelCard(
        id=str(folder),
        family=local["model_type"],
        model_type=local["model_type"],
        parameters=estimate_parameters(shape),
        readers=("transformers",),
        **shape,
    )


def _shape(folder: Path) -> dict[str, Any] | None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    config = {**config, **config.get("text_config", {})}
    found: dict[str, Any] = {
        key: next((int(config[n]) for n in names if config.get(n)), 0)
        for key, names in SHAPE_KEYS.items()
    }
    heads = found["heads"] or 1
    found["head_dim"] = int(config.get("head_dim") or found["hidden"] // heads)
    found["tied"] = bool(config.get("tie_word_embeddings", False))
    found["sliding_window"] = int(config.get("sliding_window") or 0)
    found["model_type"] = str(config.get("model_type", ""))
    found["name"] = str(config.get("_name_or_path") or config.get("_model_name_or_path") or "")
    return found


def estimate_parameters(shape: dict[str, Any]) -> int:
    """Weights of a Llama-shaped model: attention, gated MLP, norms, embedding and untied head."""
    hidden, layers = shape["hidden"], shape["layers"]
    head_dim = shape.get("head_dim") or hidden // max(1, shape["heads"])
    attention = 2 * hidden * head_dim * (shape["heads"] + shape["kv_heads"])
    mlp = (3 if shape.get("gated", True) else 2) * hidden * shape["intermediate"]
    embeddings = shape["vocab"] * hidden * (1 if shape["tied"] else 2)
    return layers * (attention + mlp + 2 * hidden) + hidden + embeddings
