"""The wheel holds every package of the source tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("augment", "data", "models", "rag", "recipes", "scoring", "trainer")


def test_every_package_is_listed_for_the_wheel() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(config["tool"]["setuptools"]["packages"])
    folders = [path.parent for room in ROOMS for path in (ROOT / room).rglob("__init__.py")]
    found = {".".join(("kofinlaw", *folder.relative_to(ROOT).parts)) for folder in folders}
    assert found
    assert found <= listed, sorted(found - listed)
