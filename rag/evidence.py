"""What a retriever is to the answering loop, and the hits it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kofinlaw.data.records import Chunk, Question
from kofinlaw.rag.settings import RagSettings


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage, its fused score and the retrievers that found it."""

    chunk: Chunk
    score: float
    by: tuple[str, ...]


class Searcher(Protocol):
    """Finds passages. `fingerprint` tells one index and setting from another."""

    settings: RagSettings

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; equal for equal index and settings."""
        ...

    def search(self, questions: Sequence[Question]) -> list[list[Hit]]:
        """Passages of each question, best first."""
        ...

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks of these ids, in order."""
        ...
