"""An index whose articles refer to each other."""

from __future__ import annotations

import json

import pytest
from corpora import DECREE, REFERENCES, TEXTS, chunk, settings, write_chunks

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index


@pytest.fixture(scope="module")
def cited_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Five articles and a decree with references between them; 전자금융거래법 제9조의2 is cited most."""
    folder = tmp_path_factory.mktemp("priors")
    texts = {**TEXTS, DECREE: "접근매체의 종류는 다음과 같다."}
    chunks = write_chunks(folder, [chunk(unit, text) for unit, text in texts.items()])
    rows = [json.dumps({"source": s, "target": t, "resolved": True}) for s, t in REFERENCES]
    (folder / "citations.jsonl").write_text("\n".join(rows))
    build_index(chunks, folder / "index", settings(lexical="both"))
    return Index.load(folder / "index")
