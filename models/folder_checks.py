"""Read the configuration of a model folder and refuse folders that must not be loaded."""

from __future__ import annotations

import json
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.foreign_text import load_json
from kofinlaw.results import JsonValue

__all__ = ["check_folder", "read_config"]


def read_config(path: Path) -> dict[str, JsonValue]:
    """Read a JSON object from a file; an absent file gives an empty object.

    Raises: UserError if the file is not valid JSON or does not hold an object.
    """
    if not path.exists():
        return {}
    try:
        value = load_json(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"the file cannot be read: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise UserError("the file must hold one JSON object", where=str(path))
    return value


def check_folder(folder: Path) -> None:
    """Refuse a folder without weights, with pickled weights only, or with remote code.

    Raises: UserError that names the problem and the remedy.
    """
    config = read_config(folder / "config.json")
    if not config:
        raise UserError(
            "no model here (config.json is missing)",
            where=str(folder),
            remedy="give the folder that holds config.json and *.safetensors",
        )
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise UserError(
            "the weights are pickled files, which can run code" if pickled else "no weights here",
            where=str(folder),
            remedy="get the *.safetensors files of the model",
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
