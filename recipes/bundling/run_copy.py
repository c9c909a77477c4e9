"""Copy the files of a run into a bundle and write its recipe and records for any machine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.decoding import load_json
from kofinlaw.files import write_json, write_text
from kofinlaw.models.embedders import embedder_identity
from kofinlaw.models.embedding.joined import JoinedPart, read_parts, write_joined
from kofinlaw.recipes.bundling.portable import machine_paths, portable_recipe, without_paths
from kofinlaw.recipes.bundling.run_parts import RunFile, RunParts
from kofinlaw.recipes.pipeline.compliance import compliance_record
from kofinlaw.recipes.pipeline.integrity.outputs import describe
from kofinlaw.recipes.pipeline.integrity.stage_record import (
    OutputFile,
    StageRecord,
    read_record,
    write_record,
)
from kofinlaw.recipes.pipeline.recipe_file import read_recipe_file
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.pipeline.schema import check_recipe

__all__ = ["copy_run", "read_compliance"]

_BLOCK = 8 << 20
# Settings and cards of models may name the folder that they were written in. Tokens, documents and
# the index are left as they are.
_TOKENIZER = "tokenizer_config.json"
_SETTINGS = ("README.md", "kofinlaw.json", "modules.json", _TOKENIZER)
# Its keys that hold paths. Its other values are tokens.
_TOKENIZER_PATHS = re.compile(r'("(?:_?name_or_path|\w+_file)"\s*:\s*)("(?:[^"\\]|\\.)*")')
_MOST_TEXT = 1 << 20
_DOCUMENTS = ("run/data/", "run/index/")


def copy_run(run: Run, parts: RunParts, bundle: Path, progress: Progress = silent) -> list[str]:
    """Copy the run's files below `bundle`, and write its recipe and the records of its stages.

    Returns the recipe keys whose files are left out. Raises UserError for a file that changed
    while it was copied, and for a recipe that cannot be read at its new place.
    """
    folders = machine_paths(run)
    hashes: dict[str, OutputFile] = {}
    recorded = {stage: read_record(run.folder / stage).get("outputs", {}) for stage in parts.stages}
    for number, file in enumerate(parts.files, 1):
        hashes[file.place] = _copy(file, bundle, folders)
        _check_copy(file, hashes[file.place], recorded)
        progress("files of the run", number, len(parts.files))
    _write_joined(run, parts, bundle)
    text, left_out = portable_recipe(run, parts.places, parts.answering)
    write_text(bundle / "run" / "recipe.yaml", text)
    recipe = check_recipe(read_recipe_file((bundle / "run" / "recipe.yaml").resolve()))
    if recipe.rag.embedder:
        _rename_embedder(run, recipe.rag.embedder, bundle / "run" / "index" / "index.json", hashes)
    for stage in parts.stages:
        _write_record(run.folder / stage, bundle / "run" / stage, f"run/{stage}/", hashes)
    return left_out


def _copy(file: RunFile, bundle: Path, folders: list[str]) -> OutputFile:
    """Copy one file; return its size and SHA-256 as they are in the bundle."""
    target = bundle / file.place
    target.parent.mkdir(parents=True, exist_ok=True)
    if _is_settings(file) and file.source.stat().st_size <= _MOST_TEXT:
        text = file.source.read_bytes().decode("utf-8", "surrogateescape")
        if Path(file.place).name == _TOKENIZER:
            text = _TOKENIZER_PATHS.sub(
                lambda match: match[1] + without_paths(match[2], folders), text
            )
        else:
            text = without_paths(text, folders)
        raw = text.encode("utf-8", "surrogateescape")
        target.write_bytes(raw)
        return {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    digest, size = hashlib.sha256(), 0
    with open(file.source, "rb") as source, open(target, "wb") as copy:
        while block := source.read(_BLOCK):
            digest.update(block)
            copy.write(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _is_settings(file: RunFile) -> bool:
    name = Path(file.place).name
    config = "config" in name and name.endswith(".json") and not name.startswith("tokenizer")
    return (config or name in _SETTINGS) and not file.place.startswith(_DOCUMENTS)


def _check_copy(
    file: RunFile, copied: OutputFile, recorded: Mapping[str, Mapping[str, OutputFile]]
) -> None:
    """Raise UserError if a copied file of a stage is not the one that its record describes."""
    if not file.stage or _is_settings(file):
        return
    name = file.place.removeprefix(f"run/{file.stage}/")
    wanted = recorded.get(file.stage, {}).get(name, {}).get("sha256")
    if wanted is not None and wanted != copied["sha256"]:
        raise UserError(
            "this file changed while it was copied, or the disk reads it wrongly",
            where=str(file.source),
            remedy="let no other command write the run, and write the bundle again",
        )


def _write_joined(run: Run, parts: RunParts, bundle: Path) -> None:
    """Write the file that names the parts of a joined embedder by their places in the bundle."""
    if parts.joined is None:
        return
    place, names = parts.joined
    rows = read_parts(Path(run.recipe.rag.embedder or ""))
    joined = [JoinedPart(name, row.weight) for name, row in zip(names, rows, strict=True)]
    write_joined(bundle / place, joined)


def _rename_embedder(run: Run, embedder: str, path: Path, hashes: dict[str, OutputFile]) -> None:
    """Write the embedder's name in the bundle into the index, if it has another one there.

    The name of a folder holds a hash of its files, and a model of the hub becomes a folder. The
    vectors are those of the same weights.
    """
    meta = load_json(path.read_text(encoding="utf-8"))
    name = embedder_identity(embedder)
    if meta.get("embedder") == name:
        return
    if meta.get("embedder") != embedder_identity(run.recipe.rag.embedder or ""):
        raise UserError(
            f"the index holds vectors of {meta.get('embedder')}, but the recipe asks for "
            f"{run.recipe.rag.embedder}",
            where=str(run.folder / "index"),
            remedy="build the index again",
        )
    write_json(path, {**meta, "embedder": name})
    raw = path.read_bytes()
    place = f"run/index/{path.name}"
    hashes[place] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def _write_record(stage: Path, folder: Path, prefix: str, hashes: Mapping[str, OutputFile]) -> None:
    """Write a stage's record for the copied files, without settings, which hold paths."""
    record = read_record(stage)
    known = {folder / name.removeprefix(prefix): one for name, one in hashes.items()
             if name.startswith(prefix)}  # fmt: skip
    kept: StageRecord = {
        "stage": record.get("stage", stage.name),
        "status": "complete",
        "fingerprint": record.get("fingerprint", ""),
        "version": record.get("version", ""),
        "outputs": describe(folder, lambda path: known[path]["sha256"]),
    }
    write_record(folder, kept)


def read_compliance(run: Run) -> str:
    """Return the run's compliance record as JSON text, without the paths of this machine.

    A run that wrote none yet gets one now. Raises UserError if the record is broken.
    """
    path = run.folder / "compliance.json"
    if path.is_file():
        try:
            record = load_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"broken JSON: {error}", where=str(path)) from error
    else:
        record = compliance_record(run)
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    return without_paths(text, machine_paths(run))
