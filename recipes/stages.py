"""A recipe as stages: what each reads, and what it comes after."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from kofinlaw.recipes import work
from kofinlaw.recipes.bound import SYSTEM_STAGES, Run, protected_paths, source_paths
from kofinlaw.recipes.runner import Stage
from kofinlaw.recipes.schema import System


def build_stages(run: Run) -> list[Stage]:
    """Every stage of the recipe, in order."""
    recipe = run.recipe
    dump = recipe.model_dump(mode="json")
    model = {"model": dump["model"], "seed": recipe.seed}
    stages = [
        Stage(
            "data",
            partial(work.read_documents, run),
            {"data": dump["data"], "model": dump["model"]},
            (*source_paths(run), *protected_paths(run)),
            ("data",),
        ),
        Stage(
            "augment",
            partial(work.make_examples, run),
            {"augment": dump["augment"], **model},
            protected_paths(run),
            ("data", "augment"),
            ("data",),
        ),
        Stage(
            "questions",
            partial(work.gather_questions, run),
            {"evaluate": dump["evaluate"]},
            _existing(run, recipe.evaluate.questions, recipe.evaluate.key),
            ("data",),
            ("augment",),
        ),
        Stage(
            "train",
            partial(work.train_adapter, run),
            {"train": dump["train"], **model},
            (),
            ("data", "models", "trainer"),
            ("augment",),
        ),
        Stage(
            "merge",
            partial(work.merge_adapter, run),
            {"merge": dump["merge"], **model},
            (),
            ("models", "trainer"),
            ("train",),
        ),
        Stage(
            "verify",
            partial(work.prove_merge, run),
            {"verify": dump["verify"], **model},
            (),
            ("models", "trainer", "scoring"),
            ("questions", "train", "merge"),
        ),
        Stage(
            "index",
            partial(work.index_chunks, run),
            {"rag": dump["rag"]},
            (),
            ("data", "models", "rag"),
            ("data",),
        ),
    ]
    if recipe.export.formats:
        stages.append(
            Stage(
                "export",
                partial(work.export_merged, run),
                {"export": dump["export"], **model},
                (),
                ("models", "trainer"),
                ("merge",),
            )
        )
    settings = {"answer": dump["answer"], "rag": dump["rag"], **model}
    answered = []
    for system in recipe.evaluate.systems:
        stages.append(_answer_of(run, system, settings, "questions"))
        answered.append(SYSTEM_STAGES[system])
    if recipe.evaluate.submission:
        stages.append(_submission(run, settings))
    stages.append(
        Stage(
            "score",
            partial(work.score_answers, run),
            {"score": dump["score"], "evaluate": dump["evaluate"], "seed": recipe.seed},
            (),
            ("data", "rag", "scoring"),
            ("data", "questions", *answered),
        )
    )
    everything = tuple(stage.name for stage in stages)
    stages.append(
        Stage(
            "report",
            partial(work.write_page, run),
            {"recipe": dump},
            (),
            ("scoring",),
            everything,
        )
    )
    return stages


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
