"""Build the stages of a retrieval study: every retriever with every model, on the same questions.

The recipe's own stages make the corpus, the index and the trained model. Each cell is a separate
stage, so that an interrupted study continues with the cell that it was in.
"""

from __future__ import annotations

from functools import partial

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.code_hash import with_imported_packages
from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.pipeline.runner import Resume
from kofinlaw.recipes.pipeline.stages import build_stages, judge_trace
from kofinlaw.recipes.studies import study_functions as functions
from kofinlaw.recipes.studies.cells import Cell, cells_of, checkpoint_mark, trained_folder

__all__ = ["CELLS_MODULE", "FUNCTIONS_MODULE", "RUN_MODULE", "study_stages"]

# The modules of this package whose code the functions of these stages use.
RUN_MODULE = "kofinlaw.recipes.pipeline.run"
FUNCTIONS_MODULE = "kofinlaw.recipes.studies.study_functions"
CELLS_MODULE = "kofinlaw.recipes.studies.cells"


def study_stages(run: Run, resume: Resume = "if-possible") -> list[Stage]:
    """Return every stage of a study, in order.

    Raises UserError if the recipe has no `data` or no `study.retrievers`, or if a retriever or
    `study.trained` cannot be used.
    """
    study = run.recipe.study
    if run.recipe.data is None:
        raise UserError(
            "a study compares ways to find documents, and the recipe has none",
            where=str(run.recipe_file.path),
            remedy="name documents in data.sources",
        )
    if not study.retrievers:
        raise UserError(
            "the recipe has no retrievers to study",
            where=str(run.recipe_file.path),
            remedy="name them under study.retrievers, as recipes/retriever-study.yaml does",
        )
    cells = cells_of(run)
    shared = ["data", "augment", "questions", "index"]
    if "trained" in study.models and study.trained is None:
        shared += ["train", "merge"]
    stages = [stage for stage in build_stages(run, resume) if stage.name in shared]
    stages.append(
        Stage(
            "asked",
            partial(functions.draw_questions, run),
            settings={
                "choice_items": study.choice_items,
                "free_items": study.free_items,
                "seed": run.recipe.seed,
            },
            packages=with_imported_packages("scoring"),
            modules=(RUN_MODULE, FUNCTIONS_MODULE),
            after=("questions",),
        )
    )
    stages += [_answers_of(run, cell) for cell in cells]
    names = [cell.name for cell in cells]
    answered = tuple(f"answer-{name}" for name in names)
    score = run.recipe.score.model_dump(mode="json")
    stages.append(
        Stage(
            "score",
            partial(functions.score_cells, run, names),
            settings={"score": score, "seed": run.recipe.seed, **judge_trace(run)},
            packages=with_imported_packages("scoring"),
            modules=(RUN_MODULE, FUNCTIONS_MODULE),
            after=("data", "questions", "asked", *answered),
        )
    )
    stages.append(
        Stage(
            "study",
            partial(functions.write_page, run),
            packages=with_imported_packages("rag", "scoring"),
            modules=(RUN_MODULE, FUNCTIONS_MODULE, CELLS_MODULE),
            after=("score", *answered),
        )
    )
    return stages


def _answers_of(run: Run, cell: Cell) -> Stage:
    study, dump = run.recipe.study, run.recipe.model_dump(mode="json")
    settings: dict[str, object] = {
        "answer": dump["answer"],
        "deadline": run.recipe.evaluate.deadline,
        "rag": cell.rag.model_dump(mode="json") if cell.rag else None,
        "model": dump["model"],
        "seed": run.recipe.seed,
        "trace": dump["trace"],
    }
    trained = cell.model == "trained"
    if trained and study.trained:
        settings["trained"] = checkpoint_mark(trained_folder(run))
    return Stage(
        f"answer-{cell.name}",
        partial(functions.answer_cell, run, cell),
        settings=settings,
        packages=with_imported_packages("models", "rag"),
        modules=(RUN_MODULE, FUNCTIONS_MODULE, CELLS_MODULE),
        after=(
            "asked",
            *(("index",) if cell.rag else ()),
            *(("merge",) if trained and study.trained is None else ()),
        ),
    )
