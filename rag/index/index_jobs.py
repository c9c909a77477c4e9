"""Cut or embed the passages of one block: the parts of building an index that processes share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np

from kofinlaw.cluster.jobs import Job
from kofinlaw.models import embedders
from kofinlaw.models.embedders import CachedEmbedder
from kofinlaw.rag.arrays import Vectors
from kofinlaw.rag.index.tokens import tokens_of

__all__ = ["embedding_job", "token_job"]


def token_job(kind: str, threads: int) -> Job[None, list[str], list[list[str]]]:
    """Return the job that cuts texts into tokens, with this number of threads in each process."""
    return Job("tokens of passages", partial(nullcontext, None), partial(_cut, kind, threads))


def embedding_job(
    name: str, cache: Path | None, *, here: bool
) -> Job[CachedEmbedder, list[str], Vectors]:
    """Return the job that embeds passages; each process loads the embedder.

    Other processes than this one (`here` False) compute with the number of threads that this one
    has, because another number may change the last digits of a vector. They use no cache.
    """
    threads = None if here else int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    opened = partial(_embedder, name, cache if here else None, threads)
    return Job("vectors of passages", opened, _embed, card=True)


def _cut(kind: str, threads: int, state: None, texts: list[str]) -> list[list[str]]:
    return tokens_of(kind, texts, workers=threads)


@contextmanager
def _embedder(name: str, cache: Path | None, threads: int | None) -> Iterator[CachedEmbedder]:
    embedder = embedders.open_embedder(name, cache=cache)
    if threads is not None and "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)
    yield embedder


def _embed(embedder: CachedEmbedder, texts: list[str]) -> Vectors:
    if not texts:
        return np.zeros((0, embedder.dimensions), np.float32)
    return embedder.encode_passages(texts)
