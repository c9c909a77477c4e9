"""Search for each question as if the documents that answer it were not in the index."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Chunk, Question

__all__ = ["HiddenDocuments"]


class HiddenDocuments:
    """A `Searcher` that finds no passage of the documents that a question must not see.

    A document hides those whose ids begin with its id too: an act hides its decree and its rules.
    """

    def __init__(self, retriever: Retriever, documents: Mapping[str, Sequence[str]]) -> None:
        """Search with `retriever`; `documents` are the ids hidden from each question, by its id."""
        self.settings = retriever.settings
        self._retriever = retriever
        self._documents = documents

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash of the index, the settings and what is hidden."""
        hidden = json.dumps({i: list(self._documents[i]) for i in sorted(self._documents)})
        text = self._retriever.fingerprint + hidden
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    @property
    def needs_model(self) -> tuple[str, ...]:
        """The features that need a model; empty where no feature needs one."""
        return self._retriever.needs_model

    def with_model(self, engine: Engine, template: ChatTemplate) -> HiddenDocuments:
        """Return the same searcher, which asks this model where its settings say so."""
        return HiddenDocuments(self._retriever.with_model(engine, template), self._documents)

    def search(
        self,
        questions: Sequence[Question],
        *,
        as_of: Sequence[datetime.date | None] | None = None,
        rerank: bool = True,
    ) -> list[list[Hit]]:
        """Return the passages of each question, best first, from the documents it may see."""
        return self._retriever.search(questions, allowed=self._shown, as_of=as_of, rerank=rerank)

    def absent(self, question: Question) -> tuple[AbsentAct, ...]:
        """Return nothing: an absent act is what is asked for here."""
        return ()

    def judge(self, questions: Sequence[Question]) -> list[Judgement | None]:
        """Return no judgement: every question is answered."""
        return [None] * len(questions)

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Return the chunks of these ids, in order; raises UserError for an unknown one."""
        return self._retriever.chunks(ids)

    @cached_property
    def _rows(self) -> dict[str, NDArray[np.int64]]:
        """The rows of the index by document."""
        rows: dict[str, list[int]] = {}
        for row, chunk in enumerate(self._retriever.index.chunks):
            rows.setdefault(chunk.document_id, []).append(row)
        return {document: np.array(found) for document, found in rows.items()}

    def _shown(self, question: Question) -> NDArray[np.bool_]:
        shown = np.ones(len(self._retriever.index.chunks), dtype=bool)
        for hidden in self._documents.get(question.id, ()):
            for document, rows in self._rows.items():
                if document.startswith(hidden):
                    shown[rows] = False
        return shown
