"""Split Korean text into morphemes, bigrams and sentences, and index the tokens by BM25."""

__all__: list[str] = []
