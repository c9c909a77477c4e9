"""An index that does not fit the settings is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from corpora import settings

from kofinlaw import UserError
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever


def test_an_index_that_does_not_fit_is_refused(tmp_path: Path, chunks: Path) -> None:
    folder = tmp_path / "index"
    build_index(chunks, folder, settings())
    index = Index.load(folder)
    with pytest.raises(UserError, match="no kiwi tokens"):
        Retriever(index, settings(lexical="kiwi"))
    with pytest.raises(UserError, match="vectors of no embedder"):
        Retriever(index, settings(embedder="intfloat/multilingual-e5-small"))
    meta = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**meta, "format": 0}))
    with pytest.raises(UserError, match="format 0"):
        Index.load(folder)
