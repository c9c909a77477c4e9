"""Give each question the evidence of a file instead of a search."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from kofinlaw.files import read_json_lines, sha256_file, write_jsonl
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question, from_json, to_json

__all__ = ["ForcedEvidence", "write_forced"]


def write_forced(path: Path, rows: Iterable[tuple[str, Sequence[Chunk]]]) -> None:
    """Write the passages of each question, best first, as JSON Lines.

    The ids of the passages get the question's id, because their texts may differ by question.
    """
    write_jsonl(
        path,
        (
            {
                "id": name,
                "chunks": [to_json(replace(c, id=f"{c.id}#{name}")) for c in passages],
            }
            for name, passages in rows
        ),
    )


class ForcedEvidence:
    """A `Searcher` that returns the passages of a file; a question that is not in it has none."""

    def __init__(self, path: Path, settings: RagSettings) -> None:
        """Read a file of `write_forced`; raises UserError if it is absent or not JSON Lines."""
        self.settings = settings
        self._by_question = {
            str(row["id"]): [from_json(Chunk, value) for value in row["chunks"]]
            for _, row in read_json_lines(path)
        }
        self._by_id = {c.id: c for chunks in self._by_question.values() for c in chunks}
        text = f"{sha256_file(path)} {settings.evidence_tokens}"
        self._fingerprint = hashlib.sha256(text.encode()).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash of the file and of the size of the evidence in a prompt."""
        return self._fingerprint

    @property
    def needs_model(self) -> tuple[str, ...]:
        """No feature needs a model."""
        return ()

    def with_model(self, engine: Engine, template: ChatTemplate) -> ForcedEvidence:
        """Return itself: nothing is asked of a model."""
        return self

    def search(
        self,
        questions: Sequence[Question],
        *,
        as_of: Sequence[datetime.date | None] | None = None,
        rerank: bool = True,
    ) -> list[list[Hit]]:
        """Return the passages of each question, in the order of the file."""
        return [
            [Hit(chunk, 1.0 / rank, ("forced",)) for rank, chunk in enumerate(found, 1)]
            for found in (self._by_question.get(question.id, []) for question in questions)
        ]

    def absent(self, question: Question) -> tuple[AbsentAct, ...]:
        """Return nothing: no act is searched."""
        return ()

    def judge(self, questions: Sequence[Question]) -> list[Judgement | None]:
        """Return no judgement: the passages are given, so the model has to judge them."""
        return [None] * len(questions)

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Return the chunks of these ids, in order; raises KeyError for an unknown one."""
        return [self._by_id[name] for name in ids]
