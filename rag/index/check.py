"""Check that an index holds what the recipe's settings need."""

from __future__ import annotations

from kofinlaw import UserError
from kofinlaw.models.embedders import embedder_identity
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.tokens import tokenizer_version
from kofinlaw.rag.settings import RagSettings

__all__ = ["check_index"]


def check_index(index: Index, settings: RagSettings) -> None:
    """Raise UserError where the index does not hold what the settings need."""
    for kind in settings.lexical_kinds:
        if kind not in index.meta["lexical"]:
            index.lexical(kind)  # raises with a remedy
    if "kiwi" in settings.lexical_kinds and index.meta["tokeniser"] != tokenizer_version():
        raise UserError(
            f"the index was built with {index.meta['tokeniser']}, "
            f"but {tokenizer_version()} is installed",
            where=str(index.folder),
            remedy="build the index again, or install the version it was built with",
        )
    if settings.embedder is None:
        return
    if embedder_identity(settings.embedder) != index.meta["embedder"]:
        raise UserError(
            f"the index holds vectors of {index.meta['embedder'] or 'no embedder'}, "
            f"but the recipe asks for {settings.embedder}",
            where=str(index.folder),
            remedy="build the index again, or set rag.embedder to the one it was built with",
        )
