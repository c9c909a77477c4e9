"""A corpus of five articles and a pico embedder, for the tests of index and retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw.files import write_jsonl
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk

TEXTS = {
    "전자금융거래법 제6조": "접근매체를 사용하거나 관리하는 자는 접근매체를 제3자에게 대여할 수 없다.",
    "전자금융거래법 제9조": "금융회사는 접근매체의 위조로 발생한 사고로 이용자에게 손해가 생기면 배상할 책임을 진다.",
    "전자금융거래법 제9조의2": "이용자는 오류정정을 요구할 수 있고 금융회사는 14일 이내에 알려야 한다.",
    "개인정보 보호법 제15조": "개인정보처리자는 정보주체의 동의를 받은 경우 개인정보를 수집할 수 있다.",
    "개인정보 보호법 제34조": "개인정보가 유출되면 72시간 이내에 정보주체에게 알려야 한다.",
}

DECREE = "전자금융거래법 시행령 제9조"
# (unit, unit that it refers to)
REFERENCES = [
    ("전자금융거래법 제6조", "전자금융거래법 제9조의2"),
    ("전자금융거래법 제9조", "전자금융거래법 제9조의2"),
    (DECREE, "개인정보 보호법 제15조"),
]


def chunk(unit: str, text: str, *, as_of: str = "2025-07-31", kind: Any = "statute") -> Chunk:
    """A passage of one article; its hash is of unit, text and day."""
    title = unit.rsplit(" ", 1)[0]
    identity = f"{unit.replace(' ', '/')}@{as_of}" if as_of != "2025-07-31" else unit
    return Chunk(
        identity.replace(" ", "/"), f"{title}@{as_of}", title, kind, unit, unit,
        f"{unit}\n{text}", as_of, "test", "PD", f"{unit}{text}{as_of}",
    )  # fmt: skip


def write_chunks(folder: Path, chunks: Sequence[Chunk] | None = None) -> Path:
    """A chunk file; the five articles by default."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chunks.jsonl"
    write_jsonl(path, chunks or [chunk(unit, text) for unit, text in TEXTS.items()])
    return path


def settings(**values: Any) -> RagSettings:
    """Bigrams alone, without citation look-up, unless `values` say otherwise."""
    return RagSettings(**{"lexical": "bigram", "citation_lookup": False, "k": 3, **values})


class PicoEmbedder:
    """Counts letters into 8 buckets: similar texts have similar vectors. `seen` counts passages."""

    name = "pico"
    dimensions = 8

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Any:
        """float32 rows of length 1."""
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text:
                row[ord(letter) % self.dimensions] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def encode_passages(self, texts: Sequence[str], **_: Any) -> Any:
        """float32 rows of length 1."""
        self.seen += texts
        return self.encode_queries(texts)
