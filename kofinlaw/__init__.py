"""Build and prove Korean finance and law models on one GPU.

In: a recipe and a folder of documents. Out: a merged checkpoint, the proof that it behaves like
the model that was trained, its answers before a deadline, and a report.

    import kofinlaw

    kofinlaw.run("quickstart")
    run = kofinlaw.open_run("runs/quickstart")
    print(run.ask("전자금융사고가 나면 언제까지 보고하나요?").answer)

The packages are `data`, `models`, `augment`, `trainer`, `rag`,
`scoring` and `recipes`; each exports
its own public functions. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.errors import UserError
from kofinlaw.lazy import lazy_exports
from kofinlaw.progress import Progress, silent

if TYPE_CHECKING:
    from kofinlaw.recipes.api import OpenRun as OpenRun
    from kofinlaw.recipes.api import open_run as open_run
    from kofinlaw.recipes.api import run_recipe as run

__version__ = "0.1.0"

__all__ = ["OpenRun", "Progress", "UserError", "open_run", "run", "silent"]

# Public name -> module, or module:name. The root package lies below every room, so these names are
# looked up when they are used and never imported here.
_EXPORTS = {
    "OpenRun": "kofinlaw.recipes.api",
    "open_run": "kofinlaw.recipes.api",
    "run": "kofinlaw.recipes.api:run_recipe",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
