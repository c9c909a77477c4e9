"""Name, describe and create the collections of a server: one for each index.

A collection's description says which index it holds and which index folders use it, so that old
ones can be found and nobody else's are removed.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw.data.korean.lexical import K1
from kofinlaw.decoding import load_json
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.weaviate_settings import WeaviateSettings

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

__all__ = [
    "LAYOUT",
    "ROW",
    "SERVER_B",
    "Description",
    "collection_name",
    "count_passages",
    "create_collection",
    "owner_of",
    "searched_property",
]

LAYOUT = 2  # raise it when the properties change: a collection's properties are fixed
ROW = "place"  # the property with a passage's row
# The server takes the number of distinct words of a passage as its length. That favours long
# articles, and a full normalization by length (b = 1) makes up for most of it (decision 068).
SERVER_B = 1.0
_BY = "kofinlaw"
_PARTIAL = ".partial"


@dataclass(frozen=True)
class Description:
    """What the description of a collection says.

    `index` is the fingerprint of the index that it holds (`probe` for a probe), `owners` are the
    index folders that use it (`owner_of`).
    """

    index: str
    owners: tuple[str, ...]

    def to_text(self) -> str:
        """Return the text that is kept on the server."""
        return json.dumps({"by": _BY, "index": self.index, "owners": list(self.owners)})

    @classmethod
    def from_text(cls, text: str | None) -> Description | None:
        """Return the description; None for a collection that this version did not make."""
        try:
            read = load_json(text or "")
            if read["by"] != _BY:
                return None
            return cls(str(read["index"]), tuple(str(one) for one in read["owners"]))
        except (ValueError, KeyError, TypeError):
            return None


def owner_of(folder: Path) -> str:
    """Return the mark of an index folder: a hash of this machine's name and the folder's path.

    A stage that is not complete works in `.index.partial`, which becomes `index`.
    """
    if folder.name.startswith(".") and folder.name.endswith(_PARTIAL):
        folder = folder.with_name(folder.name[1:].removesuffix(_PARTIAL))
    text = f"{platform.node()}\n{folder.resolve()}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def collection_name(index: Index, settings: WeaviateSettings) -> str:
    """Return the collection of an index: the same content and tokenization give the same name."""
    return f"{settings.collection}_{LAYOUT}_{settings.tokenization}_{index.fingerprint[:12]}"


def searched_property(kind: str, settings: WeaviateSettings) -> str:
    """Return the property that word queries search: the text, or the tokens made here."""
    return "text" if settings.tokenization == "kagome_kr" else f"tokens_{kind}"


async def count_passages(client: WeaviateAsyncClient, name: str) -> int:
    """Return the number of passages in a collection; 0 where it does not exist."""
    if not await client.collections.exists(name):
        return 0
    found = await client.collections.get(name).aggregate.over_all(total_count=True)
    return int(found.total_count or 0)


async def create_collection(
    client: WeaviateAsyncClient,
    name: str,
    settings: WeaviateSettings,
    kinds: list[str],
    description: Description,
) -> None:
    """Make a collection: the properties of passages, BM25 over words, our own vectors by cosine."""
    from weaviate.classes.config import (
        Configure,
        DataType,
        Property,
        StopwordsPreset,
        Tokenization,
        VectorDistances,
    )

    korean = settings.tokenization == "kagome_kr"
    words = [] if korean else [f"tokens_{kind}" for kind in kinds]
    await client.collections.create(
        name,
        description=description.to_text(),
        properties=[
            Property(name=ROW, data_type=DataType.INT),
            Property(
                name="text",
                data_type=DataType.TEXT,
                tokenization=Tokenization.KAGOME_KR if korean else Tokenization.WORD,
                index_searchable=korean,
            ),
            Property(
                name="kind",
                data_type=DataType.TEXT,
                tokenization=Tokenization.FIELD,
                index_searchable=False,
            ),
            *(
                Property(name=day, data_type=DataType.INT, index_range_filters=True)
                for day in ("since", "until")
            ),
            *(Property(name=one, data_type=DataType.BOOL) for one in ("supplement", "cites")),
            *(
                Property(name=one, data_type=DataType.TEXT, tokenization=Tokenization.WHITESPACE)
                for one in words
            ),
        ],
        inverted_index_config=Configure.inverted_index(
            bm25_k1=K1, bm25_b=SERVER_B, stopwords_preset=StopwordsPreset.NONE
        ),
        vector_config=Configure.Vectors.self_provided(
            vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE)
        ),
    )
