"""Read documents and build a clean corpus of dated, citable passages.

In: folders of acts, rules, guidelines and court decisions, described by `DataSettings`. Out: a
folder with `chunks.jsonl` (passages), `articles.jsonl`, `earlier.jsonl` (earlier versions),
`citations.jsonl`, `edges.jsonl` (the same with types), `duplicates.jsonl`, `rejected.jsonl` and a
data card.

`build_corpus` writes the corpus, `read_chunks` reads its passages, and `compare_corpora` compares
two of them. `read_documents` reads a single file, `parse_statute` finds the articles of a text, and
`find_citations` finds the references in it, and `verify_citations` checks them against a corpus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

if TYPE_CHECKING:
    from kofinlaw.data.corpus import CorpusCounts as CorpusCounts
    from kofinlaw.data.corpus import build_corpus as build_corpus
    from kofinlaw.data.corpus_diff import compare_corpora as compare_corpora
    from kofinlaw.data.law.citations import find_citations as find_citations
    from kofinlaw.data.law.statute import parse_statute as parse_statute
    from kofinlaw.data.law.verifying.known_law import KnownLaw as KnownLaw
    from kofinlaw.data.law.verifying.verify import verify_citations as verify_citations
    from kofinlaw.data.law.versions import read_chunks as read_chunks
    from kofinlaw.data.readers.documents import Document as Document
    from kofinlaw.data.readers.formats import read_documents as read_documents
    from kofinlaw.data.settings import DataSettings as DataSettings
    from kofinlaw.data.settings import SourceSettings as SourceSettings

__all__ = [
    "CorpusCounts",
    "DataSettings",
    "Document",
    "KnownLaw",
    "SourceSettings",
    "build_corpus",
    "compare_corpora",
    "find_citations",
    "parse_statute",
    "read_chunks",
    "read_documents",
    "verify_citations",
]

_EXPORTS = {
    "CorpusCounts": "kofinlaw.data.corpus",
    "DataSettings": "kofinlaw.data.settings",
    "Document": "kofinlaw.data.readers.documents",
    "KnownLaw": "kofinlaw.data.law.verifying.known_law",
    "SourceSettings": "kofinlaw.data.settings",
    "build_corpus": "kofinlaw.data.corpus",
    "compare_corpora": "kofinlaw.data.corpus_diff",
    "find_citations": "kofinlaw.data.law.citations",
    "parse_statute": "kofinlaw.data.law.statute",
    "read_chunks": "kofinlaw.data.law.versions",
    "read_documents": "kofinlaw.data.readers.formats",
    "verify_citations": "kofinlaw.data.law.verifying.verify",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
