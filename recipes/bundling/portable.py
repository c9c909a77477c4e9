"""Remove the paths of this machine from what a bundle holds: recipe, records, texts of models."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

import kofinlaw
from kofinlaw import UserError
from kofinlaw.recipes.pipeline.recipe_file import change_paths
from kofinlaw.recipes.pipeline.run import Run, source_paths

__all__ = [
    "LEFT_OUT",
    "machine_paths",
    "portable_recipe",
    "require_no_machine_path",
    "run_paths",
    "without_paths",
]

LEFT_OUT = "not-in-bundle"
# After the last letter of a folder that is looked for.
_REST = r"(?![\w.-])(?:/[^\s\"'`<>|*()\\,;]*)?"
_NAME = re.compile(r"[^\w.-]+")
_BLOCK = 1 << 20
# Larger files are weights and tables of numbers: only their beginning, with the header, is read.
_MOST_READ = 64 << 20


def portable_recipe(
    run: Run, places: Mapping[str, str], answering: Mapping[str, object]
) -> tuple[str, list[str]]:
    """Return the recipe of a bundle as YAML, and the keys whose files are left out.

    Args:
        run: The run.
        places: The path in the bundle of what each recipe key names, by the path or name that the
            key has now.
        answering: Values of keys that answering needs otherwise (`model.path`), by dotted key.
    """
    values = run.recipe.model_dump(mode="json")
    left_out: list[str] = []

    def placed(key: str, value: str) -> str:
        if value in places:
            return places[value]
        if not _is_path(value):
            return value
        left_out.append(key)
        return f"{LEFT_OUT}/{_NAME.sub('-', Path(value).name) or 'file'}"

    change_paths(values, placed)
    for dotted, value in answering.items():
        *sections, last = dotted.split(".")
        section = values
        for name in sections:
            section = section[name]
        section[last] = value
    if _is_path(str(values["model"]["id"])):
        values["model"]["id"] = Path(values["model"]["id"]).name
    keys = sorted(set(left_out) - set(answering))
    lines = [f"# The recipe of this bundle. Files of these keys are left out: {', '.join(keys)}."]
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    return "\n".join([*(lines if keys else []), text]), keys


def _is_path(value: str) -> bool:
    return value.startswith(("/", "./", "../", "~"))


def run_paths(run: Run) -> list[str]:
    """Return the folders of this run, its documents and its weights, longest first."""
    recipe = run.recipe
    named = [run.folder, run.recipe_file.path.parent, *source_paths(run), run.cache]
    named += [path for path in (recipe.model.path, recipe.answer.engine.gguf) if path is not None]
    names = [one for one in (recipe.rag.embedder, recipe.rag.reranker) if one is not None]
    named += [Path(one) for one in names if _is_path(one)]
    whole = [path for path in named if path.is_absolute()]
    parents = [path.parent for path in whole]
    return _sorted(path for path in (*whole, *parents) if len(path.parts) > 2)


def machine_paths(run: Run) -> list[str]:
    """Return the folders of this machine that no text of a bundle names, longest first.

    Documents may name the home folder and the current folder for reasons of their own: for them
    `run_paths` counts.
    """
    general = [Path.home(), Path.cwd(), Path(kofinlaw.__file__).resolve().parents[1]]
    return _sorted([*map(Path, run_paths(run)), *general])


def _sorted(paths: Iterable[Path]) -> list[str]:
    shared = {"/", "/home", "/usr", "/opt", "/mnt", "/media", "/srv", "/var", tempfile.gettempdir()}
    return sorted({str(path) for path in paths} - shared, key=lambda path: (-len(path), path))


def without_paths(text: str, folders: Iterable[str]) -> str:
    """Return a text in which a path below one of the folders is the last name of the path."""
    found = "|".join(re.escape(folder) for folder in folders)
    if not found:
        return text
    return re.sub(f"(?:{found}){_REST}", lambda match: Path(match.group()).name, text)


def require_no_machine_path(bundle: Path, names: Iterable[str], folders: Iterable[str]) -> None:
    """Raise UserError for a file of a bundle that names one of the folders.

    Of files above 64 MiB, only the first mebibyte is read.
    """
    wanted = [folder.encode("utf-8", "surrogateescape") + b"/" for folder in folders]
    longest = max((len(one) for one in wanted), default=1)
    for name in names:
        path = bundle / name
        whole = path.stat().st_size <= _MOST_READ
        with open(path, "rb") as handle:
            tail = b""
            while block := handle.read(_BLOCK):
                block = tail + block
                for one in wanted:
                    if one in block:
                        raise UserError(
                            f"this file names the folder {one.decode('utf-8', 'replace')} of this "
                            "machine",
                            where=name,
                            remedy="move the run's documents or weights, and run its stages again",
                        )
                tail = block[-longest:]
                if not whole:
                    break
