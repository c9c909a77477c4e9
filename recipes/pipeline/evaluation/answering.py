"""Answer one question file with the weights of a model, from an index or from given passages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress
from kofinlaw.recipes.pipeline.run import Run

if TYPE_CHECKING:
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.retrieve.evidence import Searcher

__all__ = ["answer_from", "answer_with"]


def answer_with(
    run: Run,
    model: Path,
    index: Path | None,
    questions: Path,
    out: Path,
    settings: AnswerSettings,
    progress: Progress,
    *,
    traced: bool = True,
) -> AnsweringResult:
    """Open the index in the folder `index` and call `answer_from`; None: without documents."""
    from kofinlaw.recipes.pipeline.evaluation.first_submission import write_first_submission

    write_first_submission(questions, out, sample=settings.sample_submission)

    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever

    retriever = None
    if index is not None:
        retriever = Retriever(Index.load(index), run.recipe.rag, cache=run.cache)
    return answer_from(run, model, retriever, questions, out, settings, progress, traced=traced)


def answer_from(
    run: Run,
    model: Path,
    evidence: Searcher | None,
    questions: Path,
    out: Path,
    settings: AnswerSettings,
    progress: Progress,
    *,
    traced: bool = True,
) -> AnsweringResult:
    """Answer one question file with the weights in `model`.

    Args:
        run: The recipe bound to its folder.
        model: Folder of the weights.
        evidence: The source of passages; None: without documents.
        questions: The question file.
        out: Folder of the answers.
        settings: How to answer. `voters` is not `fit`: the caller has fitted them.
        progress: Called with the questions done.
        traced: Whether the calls are traced, if the recipe names `trace`.
    """
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.identity import model_fingerprint
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext
    from kofinlaw.trace_files import open_tracer

    recipe = run.recipe
    with open_tracer(recipe.trace if traced else None, out, offline=recipe.offline) as tracer:
        return answer_questions(
            questions,
            out,
            open_engine=lambda: open_engine(settings.engine, model, seed=recipe.seed),
            template=template_for(model),
            retriever=evidence,
            settings=settings,
            model=model_fingerprint(model, settings.engine.gguf),
            context=RunContext(
                seed=recipe.seed, started=time.monotonic(), tracer=tracer, progress=progress
            ),
        )
