"""Open the store that the settings name."""

from __future__ import annotations

from functools import partial

from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.base import Store
from kofinlaw.rag.index.stores.local import LocalStore
from kofinlaw.rag.settings import RagSettings

__all__ = ["open_store"]


def open_store(index: Index, settings: RagSettings) -> Store:
    """Return the store that `settings.store` names.

    A server is connected by the first search, which raises UserError where it cannot be used.
    """
    local = partial(LocalStore, index, settings.workers)
    if settings.store == "weaviate":
        from kofinlaw.rag.index.stores.weaviate_server.fallback import ServerOrLocal
        from kofinlaw.rag.index.stores.weaviate_server.store import WeaviateStore

        instead = settings.weaviate.when_unavailable == "local"
        connect = partial(WeaviateStore.connect, index, settings)
        return ServerOrLocal(connect, local, instead=instead)
    return local()
