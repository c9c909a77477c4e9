"""Do the work of the stages that only a retrieval study has.

Each function writes into the folder `out` and returns the figures of its stage.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.recipes.pipeline.run import Run, comparison_settings, model_folder
from kofinlaw.recipes.studies.cells import Cell, cells_of, trained_folder
from kofinlaw.records import Question

if TYPE_CHECKING:
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.scoring.report.study_page import StudyResult
    from kofinlaw.scoring.result import ScoringResult

__all__ = [
    "CellAnswers",
    "DrawnQuestions",
    "answer_cell",
    "draw_questions",
    "score_cells",
    "write_page",
]


@dataclass(frozen=True)
class DrawnQuestions:
    """How many questions a study asks, and how many of them need free text."""

    questions: int
    free: int

    def to_record(self) -> dict[str, object]:
        """Return the counts by name."""
        return {"questions": self.questions, "free": self.free}


def draw_questions(run: Run, out: Path, progress: Progress) -> DrawnQuestions:
    """Draw as many questions of each kind as the study asks, by seed, in their first order.

    Raises UserError if no question is left.
    """
    from kofinlaw.scoring.judge.verdicts import drawn

    everything = list(read_jsonl(run.questions_path, Question))
    study, seed = run.recipe.study, run.recipe.seed
    choice = [question for question in everything if question.options]
    free = [question for question in everything if not question.options]
    chosen = {
        question.id
        for questions, most in ((choice, study.choice_items), (free, study.free_items))
        for question in drawn(questions, most, seed)
    }
    asked = [question for question in everything if question.id in chosen]
    if not asked:
        raise UserError(
            "the study asks no question",
            where="study.choice_items, study.free_items",
            remedy="set one of them above 0, or leave them out to ask every question",
        )
    write_jsonl(out / "questions.jsonl", asked)
    return DrawnQuestions(len(asked), sum(not question.options for question in asked))


@dataclass(frozen=True)
class CellAnswers:
    """The figures of a cell whose model also writes queries or reranks.

    `model_tokens` counts every token that the model read and wrote; None if the cell was
    interrupted, because the tokens of queries and reranking before that are not known.
    """

    answers: AnsweringResult
    model_tokens: int | None

    def to_record(self) -> dict[str, object]:
        """Return the figures of the answers with `model_tokens`."""
        return {**self.answers.to_record(), "model_tokens": self.model_tokens}


def answer_cell(
    run: Run, cell: Cell, out: Path, progress: Progress
) -> AnsweringResult | CellAnswers:
    """Answer the study's questions with one model and one retriever.

    If the retriever needs a model to write queries or to rerank, it uses the answering model.
    """
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.identity import model_fingerprint
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.trace_files import open_tracer

    recipe = run.recipe
    interrupted = (out / "plan.jsonl").exists()
    folder = trained_folder(run) if cell.model == "trained" else model_folder(run, progress)
    template = template_for(folder)
    opened: list[Engine] = []

    def engine() -> Engine:
        opened.append(open_engine(recipe.answer.engine, folder, seed=recipe.seed))
        return opened[-1]

    retriever, needs_model = None, False
    started = time.monotonic()
    if cell.rag is not None:
        retriever = Retriever(Index.load(run.folder / "index"), cell.rag, cache=run.cache)
        needs_model = bool(retriever.needs_model)
        if needs_model:
            retriever = retriever.with_model(engine(), template)
    waiting = list(opened)
    with open_tracer(recipe.trace, out, offline=recipe.offline) as tracer:
        answers = answer_questions(
            run.folder / "asked" / "questions.jsonl",
            out,
            open_engine=lambda: waiting.pop() if waiting else engine(),
            template=template,
            retriever=retriever,
            settings=comparison_settings(run),
            model=model_fingerprint(folder, recipe.answer.engine.gguf),
            context=RunContext(seed=recipe.seed, started=started, tracer=tracer, progress=progress),
        )
    if not needs_model:
        return answers  # every token is in the answers, which an interrupted cell keeps
    stats = [one.stats for one in opened]
    tokens = sum(one.prompt_tokens + one.tokens for one in stats)
    return CellAnswers(answers, None if interrupted else tokens)


def score_cells(run: Run, names: Sequence[str], out: Path, progress: Progress) -> ScoringResult:
    """Score every cell's answers against the key, and with the recipe's judge if it has one."""
    from kofinlaw.scoring.score import score_answers

    return score_answers(
        run.folder / "asked" / "questions.jsonl",
        run.key_path,
        {name: run.folder / f"answer-{name}" for name in names},
        run.folder / "data" / "chunks.jsonl",
        out,
        settings=run.recipe.score,
        seed=run.recipe.seed,
        cache=run.cache,
        trace=run.recipe.trace,
        offline=run.recipe.offline,
        progress=progress,
    )


def write_page(run: Run, out: Path, progress: Progress) -> StudyResult:
    """Write the study's table and conclusions, and the run's report."""
    from kofinlaw.scoring.report.study_page import write_study
    from kofinlaw.scoring.report.write import write_report

    counts = write_study(
        run.folder,
        out,
        cells=[(cell.name, cell.model, cell.retriever) for cell in cells_of(run)],
        name=run.recipe.name,
        progress=progress,
    )
    write_report(run.folder, run.folder / "report", recipe=run.recipe.model_dump(mode="json"))
    return counts
