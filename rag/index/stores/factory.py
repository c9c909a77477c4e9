"""Open the store that the settings name."""

from __future__ import annotations

from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.base import Store
from kofinlaw.rag.index.stores.local import LocalStore
from kofinlaw.rag.settings import RagSettings

__all__ = ["open_store"]


def open_store(index: Index, settings: RagSettings) -> Store:
    """Return the store that `settings.store` names.

    Raises UserError where a server is named that cannot be used.
    """
    if settings.store == "weaviate":
        from kofinlaw.rag.index.stores.weaviate import WeaviateStore

        return WeaviateStore.connect(index, settings)
    return LocalStore(index, settings.workers)
