"""List the collections of a server, and remove old ones of an index folder.

Only a collection whose description names this index folder, and no other, is removed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.weaviate_server.connection import Server
from kofinlaw.rag.index.stores.weaviate_server.layout import (
    Description,
    collection_name,
    count_passages,
    owner_of,
)
from kofinlaw.rag.settings import RagSettings

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

__all__ = ["Held", "State", "list_collections", "remove_collection"]

# in use: what this index searches; old: of this index folder alone; shared: old, but other index
# folders use it; probe: left by an import that was cut off; foreign: of other index folders;
# unknown: made by another version or program.
State = Literal["in use", "old", "shared", "probe", "foreign", "unknown"]


@dataclass(frozen=True)
class Held:
    """A collection on the server and its number of passages."""

    name: str
    passages: int
    state: State

    @property
    def removable(self) -> bool:
        """Whether `remove_collection` removes it, or this index folder's mark from it."""
        return self.state in ("old", "shared", "probe")


def list_collections(server: Server, index: Index, settings: RagSettings) -> list[Held]:
    """Return the collections that this program made, and those named like them, by name.

    Raises UserError where the server does not answer or refuses.
    """
    found = server.call(_descriptions)
    out = []
    for name, text in sorted(found.items()):
        state = _state(name, Description.from_text(text), index, settings)
        if state is not None:
            out.append(Held(name, server.call(_counted(name)), state))
    return out


def remove_collection(server: Server, held: Held, index: Index) -> None:
    """Remove a collection; of one that other index folders use, only this folder's mark.

    Does nothing to a collection that is not `removable`. Raises UserError as `list_collections`.
    """
    owner = owner_of(index.folder)

    async def remove(client: WeaviateAsyncClient) -> None:
        config = client.collections.get(held.name).config
        text = (await config.get()).description  # read again: another import may use it by now
        found = Description.from_text(text)
        if found is None or owner not in found.owners:
            return
        others = tuple(one for one in found.owners if one != owner)
        if others:
            await config.update(description=Description(found.index, others).to_text())
        else:
            await client.collections.delete(held.name)

    if held.removable:
        server.call(remove)


async def _descriptions(client: WeaviateAsyncClient) -> dict[str, str | None]:
    found = await client.collections.list_all(simple=True)
    return {name: one.description for name, one in found.items()}


def _counted(name: str) -> Callable[[WeaviateAsyncClient], Awaitable[int]]:
    async def count(client: WeaviateAsyncClient) -> int:
        return await count_passages(client, name)

    return count


def _state(
    name: str, found: Description | None, index: Index, settings: RagSettings
) -> State | None:
    """Return what a collection is to this index; None for one of another program."""
    if found is None:
        return "unknown" if name.startswith(f"{settings.weaviate.collection}_") else None
    owner = owner_of(index.folder)
    if name == collection_name(index, settings.weaviate):
        return "in use"
    if owner not in found.owners:
        return "foreign"
    if found.index == "probe":
        return "probe"
    return "old" if found.owners == (owner,) else "shared"
