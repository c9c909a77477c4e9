"""Cut texts into the tokens of a lexical index."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from kofinlaw.data.korean.words import bigrams, content_morphemes

__all__ = ["tokenizer_version", "tokens_of"]


def tokens_of(kind: str, texts: Sequence[str], *, workers: int = 1) -> list[list[str]]:
    """Return the tokens of each text: Kiwi content morphemes (`kiwi`), or Hangul bigrams
    (`bigram`).

    `workers` is the number of Kiwi's threads.
    """
    if kind == "kiwi":
        return content_morphemes(texts, workers=workers)
    return [bigrams(text) for text in texts]


def tokenizer_version() -> str:
    """Return the installed versions of Kiwi and its model, on
    which the tokens of an index depend.
    """
    try:
        return f"kiwipiepy {version('kiwipiepy')}, model {version('kiwipiepy_model')}"
    except PackageNotFoundError:
        return "no kiwipiepy"
