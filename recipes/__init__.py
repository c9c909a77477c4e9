"""Define recipes, run their stages, and provide the command line.

In: a recipe (YAML) with overrides. Out: `runs/<recipe>/<stage>/` for every stage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

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

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
