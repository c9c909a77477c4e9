"""An index's passages to a Weaviate server: Korean checked first, then batches that can be cut off.

Objects bear an id made of index and place, so an import that was killed writes the same ones again
and adds the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.korean.lexical import K1, B
from kofinlaw.rag.index.stores.weaviate import collection_name, count, open_client, server

if TYPE_CHECKING:
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.settings import RagSettings, WeaviateSettings

_PROBE = "KofinlawProbe"
_SENTENCE = "금융회사는 접근매체를 제3자에게 대여할 수 없다."
_WORD = "접근매체"


def import_index(index: Index, settings: RagSettings, *, progress: Progress = silent) -> int:
    """Bring the index's passages to the server; how many it held before.

    Raises UserError where the server does not answer, cannot cut Korean, or refuses passages.
    """
    client = open_client(settings.weaviate)
    try:
        name = collection_name(index, settings.weaviate)
        wanted = index.meta["chunks"]
        held = count(client, name)
        if held == wanted:
            return held
        if not client.collections.exists(name):
            check_korean(client, settings.weaviate)
            create(client, name, settings.weaviate, index.meta["lexical"])
        _send(client.collections.get(name), index, settings.weaviate, progress)
        if (now := count(client, name)) != wanted:
            raise UserError(
                f"the server holds {now} of {wanted} passages after the import",
                where=server(settings.weaviate),
                remedy="run it again; the server's log says what it refused",
            )
        return held
    finally:
        client.close()


def create(client: Any, name: str, settings: WeaviateSettings, kinds: list[str]) -> None:
    """Make the collection: BM25 with the local index's k1 and b, vectors of our own by cosine."""
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
            Property(name="place", data_type=DataType.INT),
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


def check_korean(client: Any, settings: WeaviateSettings) -> None:
    """Raise UserError where the server does not cut Korean as the settings expect.

    A property's tokenisation cannot be changed later, and a server without the Korean tokeniser
    would find words only where no particle follows them: so a sentence is stored and looked for
    before anything is imported.
    """
    from weaviate.exceptions import WeaviateBaseError

    try:
        client.collections.delete(_PROBE)
        create(client, _PROBE, settings, ["kiwi"])
        probe = client.collections.get(_PROBE)
        searched = "text" if settings.tokenization == "kagome_kr" else "tokens_kiwi"
        text = _SENTENCE if searched == "text" else f"금융회사 {_WORD} 제3자 대여"
        probe.data.insert({"place": 0, searched: text})
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
        where=server(settings),
        remedy="start it with ENABLE_TOKENIZER_KAGOME_KR=true (docker-compose.yml does), or set "
        "rag.weaviate.tokenization: whitespace",
    )


def _send(collection: Any, index: Index, settings: WeaviateSettings, progress: Progress) -> None:
    from weaviate.util import generate_uuid5

    vectors = index.vectors if index.meta["dimensions"] else None
    words = {}
    if settings.tokenization == "whitespace":
        words = {f"tokens_{kind}": index.tokens(kind) for kind in index.meta["lexical"]}
    total = len(index.chunks)
    with collection.batch.fixed_size(batch_size=settings.batch_passages) as batch:
        for place, chunk in enumerate(index.chunks):
            tokens = {name: " ".join(column[place]) for name, column in words.items()}
            batch.add_object(
                properties={"place": place, "text": chunk.text, **tokens},
                uuid=generate_uuid5(f"{index.fingerprint}/{place}"),
                vector=None if vectors is None else vectors[place].tolist(),
            )
            if place % settings.batch_passages == 0:
                progress("import", place, total)
    failed = collection.batch.failed_objects
    if failed:
        raise UserError(
            f"the server refused {len(failed)} passages ({failed[0].message})",
            where=server(settings),
            remedy="run it again; what it took stays",
        )
