"""Retrieve passages for questions, and answer the questions before a deadline.

In: the chunks of a corpus, a model (an engine and its chat template) and questions. Out: an index,
and either one answer with its evidence or a folder with `answers.jsonl`, `timings.jsonl` and a
`submission.csv` that is complete and valid at every moment.

- `index`: build and read an index; `index.stores` search it.
- `retrieve`: find, fuse and rerank passages, on the day that a question asks about.
- `abstention`: decide whether the index bears on a question; the floor of an index.
- `choosing`: choose an option that is not listed, by contrast and weighted voters.
- `answer`: prompts, engine calls, time budget, journal.
- `questions`: read question files and write submissions.
- `contest`: the folder that answers on the contest's machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

if TYPE_CHECKING:
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext
    from kofinlaw.rag.answer.single_question import AskedAnswer, ask_question
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.index.build import IndexCounts, build_index
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.rag.settings import RagSettings

__all__ = [
    "AnswerSettings",
    "AnsweringResult",
    "AskedAnswer",
    "Index",
    "IndexCounts",
    "RagSettings",
    "Retriever",
    "RunContext",
    "answer_questions",
    "ask_question",
    "build_index",
    "read_questions",
]

_EXPORTS = {
    "AnswerSettings": "kofinlaw.rag.answer_settings",
    "AnsweringResult": "kofinlaw.rag.answer.answer_book",
    "AskedAnswer": "kofinlaw.rag.answer.single_question",
    "Index": "kofinlaw.rag.index.index",
    "IndexCounts": "kofinlaw.rag.index.build",
    "RagSettings": "kofinlaw.rag.settings",
    "Retriever": "kofinlaw.rag.retrieve.retriever",
    "RunContext": "kofinlaw.rag.answer.run_context",
    "answer_questions": "kofinlaw.rag.answer.answer_file",
    "ask_question": "kofinlaw.rag.answer.single_question",
    "build_index": "kofinlaw.rag.index.build",
    "read_questions": "kofinlaw.rag.questions.question_files",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
