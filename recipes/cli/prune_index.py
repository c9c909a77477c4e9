"""Show the collections of a recipe's Weaviate server, and remove those that it no longer uses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.console import say

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["prune_collections"]

_WORDS = {
    "in use": "keep    ",
    "old": "remove  ",
    "shared": "release ",
    "probe": "remove  ",
    "foreign": "keep    ",
    "unknown": "keep    ",
}
_REASONS = {
    "in use": "this recipe searches it",
    "old": "of an earlier index of this recipe",
    "shared": "of an earlier index of this recipe; another recipe uses it too, so it stays",
    "probe": "left by an import that was cut off",
    "foreign": "another recipe uses it",
    "unknown": "made by an older version or another program; delete it by hand if nobody uses it",
}


def prune_collections(bound: Run, *, yes: bool) -> None:
    """List the collections of the run's server; remove old ones of this recipe.

    Asks first on a terminal. Elsewhere `yes` is needed; without it nothing is removed. Raises
    UserError where the recipe searches no server, or the server does not answer.
    """
    from kofinlaw.rag import Index
    from kofinlaw.rag.index.stores.weaviate_server.connection import Server
    from kofinlaw.rag.index.stores.weaviate_server.pruning import (
        list_collections,
        remove_collection,
    )

    settings = bound.recipe.rag
    if settings.store != "weaviate":
        raise UserError(
            f"`rag.store` is {settings.store}: there are no collections on a server",
            where="--prune",
            remedy="older generations in the index folder are removed by each build",
        )
    index = Index.load(bound.folder / "index")
    server = Server(settings.weaviate)
    try:
        held = list_collections(server, index, settings)
        say(f"\ncollections on {server.url}:")
        for one in held:
            passages = f"{one.passages:,} passages"
            say(f"  {_WORDS[one.state]}{one.name}  {passages}: {_REASONS[one.state]}")
        old = [one for one in held if one.removable]
        if not old:
            say("nothing to remove")
            return
        if not yes and not (sys.stdin.isatty() and typer.confirm(f"Remove {len(old)}?")):
            say(f"nothing removed; `--prune --yes` removes {len(old)}")
            return
        for one in old:
            remove_collection(server, one, index)
        say(f"removed: {len(old)}")
    finally:
        server.close()
