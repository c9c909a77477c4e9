"""The retrieval study: every retriever with every model, cell by cell, on the same questions.

The recipe's own stages make corpus, index and trained model; each cell is a stage of its own, so
that a study that was cut off goes on with the cell it was in.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw import Progress, UserError
from kofinlaw.files import read_jsonl, sha256_file, write_jsonl
from kofinlaw.rag.settings import RagSettings
from kofinlaw.recipes.pipeline.run import Run, model_folder
from kofinlaw.recipes.pipeline.runner import Resume, Stage
from kofinlaw.recipes.pipeline.stages import build_stages, judge_trace
from kofinlaw.records import Question

if TYPE_CHECKING:
    from kofinlaw.scoring.report.study_page import StudyResult
    from kofinlaw.scoring.result import ScoringResult

NONE = "none"


def study_stages(run: Run, resume: Resume = "if-possible") -> list[Stage]:
    """The stages of a study, in order; raises UserError without `study.retrievers` or `data`."""
    study = run.recipe.study
    if run.recipe.data is None:
        raise UserError(
            "a study compares ways to find documents, and the recipe has none",
            where=str(run.recipe_file.path),
            remedy="name data.sources",
        )
    if not study.retrievers:
        raise UserError(
            "the recipe has no retrievers to study",
            where=str(run.recipe_file.path),
            remedy="name them under study.retrievers, as recipes/retriever-study.yaml does",
        )
    cells = cells_of(run)
    first = ["data", "augment", "questions", "index"]
    if "trained" in study.models and study.trained is None:
        first += ["train", "merge"]
    stages = [stage for stage in build_stages(run, resume) if stage.name in first]
    kinds = {"choice_items": study.choice_items, "free_items": study.free_items}
    stages.append(
        Stage(
            "asked",
            partial(draw_questions, run),
            {**kinds, "seed": run.recipe.seed},
            (),
            ("data",),
            ("questions",),
        )
    )
    dump = run.recipe.model_dump(mode="json")
    for model, retriever, rag in cells:
        name = cell_name(model, retriever)
        trained = model == "trained"
        needs = ["asked", *(["index"] if rag else [])]
        needs += ["merge"] if trained and study.trained is None else []
        settings: dict[str, Any] = {
            "answer": dump["answer"],
            "rag": rag.model_dump(mode="json") if rag else None,
            "model": dump["model"],
            "seed": run.recipe.seed,
            "trace": dump["trace"],
        }
        if trained and study.trained:
            settings["trained"] = checkpoint_mark(trained_folder(run))
        stages.append(
            Stage(
                f"answer-{name}",
                partial(answer_cell, run, model, rag),
                settings,
                (),
                ("data", "models", "rag"),
                tuple(needs),
            )
        )
    names = [cell_name(model, retriever) for model, retriever, _ in cells]
    answered = tuple(f"answer-{name}" for name in names)
    stages.append(
        Stage(
            "score",
            partial(score_cells, run, names),
            {"score": dump["score"], "seed": run.recipe.seed, **judge_trace(run)},
            (),
            ("data", "models", "rag", "scoring"),
            ("data", "questions", "asked", *answered),
        )
    )
    stages.append(
        Stage("study", partial(write_page, run), {}, (), ("scoring",), ("score", *answered))
    )
    return stages


def cells_of(run: Run) -> list[tuple[str, str, RagSettings | None]]:
    """(model, retriever, its settings; None for no documents) of every cell, in the table's order.

    Raises UserError where a retriever's keys do not go together, or ask for what the index, which
    is built by `rag`, does not hold.
    """
    from pydantic import ValidationError

    base = run.recipe.rag.model_dump(mode="json")
    out: list[tuple[str, str, RagSettings | None]] = []
    for model in run.recipe.study.models:
        for name, changes in run.recipe.study.retrievers.items():
            if changes is None:
                out.append((model, name, None))
                continue
            where = f"study.retrievers.{name}"
            try:
                rag = RagSettings.model_validate({**base, **changes})
            except ValidationError as error:
                reasons = "; ".join(str(fault["msg"]) for fault in error.errors())
                raise UserError(reasons, where=where) from error
            for key in ("embedder", "store"):
                wanted, built = getattr(rag, key), getattr(run.recipe.rag, key)
                if wanted is not None and wanted != built:
                    raise UserError(
                        f"{key} {wanted}, but the index is built with {built}",
                        where=where,
                        remedy=f"set rag.{key} to what the index shall hold for all retrievers",
                    )
            out.append((model, name, rag))
    return out


def cell_name(model: str, retriever: str) -> str:
    """`base` alone for no documents, else `base-dense`."""
    return model if retriever == NONE else f"{model}-{retriever}"


def trained_folder(run: Run) -> Path:
    """The trained model's weights: the checkpoint that `study.trained` names, or the run's own."""
    given = run.recipe.study.trained
    if given is None:
        return run.folder / "merge" / "model"
    folder = run.path(given)
    if not (folder / "config.json").is_file():
        raise UserError(
            "no checkpoint here", where=f"study.trained: {folder}", remedy="name a merged model"
        )
    return folder


def checkpoint_mark(folder: Path) -> dict[str, str]:
    """What tells one checkpoint from another without reading gigabytes: sizes, configuration."""
    weights = sorted(folder.glob("*.safetensors"))
    sizes = ", ".join(f"{path.name} {path.stat().st_size}" for path in weights)
    return {"config": sha256_file(folder / "config.json"), "weights": sizes}


def draw_questions(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    """As many questions of each kind as the study asks, drawn by seed and kept in order."""
    from kofinlaw.scoring.judge.verdicts import drawn

    everything = list(read_jsonl(run.questions_path, Question))
    study, seed = run.recipe.study, run.recipe.seed
    chosen = {
        question.id
        for kind, most in (("choice", study.choice_items), ("free", study.free_items))
        for question in drawn(
            [q for q in everything if bool(q.options) == (kind == "choice")], most, seed
        )
    }
    asked = [question for question in everything if question.id in chosen]
    if not asked:
        raise UserError("the study asks no question", where="study.choice_items, study.free_items")
    write_jsonl(out / "questions.jsonl", asked)
    return {"questions": len(asked), "free": sum(not q.options for q in asked)}


def answer_cell(
    run: Run, model: str, rag: RagSettings | None, out: Path, progress: Progress
) -> dict[str, Any]:
    """One cell: one model answers the study's questions with one retriever.

    The model that answers also writes queries and reranks, where the retriever asks for it.
    """
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.identity import model_fingerprint
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.trace_files import open_tracer

    recipe = run.recipe
    cut_off = (out / "plan.jsonl").exists()
    folder = trained_folder(run) if model == "trained" else model_folder(run, progress)
    template = template_for(folder)
    opened: list[Engine] = []

    def engine() -> Engine:
        opened.append(open_engine(recipe.answer.engine, folder, seed=recipe.seed))
        return opened[-1]

    retriever, retrieves = None, False
    started = time.monotonic()
    if rag is not None:
        retriever = Retriever(Index.load(run.folder / "index"), rag, cache=run.cache)
        retrieves = bool(retriever.needs_model)
        if retrieves:
            retriever = retriever.with_model(engine(), template)
    waiting = list(opened)
    with open_tracer(recipe.trace, out, offline=recipe.offline) as tracer:
        counts = answer_questions(
            run.folder / "asked" / "questions.jsonl",
            out,
            open_engine=lambda: waiting.pop() if waiting else engine(),
            template=template,
            retriever=retriever,
            settings=recipe.answer,
            model=model_fingerprint(folder, recipe.answer.engine.gguf),
            context=RunContext(seed=recipe.seed, started=started, tracer=tracer, progress=progress),
        )
    if not retrieves:
        return counts.to_record()  # every token stands in the answers, which outlive a kill
    stats = [one.stats for one in opened]
    tokens = sum(one.prompt_tokens + one.tokens for one in stats)
    # What queries and reranking took before a kill went with the process that asked.
    return {**counts.to_record(), "model_tokens": None if cut_off else tokens}


def score_cells(run: Run, names: Sequence[str], out: Path, progress: Progress) -> ScoringResult:
    """Every cell's answers against the key, and before the judge where the recipe has one."""
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
    """The study's table and conclusions, and the run's report."""
    from kofinlaw.scoring.report.study_page import write_study
    from kofinlaw.scoring.report.write import write_report

    result = write_study(
        run.folder,
        out,
        cells=[(cell_name(model, name), model, name) for model, name, _ in cells_of(run)],
        name=run.recipe.name,
        progress=progress,
    )
    write_report(run.folder, run.folder / "report", recipe=run.recipe.model_dump(mode="json"))
    return result
