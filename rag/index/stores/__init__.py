"""Search an index through a store: the files in its folder, or a Weaviate server.

All of them take the tokens and vectors of an index and return rows with scores. How to add one:

1. Write `stores/<name>.py` with a class that has the methods of `stores.base.Store`: `lexical`
   (BM25 over tokens), `dense` (cosine over vectors) and `hybrid` (both fused). Each returns, for
   each query, the rows and scores of at most `k` passages that it may find (`Admission`): best
   first, ties by row. Set `fuses = True` if `hybrid` is one call to a server that fuses by itself.
2. If the passages must be sent somewhere when the index is built, write an import function like
   `weaviate_server.importing.import_index` and call it in `index/build.py`.
3. Add the name to `RagSettings.store` and a branch to `stores.factory.open_store`.
4. Add the name to the parameters of the fixture in `tests/rag/index/stores/test_factory.py`: those
   tests state what all stores have in common.
"""

__all__: list[str] = []
