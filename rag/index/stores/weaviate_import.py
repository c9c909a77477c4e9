"""Import an index's passages into a Weaviate server, after a check that it can cut Korean.

An object's id is made from the index and the passage's row. An import that was killed therefore
writes the same objects again and adds the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.korean.lexical import K1, B
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.weaviate import (
    ROW,
    collection_name,
    count_passages,
    open_client,
    server_url,
)
from kofinlaw.rag.settings import RagSettings, WeaviateSettings

if TYPE_CHECKING:
    from weaviate import WeaviateClient
    from weaviate.collections import Collection

__all__ = ["check_korean", "create_collection", "import_index"]

_PROBE = "KofinlawProbe"
_SENTENCE = "금융회사는 접근매체를 제3자에게 대여할 수 없다."
_WORD = "접근매체"


def import_index(index: Index, settings: RagSettings, *, progress: Progress = silent) -> int:
    """Send the index's passages to the server; returns how many it held before.

    Raises UserError where the server does not answer, cannot cut Korean, or rejects passages.
    """
    client = open_client(settings.weaviate)
    try:
        name = collection_name(index, settings.weaviate)
        wanted = index.meta["chunks"]
        held = count_passages(client, name)
        if held == wanted:
            return held
        if not client.collections.exists(name):
            check_korean(client, settings.weaviate)
            create_collection(client, name, settings.weaviate, index.meta["lexical"])
        _send(client.collections.get(name), index, settings.weaviate, progress)
        if (now := count_passages(client, name)) != wanted:
            raise UserError(
                f"the server holds {now} of {wanted} passages after the import",
                where=server_url(settings.weaviate),
                remedy="run it again; the server's log says what it rejected",
            )
        return held
    finally:
        client.close()


def create_collection(
    client: WeaviateClient, name: str, settings: WeaviateSettings, kinds: list[str]
) -> None:
    """Make a collection: BM25 with the local index's k1 and b, and our own vectors by cosine."""
    from weaviate.classes.config import (
        Configure,
        DataType,
        Property,
        StopwordsPreset,
        Tokenization,
        VectorDistances,
    )

    words = [f"tokens_{kind}" for kind in kinds] if settings.tokenization == "whitespace" else []
    korean = settings.tokenization == "kagome_kr"
    client.collections.create(
        name,
        properties=[
            Property(name=ROW, data_type=DataType.INT),
            Property(
                name="text",
                data_type=DataType.TEXT,
                tokenization=Tokenization.KAGOME_KR if korean else Tokenization.WORD,
                index_searchable=korean,
            ),
            *(
                Property(name=one, data_type=DataType.TEXT, tokenization=Tokenization.WHITESPACE)
                for one in words
            ),
        ],
        inverted_index_config=Configure.inverted_index(
            bm25_k1=K1, bm25_b=B, stopwords_preset=StopwordsPreset.NONE
        ),
        vector_config=Configure.Vectors.self_provided(
            vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE)
        ),
    )


def check_korean(client: WeaviateClient, settings: WeaviateSettings) -> None:
    """Raise UserError where the server does not cut Korean as the settings expect.

    The tokenization of a property cannot be changed later, and a server without the Korean
    tokenizer finds words only where no particle follows them. So one sentence is stored and
    searched before anything is imported.
    """
    from weaviate.exceptions import WeaviateBaseError

    try:
        client.collections.delete(_PROBE)
        create_collection(client, _PROBE, settings, ["kiwi"])
        probe = client.collections.get(_PROBE)
        searched = "text" if settings.tokenization == "kagome_kr" else "tokens_kiwi"
        text = _SENTENCE if searched == "text" else f"금융회사 {_WORD} 제3자 대여"
        probe.data.insert({ROW: 0, searched: text})
        found = probe.query.bm25(query=_WORD, query_properties=[searched], limit=1).objects
        client.collections.delete(_PROBE)
    except WeaviateBaseError as error:
        detail = str(error).splitlines()[0]
    else:
        if found:
            return
        detail = f"it does not find {_WORD} in “{_SENTENCE}”"
    raise UserError(
        f"the Weaviate server cannot cut Korean by {settings.tokenization} ({detail})",
        where=server_url(settings),
        remedy="start it with ENABLE_TOKENIZER_KAGOME_KR=true (docker-compose.yml does), or set "
        "rag.weaviate.tokenization: whitespace",
    )


def _send(
    collection: Collection, index: Index, settings: WeaviateSettings, progress: Progress
) -> None:
    from weaviate.util import generate_uuid5

    vectors = index.vectors if index.meta["dimensions"] else None
    words = {}
    if settings.tokenization == "whitespace":
        words = {f"tokens_{kind}": index.tokens(kind) for kind in index.meta["lexical"]}
    total = len(index.chunks)
    with collection.batch.fixed_size(batch_size=settings.batch_passages) as batch:
        for row, chunk in enumerate(index.chunks):
            tokens = {name: " ".join(column[row]) for name, column in words.items()}
            batch.add_object(
                properties={ROW: row, "text": chunk.text, **tokens},
                uuid=generate_uuid5(f"{index.fingerprint}/{row}"),
                vector=None if vectors is None else vectors[row].tolist(),
            )
            if row % settings.batch_passages == 0:
                progress("import", row, total)
    failed = collection.batch.failed_objects
    if failed:
        raise UserError(
            f"the server rejected {len(failed)} passages ({failed[0].message})",
            where=server_url(settings),
            remedy="run it again; accepted passages stay",
        )
