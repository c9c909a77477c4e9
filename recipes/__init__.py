"""Define recipes, run their stages, and provide the command line.

In: a recipe (YAML) with overrides. Out: `runs/<recipe>/<stage>/` for every stage.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kofinlaw.recipes.api import OpenRun as OpenRun
    from kofinlaw.recipes.api import open_run as open_run
    from kofinlaw.recipes.api import run_recipe as run_recipe
    from kofinlaw.recipes.pipeline.schema import Recipe as Recipe
    from kofinlaw.recipes.pipeline.schema import load_recipe as load_recipe

__all__ = ["OpenRun", "Recipe", "load_recipe", "open_run", "run_recipe"]

_EXPORTS = {
    "OpenRun": "kofinlaw.recipes.api",
    "Recipe": "kofinlaw.recipes.pipeline.schema",
    "load_recipe": "kofinlaw.recipes.pipeline.schema",
    "open_run": "kofinlaw.recipes.api",
    "run_recipe": "kofinlaw.recipes.api",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
