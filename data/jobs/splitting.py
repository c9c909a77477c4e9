"""Split one document into articles and chunks: the part of chunking that processes share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from kofinlaw.cluster.jobs import Job, Workers, in_order
from kofinlaw.data.chunking import Chunked, chunk_document
from kofinlaw.data.cleaning.chunk_filter import mask_article
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.splitting import CountTokens
from kofinlaw.records import Article, record_fault

__all__ = ["SplitDocument", "split_documents"]

# Documents that are split before the first of them is needed.
AHEAD = 16


@dataclass(frozen=True)
class SplitDocument:
    """The chunks and articles of a document and of its annexes in files of their own.

    `fault` says why it could not be split; `result` is None then. `articles` are masked as the
    settings say.
    """

    result: Chunked | None
    articles: list[Article]
    annexes: list[Chunked]
    fault: str = ""


def split_documents(
    documents: Iterable[list[Document]],
    settings: DataSettings,
    count: CountTokens,
    workers: Workers,
) -> Iterator[SplitDocument]:
    """Yield the parts of each document, in order; a document comes with its annexes behind it.

    `count` is sent to other processes.
    """
    work = partial(_split, settings)
    job = Job("splitting documents", partial(nullcontext, count), work)
    with workers.start(job) as pool:
        yield from in_order(pool, documents, ahead=AHEAD)


def _split(settings: DataSettings, count: CountTokens, given: list[Document]) -> SplitDocument:
    document, *annexes = given
    keep = settings.personal_data == "keep"
    try:
        result = chunk_document(document, settings.chunks, count)
        articles = [a if keep else mask_article(a) for a in result.articles]
        parts = [chunk_document(annex, settings.chunks, count) for annex in annexes]
    except Exception as error:
        return SplitDocument(None, [], [], record_fault(error))
    return SplitDocument(result, articles, parts)
