"""An index folder's generations: the one being built, the one in use, the one before.

`index.json` names the generation in use. It is replaced in one step when a build is whole, so a
reader sees the old index or the new one and never a mixture.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from kofinlaw.files import write_json


def start(building: Path, meta: dict[str, Any]) -> None:
    """Keep what an unfinished build of the same thing left; drop that of another."""
    mark = building / "building.json"
    if mark.exists() and json.loads(mark.read_text(encoding="utf-8")) == meta:
        return
    shutil.rmtree(building, ignore_errors=True)
    write_json(mark, meta)


def publish(out: Path, building: Path, meta: dict[str, Any]) -> Path:
    """Give the built files their name and point `index.json` at them, then drop older ones."""
    shutil.rmtree(building / "blocks")
    (building / "building.json").unlink()
    name, before = f"g-{fingerprint(meta)[:12]}", _older_name(out)
    # The same build, found damaged or asked again: the one in use stays until it is replaced.
    generation = out / (f"{name}-2" if name == before else name)
    shutil.rmtree(generation, ignore_errors=True)
    building.rename(generation)
    write_json(out / "index.json", {**meta, "generation": generation.name})
    kept = {generation.name, before}  # the one before may still be read by who opened it
    for folder in out.glob("g-*"):
        if folder.name not in kept:
            shutil.rmtree(folder)
    return generation


def _older_name(out: Path) -> str:
    try:
        return str(json.loads((out / "index.json").read_text(encoding="utf-8"))["generation"])
    except (OSError, ValueError, KeyError):
        return ""


def fingerprint(meta: dict[str, Any]) -> str:
    """Hexadecimal; of what an index was made from, not of where it lies."""
    named = {key: value for key, value in meta.items() if key != "generation"}
    text = json.dumps(named, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
