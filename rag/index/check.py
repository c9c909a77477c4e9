"""Whether an index holds what a recipe's settings ask of it."""

from __future__ import annotations

from kofinlaw import UserError
from kofinlaw.rag.index.build import lexical_kinds, tokeniser_version
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings


def check_index(index: Index, settings: RagSettings) -> None:
    """Raise UserError where the index does not hold what the settings ask for."""
    kinds = lexical_kinds(settings)
    for kind in kinds:
        if kind not in index.meta["lexical"]:
            index.lexical(kind)  # raises with what to do
    if "kiwi" in kinds and index.meta["tokeniser"] != tokeniser_version():
        raise UserError(
            f"the index was cut by {index.meta['tokeniser']}, here is {tokeniser_version()}",
            where=str(index.folder),
            remedy="build the index again, or install the version it was built with",
        )
    if settings.embedder is None:
        return
    if settings.embedder != index.meta["embedder"]:
        raise UserError(
            f"the index holds vectors of {index.meta['embedder'] or 'no embedder'}, "
            f"the recipe asks for {settings.embedder}",
            where=str(index.folder),
            remedy="build the index again, or set rag.embedder to the one it was built with",
        )
