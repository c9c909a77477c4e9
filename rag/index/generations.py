"""Manage the generations of an index folder: one being built, one in use, and one before it.

`index.json` names the generation in use. It is replaced in one step when a build is complete, so
a reader sees the old index or the new one and never a mixture.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import write_json
from kofinlaw.rag.index.meta import IndexMeta, fingerprint
from kofinlaw.tolerant_files import read_json

__all__ = ["publish", "start"]


def start(building: Path, meta: Mapping[str, object]) -> None:
    """Keep what an unfinished build of the same index left in `building`; delete anything else."""
    mark = building / "building.json"
    if read_json(mark) == meta:  # a broken file is that of no build
        return
    shutil.rmtree(building, ignore_errors=True)
    write_json(mark, meta)


def publish(out: Path, building: Path, meta: IndexMeta) -> Path:
    """Name the built files, point `index.json` to them, and delete older generations.

    Returns the folder of the new generation.
    """
    shutil.rmtree(building / "blocks")
    (building / "building.json").unlink()
    name, previous = f"g-{fingerprint(meta)[:12]}", _generation_in_use(out)
    # The same build again (damaged, or requested again): the one in use stays until it is replaced.
    generation = out / (f"{name}-2" if name == previous else name)
    shutil.rmtree(generation, ignore_errors=True)
    building.rename(generation)
    write_json(out / "index.json", {**meta, "generation": generation.name})
    kept = {generation.name, previous}  # a process that opened the previous one may still read it
    for folder in out.glob("g-*"):
        if folder.name not in kept:
            shutil.rmtree(folder)
    return generation


def _generation_in_use(out: Path) -> str:
    try:
        return str(load_json((out / "index.json").read_text(encoding="utf-8"))["generation"])
    except (OSError, ValueError, KeyError) as error:
        raise_if_machine(error, out / "index.json")
        return ""
