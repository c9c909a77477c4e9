"""Check that a server splits Korean as the settings expect, before anything is imported.

The tokenization of a property cannot be changed later, and a server without the Korean tokenizer
finds words only where no particle follows them. So one sentence is stored and searched.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.rag.index.stores.weaviate_server.connection import Server
from kofinlaw.rag.index.stores.weaviate_server.failures import ServerUnavailable
from kofinlaw.rag.index.stores.weaviate_server.layout import (
    ROW,
    Description,
    create_collection,
    searched_property,
)
from kofinlaw.rag.weaviate_settings import WeaviateSettings

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

__all__ = ["PROBE", "check_korean"]

PROBE = "KofinlawProbe"  # with a random number: two imports do not disturb each other
_SENTENCE = "금융회사는 접근매체를 제3자에게 대여할 수 없다."
_WORD = "접근매체"


def check_korean(server: Server, settings: WeaviateSettings, owner: str) -> None:
    """Raise UserError where the server does not split Korean as the settings expect."""
    name = f"{PROBE}_{secrets.token_hex(4)}"
    searched = searched_property("kiwi", settings)
    text = _SENTENCE if searched == "text" else f"금융회사 {_WORD} 제3자 대여"

    async def probe(client: WeaviateAsyncClient) -> bool:
        from weaviate.classes.data import DataObject

        await client.collections.delete(name)  # of an attempt that was cut off
        made = Description("probe", (owner,))
        await create_collection(client, name, settings, ["kiwi"], made)
        collection = client.collections.get(name)
        await collection.data.insert_many([DataObject(properties={ROW: 0, searched: text})])
        found = await collection.query.bm25(query=_WORD, query_properties=[searched], limit=1)
        return bool(found.objects)

    try:
        detail = "" if server.call(probe) else f"it does not find {_WORD} in “{_SENTENCE}”"
    except ServerUnavailable:
        raise
    except UserError as error:
        if "api_key" in error.where:
            raise
        detail = error.message
    finally:
        with contextlib.suppress(UserError):
            server.call(lambda client: client.collections.delete(name), 2.0)
    if detail:
        raise UserError(
            f"the Weaviate server cannot split Korean by {settings.tokenization} ({detail})",
            where=f"rag.weaviate.tokenization ({server.url})",
            remedy="set rag.weaviate.tokenization: whitespace, or start the server with "
            "ENABLE_TOKENIZER_KAGOME_KR=true (docker-compose.yml says where)",
        )
