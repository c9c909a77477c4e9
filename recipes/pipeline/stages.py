"""A recipe as stages: what each reads, and what it comes after."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from kofinlaw.recipes.pipeline import stage_functions as work
from kofinlaw.recipes.pipeline.run import SYSTEM_STAGES, Run, protected_paths, source_paths
from kofinlaw.recipes.pipeline.runner import Resume, Stage
from kofinlaw.recipes.pipeline.schema import System
from kofinlaw.trainer.settings import TrainSettings


def build_stages(run: Run, resume: Resume = "if-possible") -> list[Stage]:
    """Every stage of the recipe, in order; `resume` is for what outlives a stage's folder.

    A recipe of ready `examples` without documents has no stage `data` or `index`, and one without
    questions none that asks.
    """
    recipe = run.recipe
    stages = [*_making(run, resume), *_training(run)]
    if recipe.data is not None:
        stages.append(
            Stage(
                "index",
                partial(work.index_chunks, run),
                {"rag": recipe.rag.model_dump(mode="json")},
                (),
                ("data", "models", "rag"),
                ("data",),
            )
        )
    if recipe.export.formats:
        stages.append(_export(run))
    if recipe.asks:
        stages += _asking(run)
    stages.append(
        Stage(
            "report",
            partial(work.write_page, run),
            {"recipe": recipe.model_dump(mode="json", exclude={"sweep"})},
            (),
            ("scoring",),
            tuple(stage.name for stage in stages),
        )
    )
    return stages


def _model(run: Run) -> dict[str, Any]:
    return {"model": run.recipe.model.model_dump(mode="json"), "seed": run.recipe.seed}


def _making(run: Run, resume: Resume) -> list[Stage]:
    """Documents to examples, or the examples that are ready; and the questions."""
    recipe = run.recipe
    stages = []
    if recipe.data is not None:
        stages.append(
            Stage(
                "data",
                partial(work.read_documents, run),
                {"data": recipe.data.model_dump(mode="json"), "model": _model(run)["model"]},
                (*source_paths(run), *protected_paths(run)),
                ("data",),
            )
        )
    if recipe.examples is None:
        stages.append(
            Stage(
                "augment",
                partial(work.make_examples, run, resume),
                {"augment": recipe.augment.model_dump(mode="json"), **_model(run)},
                protected_paths(run),
                ("data", "augment"),
                ("data",),
            )
        )
    else:
        stages.append(
            Stage(
                "augment",
                partial(work.take_examples, run),
                {},
                (run.path(recipe.examples), *protected_paths(run)),
                ("data",),
            )
        )
    if recipe.asks:
        stages.append(
            Stage(
                "questions",
                partial(work.gather_questions, run),
                {"evaluate": recipe.evaluate.model_dump(mode="json")},
                _existing(run, recipe.evaluate.questions, recipe.evaluate.key),
                ("data",),
                ("augment",),
            )
        )
    return stages


def _training(run: Run) -> list[Stage]:
    """Examples to an adapter, the adapter into the weights, and the proof."""
    recipe = run.recipe
    return [
        Stage(
            "train",
            partial(work.train_adapter, run),
            {"train": recipe.train.model_dump(mode="json"), **_model(run)},
            _existing(run, *(str(path) for path in train_inputs(recipe.train))),
            ("data", "models", "trainer"),
            ("augment",),
        ),
        Stage(
            "merge",
            partial(work.merge_adapter, run),
            {"merge": recipe.merge.model_dump(mode="json"), **_model(run)},
            (),
            ("models", "trainer"),
            ("train",),
        ),
        Stage(
            "verify",
            partial(work.prove_merge, run),
            {"verify": recipe.verify.model_dump(mode="json"), **_model(run)},
            (),
            ("models", "trainer", "scoring"),
            (*(("questions",) if recipe.asks else ()), "train", "merge"),
        ),
    ]


def train_inputs(settings: TrainSettings) -> list[Path]:
    """The files that training reads besides the run's examples."""
    mixed = [part.path for part in settings.mixture]
    return [*mixed, *([settings.start_from] if settings.start_from else [])]


def _export(run: Run) -> Stage:
    recipe = run.recipe
    return Stage(
        "export",
        partial(work.export_merged, run),
        {
            "export": recipe.export.model_dump(mode="json"),
            "verify": recipe.verify.model_dump(mode="json"),
            **_model(run),
        },
        (),
        ("models", "trainer", "scoring"),
        (
            *(("data",) if recipe.data else ()),
            "augment",
            *(("questions",) if recipe.asks else ()),
            "merge",
        ),
    )


def _asking(run: Run) -> list[Stage]:
    """Every system's answers, the submission, and the scores."""
    recipe = run.recipe
    settings = {
        "answer": recipe.answer.model_dump(mode="json"),
        "rag": recipe.rag.model_dump(mode="json"),
        **_model(run),
        **_trace(run),
    }
    stages = [_answer_of(run, system, settings, "questions") for system in recipe.evaluate.systems]
    answered = tuple(stage.name for stage in stages)
    if recipe.evaluate.submission:
        stages.append(_submission(run, settings))
    stages.append(
        Stage(
            "score",
            partial(work.score_answers, run),
            {
                "score": recipe.score.model_dump(mode="json"),
                "evaluate": recipe.evaluate.model_dump(mode="json"),
                "seed": recipe.seed,
                **judge_trace(run),
            },
            (),
            ("data", "rag", "scoring"),
            (*(("data",) if recipe.data else ()), "questions", *answered),
        )
    )
    return stages


def _trace(run: Run) -> dict[str, Any]:
    # Traces are a log, but who asks for them, or for redacted ones, wants what was done without.
    trace = run.recipe.trace
    return {"trace": trace.model_dump(mode="json") if trace else None}


def judge_trace(run: Run) -> dict[str, Any]:
    """What of `trace` the scores depend on: a judge's calls are traced too."""
    return _trace(run) if run.recipe.score.judge else {}


def _existing(run: Run, *names: str | None) -> tuple[Path, ...]:
    return tuple(run.path(name) for name in names if name)


def _answer_of(run: Run, system: System, settings: dict[str, Any], after: str) -> Stage:
    needs = [after]
    if system.endswith("rag"):
        needs.append("index")
    if system.startswith("trained"):
        needs += ["merge", "verify"]
    return Stage(
        SYSTEM_STAGES[system],
        partial(work.answer_as, run, system, run.questions_path),
        settings,
        (),
        ("data", "models", "rag"),
        tuple(needs),
    )


def _submission(run: Run, settings: dict[str, Any]) -> Stage:
    path = run.path(run.recipe.evaluate.submission or "")
    return Stage(
        "submission",
        partial(work.answer_as, run, "trained-rag", path),
        settings,
        (path,),
        ("data", "models", "rag"),
        ("index", "merge", "verify"),
    )
