"""Import an index's passages into a Weaviate server, after a check that it can split Korean.

An object's id is made from the index and the passage's row. An import that was killed therefore
writes the same objects again and adds the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.law.supplements import is_supplement
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.weaviate_server.connection import Server
from kofinlaw.rag.index.stores.weaviate_server.layout import (
    ROW,
    Description,
    collection_name,
    count_passages,
    create_collection,
    owner_of,
)
from kofinlaw.rag.index.stores.weaviate_server.probe import check_korean
from kofinlaw.rag.settings import RagSettings

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

__all__ = ["import_index", "own_collection"]

_AT_ONCE = 2  # batches that are sent at the same time
_ATTEMPTS = 3  # to store a passage that the server rejects


def import_index(index: Index, settings: RagSettings, *, progress: Progress = silent) -> int:
    """Send the index's passages to the server; returns how many it held before.

    Waits `import_seconds` for a server that stops answering, and says so in its progress. Raises
    UserError where the server does not answer, cannot split Korean, or rejects passages.
    """
    server = Server(settings.weaviate)
    try:
        name = collection_name(index, settings.weaviate)
        wanted = index.meta["chunks"]
        owner = owner_of(index.folder)
        held = server.call(lambda client: count_passages(client, name))
        if held == wanted:
            server.call(lambda client: own_collection(client, name, owner))
            return held
        if not server.call(lambda client: client.collections.exists(name)):
            check_korean(server, settings.weaviate, owner)
            made = Description(index.fingerprint, (owner,))
            kinds = index.meta["lexical"]
            server.call(
                lambda client: _create_once(client, name, settings, kinds, made),
            )
        _send(server, name, index, settings, progress)
        server.call(lambda client: own_collection(client, name, owner))
        if (now := server.call(lambda client: count_passages(client, name))) != wanted:
            raise UserError(
                f"the server holds {now} of {wanted} passages after the import",
                where=server.url,
                remedy="run it again; the server's log says what it rejected",
            )
        return held
    finally:
        server.close()


async def own_collection(client: WeaviateAsyncClient, name: str, owner: str) -> None:
    """Note in a collection's description that the index folder of `owner` uses it."""
    config = client.collections.get(name).config
    found = Description.from_text((await config.get()).description)
    if found is not None and owner not in found.owners:
        changed = Description(found.index, (*found.owners, owner))
        await config.update(description=changed.to_text())


async def _create_once(
    client: WeaviateAsyncClient,
    name: str,
    settings: RagSettings,
    kinds: list[str],
    made: Description,
) -> None:
    """Create the collection, unless an attempt whose answer was lost has done so."""
    if not await client.collections.exists(name):
        await create_collection(client, name, settings.weaviate, kinds, made)


def _send(
    server: Server, name: str, index: Index, settings: RagSettings, progress: Progress
) -> None:
    """Send all passages in batches; raises UserError where passages are rejected."""
    seconds = settings.weaviate.import_seconds
    total, sent = len(index.chunks), 0
    objects = _objects(index, settings)

    def waiting() -> None:
        note = f"the server is slow or away; the import waits for it for at most {seconds:.0f} s"
        progress("import", sent, total, note=note)

    while True:
        batches = [list(islice(objects, settings.weaviate.batch_passages)) for _ in range(_AT_ONCE)]
        kept = [batch for batch in batches if batch]
        if not kept:
            return
        rejected = server.call(
            lambda client, kept=kept: _insert_all(client, name, kept),  # type: ignore[misc]
            seconds,
            waiting=waiting,
        )
        if rejected:
            raise UserError(
                f"the server rejected {len(rejected)} passages ({rejected[0]})",
                where=server.url,
                remedy="run it again; accepted passages stay",
            )
        sent += sum(map(len, kept))
        progress("import", sent, total)


async def _insert_all(
    client: WeaviateAsyncClient, name: str, batches: Sequence[Sequence[Any]]
) -> list[str]:
    """Insert the batches at the same time; returns the messages about rejected passages."""
    found = await asyncio.gather(*(_insert(client, name, batch) for batch in batches))
    return [message for messages in found for message in messages]


async def _insert(client: WeaviateAsyncClient, name: str, batch: Sequence[Any]) -> list[str]:
    from weaviate.exceptions import WeaviateInsertManyAllFailedError

    data = client.collections.get(name).data
    messages: list[str] = []
    for attempt in range(_ATTEMPTS):
        if attempt:
            await _pause(attempt)
        try:
            errors = (await data.insert_many(list(batch))).errors
        except WeaviateInsertManyAllFailedError as error:
            messages = [str(error)] * len(batch)
            continue
        if not errors:
            return []
        messages = [str(one.message) for one in errors.values()]
        batch = [batch[position] for position in errors]
    return messages


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


def _objects(index: Index, settings: RagSettings) -> Iterator[Any]:
    """Yield one object for each passage: its properties, its vector and its id."""
    from weaviate.classes.data import DataObject
    from weaviate.util import generate_uuid5

    vectors = index.vectors if index.meta["dimensions"] else None
    words: dict[str, list[list[str]]] = {}
    if settings.weaviate.tokenization == "whitespace":
        words = {f"tokens_{kind}": index.tokens(kind) for kind in index.meta["lexical"]}
    days = index.calendar.day_numbers
    citing = np.zeros(len(index.chunks), dtype=bool)
    citing[list(index.cited)] = True
    for row, chunk in enumerate(index.chunks):
        properties = {
            ROW: row,
            "text": chunk.text,
            "kind": chunk.kind,
            "supplement": is_supplement(chunk),
            "cites": bool(citing[row]),
            **{name: " ".join(column[row]) for name, column in words.items()},
        }
        if days is not None:
            properties |= {"since": days[0][row], "until": days[1][row]}
        yield DataObject(
            properties=properties,
            uuid=generate_uuid5(f"{index.fingerprint}/{row}"),
            vector=None if vectors is None else vectors[row].tolist(),
        )
