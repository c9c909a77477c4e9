"""Build the stages of a recipe: what each one reads, and the stages that it follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from kofinlaw import Progress
from kofinlaw.augment.review.outcomes import changes_of, current_verdicts
from kofinlaw.augment.review.verdict_file import VERDICT_FILE, read_verdicts
from kofinlaw.recipes.pipeline import exam_stages as exams
from kofinlaw.recipes.pipeline import stage_functions as functions
from kofinlaw.recipes.pipeline.code_hash import with_imported_packages
from kofinlaw.recipes.pipeline.evaluation import evidence_stages as evidence
from kofinlaw.recipes.pipeline.evaluation import twin_stages as twins
from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
from kofinlaw.recipes.pipeline.run import (
    EVIDENCE_STAGE,
    SYSTEM_STAGES,
    TWINS_STAGE,
    Run,
    comparison_settings,
    forced_folders,
    forced_stage,
    protected_paths,
    searching_system,
    source_inputs,
    twin_folders,
)
from kofinlaw.recipes.pipeline.runner import Resume
from kofinlaw.recipes.pipeline.schema import ExamSettings, System
from kofinlaw.results import StageResult
from kofinlaw.trainer.settings import TrainSettings

__all__ = [
    "ANSWER_MODULES",
    "EXAMPLE_MODULES",
    "EXAM_MODULES",
    "GENERATED_MODULES",
    "STAGE_MODULES",
    "build_stages",
    "judge_trace",
    "train_inputs",
    "train_settings",
]

# The modules of this package whose code the stage functions use. `schema` and `recipe_file` are
# not among them: what they produce is in the stages' settings and inputs.
STAGE_MODULES = (
    "kofinlaw.recipes.pipeline.run",
    "kofinlaw.recipes.pipeline.stage_functions",
)
ANSWERING_MODULES = (
    "kofinlaw.recipes.pipeline.evaluation.answering",
    "kofinlaw.recipes.pipeline.evaluation.first_submission",
    "kofinlaw.recipes.pipeline.fitting.voter_fitting",
)
ANSWER_MODULES = (*STAGE_MODULES, *ANSWERING_MODULES)
FENCE_MODULE = "kofinlaw.recipes.pipeline.evaluation.bench_fence"  # what training must not repeat
EXAMPLE_MODULES = (*STAGE_MODULES, FENCE_MODULE, "kofinlaw.recipes.pipeline.ready_examples")
GENERATED_MODULES = (*EXAMPLE_MODULES, "kofinlaw.recipes.pipeline.planning.example_shortage")
EVIDENCE_MODULES = (
    "kofinlaw.recipes.pipeline.run",
    "kofinlaw.recipes.pipeline.evaluation.evidence_stages",
)
TWIN_MODULES = (
    "kofinlaw.recipes.pipeline.run",
    "kofinlaw.recipes.pipeline.evaluation.twin_stages",
)
EXAM_SCORE_MODULES = (
    "kofinlaw.recipes.pipeline.run",
    "kofinlaw.recipes.pipeline.exam_stages",
)
EXAM_MODULES = (*STAGE_MODULES, "kofinlaw.recipes.pipeline.exam_stages")
EXAM_ANSWER_MODULES = (*ANSWER_MODULES, "kofinlaw.recipes.pipeline.exam_stages")


def build_stages(run: Run, resume: Resume = "if-possible") -> list[Stage]:
    """Return every stage of the recipe, in order.

    A recipe with ready `examples` and no documents has no stage `data` or `index`; a recipe
    without questions has no stage that answers or scores; a recipe that only asks has no stage that
    trains. The index comes right after the documents, so that `ask` works while the rest runs.

    Args:
        run: The recipe bound to its folder.
        resume: What `augment` does with the teacher's answers, which are kept outside its folder.
    """
    recipe = run.recipe
    stages = _documents(run) if recipe.data is not None else []
    stages += _examples_and_questions(run, resume)
    if not recipe.ask_only:
        stages += _training(run, resume)
    if recipe.export.formats:
        stages.append(_export(run))
    if recipe.asks:
        stages += _answering(run)
    elif recipe.evaluate.submission:
        stages.append(_submission(run, run.path(recipe.evaluate.submission)))
    stages += _exams(run)
    stages.append(
        Stage(
            "report",
            partial(functions.write_page, run),
            settings={"recipe": recipe.model_dump(mode="json", exclude={"sweep", "cluster"})},
            packages=with_imported_packages("scoring"),
            modules=STAGE_MODULES,
            after=tuple(stage.name for stage in stages),
        )
    )
    return stages


def _documents(run: Run) -> list[Stage]:
    recipe = run.recipe
    assert recipe.data is not None  # else the recipe has no such stage
    return [
        Stage(
            "data",
            partial(functions.read_documents, run),
            settings={
                "data": recipe.data.model_dump(mode="json"),
                "model": recipe.model.model_dump(mode="json"),
            },
            inputs=(*source_inputs(run), *protected_paths(run)),
            packages=with_imported_packages("data", "models", "rag"),
            modules=STAGE_MODULES,
        ),
        _index(run),
    ]


def _examples_and_questions(run: Run, resume: Resume) -> list[Stage]:
    recipe = run.recipe
    stages = []
    if recipe.makes_examples:
        stages.append(_generated(run, resume) if recipe.examples is None else _ready(run))
    if recipe.asks:
        stages.append(
            Stage(
                "questions",
                partial(functions.gather_questions, run),
                settings={
                    "evaluate": recipe.evaluate.model_dump(mode="json", exclude={"deadline"})
                },
                inputs=_paths(run, recipe.evaluate.questions, recipe.evaluate.key),
                packages=with_imported_packages("rag"),
                modules=STAGE_MODULES,
                after=("augment",) if recipe.makes_examples else (),
            )
        )
    if recipe.evaluate.evidence:
        stages.append(
            Stage(
                EVIDENCE_STAGE,
                partial(evidence.force_evidence, run),
                settings={
                    "evidence": list(recipe.evaluate.evidence),
                    "evidence_questions": recipe.evaluate.evidence_questions,
                    "seed": recipe.seed,
                },
                packages=with_imported_packages("augment", "rag"),
                modules=EVIDENCE_MODULES,
                after=("data", *(("augment",) if recipe.makes_examples else ()), "questions"),
            )
        )
    return stages


def _generated(run: Run, resume: Resume) -> Stage:
    return Stage(
        "augment",
        partial(functions.make_examples, run, resume),
        settings={
            "augment": run.recipe.augment.model_dump(mode="json"),
            **_model_and_seed(run),
            **_review(run),
        },
        inputs=(*protected_paths(run), *_fenced_mixture(run)),
        packages=with_imported_packages("augment", "rag"),
        modules=GENERATED_MODULES,
        after=("data",),
    )


def _review(run: Run) -> dict[str, object]:
    """Return what readers changed by `kofinlaw review`; nothing where they changed no example."""
    changes = changes_of(current_verdicts(read_verdicts(run.folder / VERDICT_FILE)))
    return {"review": changes.to_settings()} if changes else {}


def _ready(run: Run) -> Stage:
    return Stage(
        "augment",
        partial(functions.take_examples, run),
        settings={"write_as": list(run.recipe.augment.write_as)},
        inputs=(
            run.path(run.recipe.examples or ""),
            *protected_paths(run),
            *_fenced_mixture(run),
        ),
        packages=with_imported_packages("augment", "rag"),
        modules=EXAMPLE_MODULES,
    )


def _fenced_mixture(run: Run) -> tuple[Path, ...]:
    """Return the files of the mixture if they are compared with evaluation questions."""
    mixture = run.recipe.train.mixture if protected_paths(run) else ()
    return tuple(run.path(str(part.path)) for part in mixture)


def _training(run: Run, resume: Resume) -> list[Stage]:
    recipe = run.recipe
    packages = with_imported_packages("models", "trainer")
    return [
        Stage(
            "train",
            partial(functions.train_adapter, run, resume),
            settings={"train": train_settings(recipe.train), **_model_and_seed(run)},
            inputs=_paths(run, *(str(path) for path in train_inputs(recipe.train))),
            packages=packages,
            modules=STAGE_MODULES,
            after=("augment",),
        ),
        Stage(
            "merge",
            partial(functions.merge_adapter, run),
            settings={"merge": recipe.merge.model_dump(mode="json"), **_model_and_seed(run)},
            packages=packages,
            modules=STAGE_MODULES,
            after=("train",),
        ),
        Stage(
            "verify",
            partial(functions.prove_merge, run),
            settings={"verify": recipe.verify.model_dump(mode="json"), **_model_and_seed(run)},
            packages=packages,
            modules=STAGE_MODULES,
            after=(*(("questions",) if recipe.asks else ()), "train", "merge"),
        ),
    ]


def train_settings(settings: TrainSettings) -> dict[str, object]:
    """Return the settings of training that a stage depends on, as JSON values.

    `resume_elsewhere` only permits to continue unfinished work, which another value must not
    discard.
    """
    return settings.model_dump(mode="json", exclude={"resume_elsewhere"})


def train_inputs(settings: TrainSettings) -> list[Path]:
    """Return the files and folders that training reads in addition to the run's examples."""
    mixed = [part.path for part in settings.mixture]
    return [*mixed, *([settings.start_from] if settings.start_from else [])]


def _index(run: Run) -> Stage:
    return Stage(
        "index",
        partial(functions.index_chunks, run),
        settings={"rag": run.recipe.rag.model_dump(mode="json")},
        packages=with_imported_packages("rag"),
        modules=STAGE_MODULES,
        after=("data",),
    )


def _export(run: Run) -> Stage:
    recipe = run.recipe
    return Stage(
        "export",
        partial(functions.export_merged, run),
        settings={
            "export": recipe.export.model_dump(mode="json"),
            "verify": recipe.verify.model_dump(mode="json"),
            **_model_and_seed(run),
        },
        packages=with_imported_packages("trainer"),
        modules=(*STAGE_MODULES, "kofinlaw.recipes.pipeline.exports"),
        after=(
            *(("data",) if recipe.data else ()),
            "augment",
            *(("questions",) if recipe.asks else ()),
            "merge",
        ),
    )


def _answering(run: Run) -> list[Stage]:
    """Return the answers of every system, the submission, and the scores."""
    recipe = run.recipe
    stages = [_answers_of(run, system) for system in recipe.evaluate.systems]
    stages += _forced(run)
    stages += _twins(run)
    forced = (EVIDENCE_STAGE,) if recipe.evaluate.evidence else ()
    answered = (*forced, *(stage.name for stage in stages))
    if recipe.evaluate.submission:
        stages.append(_submission(run, run.path(recipe.evaluate.submission)))
    stages.append(
        Stage(
            "score",
            partial(functions.score_answers, run),
            settings={
                "score": recipe.score.model_dump(mode="json"),
                "evaluate": recipe.evaluate.model_dump(mode="json"),
                "seed": recipe.seed,
                **judge_trace(run),
            },
            packages=with_imported_packages("scoring"),
            modules=STAGE_MODULES,
            after=(
                *(("data",) if recipe.data else ()),
                *(("augment",) if recipe.evaluate.twins else ()),
                "questions",
                *answered,
            ),
        )
    )
    return stages


def _answers_of(run: Run, system: System) -> Stage:
    index = ("index",) if system.endswith("rag") else ()
    work = partial(
        functions.answer_as,
        run,
        system,
        run.questions_path,
        settings=comparison_settings(run),
    )
    stage = _answer_stage(run, SYSTEM_STAGES[system], system, work, after=("questions", *index))
    settings = {**stage.settings, "deadline": run.recipe.evaluate.deadline}
    return replace(stage, settings=settings)


def _forced(run: Run) -> list[Stage]:
    """Return the stages that answer with forced evidence; none unless the recipe wants them."""
    stages = []
    for kind, by_model in forced_folders(run.recipe).items():
        for model, folder in by_model.items():
            if folder != forced_stage(model, kind):
                continue  # the answers of a system are used
            index = ("index",) if kind == "retrieved" else ()
            work = partial(evidence.answer_forced, run, model, kind)
            after = (EVIDENCE_STAGE, *index)
            modules = (*EVIDENCE_MODULES, *ANSWERING_MODULES)
            system = searching_system(model)
            stages.append(_answer_stage(run, folder, system, work, modules=modules, after=after))
    return stages


def _twins(run: Run) -> list[Stage]:
    """Return the stages that answer the held-out twins; none unless the recipe wants them."""
    folders = twin_folders(run.recipe)
    if not folders:
        return []
    return [
        Stage(
            TWINS_STAGE,
            partial(twins.gather_twins, run),
            packages=with_imported_packages("rag"),
            modules=TWIN_MODULES,
            after=("augment",),
        ),
        *(
            _answer_stage(
                run,
                folder,
                searching_system(model),
                partial(twins.answer_twins, run, model),
                modules=(*TWIN_MODULES, *ANSWERING_MODULES),
                after=(TWINS_STAGE,),
            )
            for model, folder in folders.items()
        ),
    ]


def _submission(run: Run, questions: Path) -> Stage:
    system: System = "base-rag" if run.recipe.ask_only else "trained-rag"
    work = partial(functions.answer_as, run, system, questions)
    return _answer_stage(run, "submission", system, work, inputs=(questions,), after=("index",))


def _answer_stage(
    run: Run,
    name: str,
    system: System,
    work: Callable[[Path, Progress], StageResult],
    *,
    inputs: tuple[Path, ...] = (),
    modules: tuple[str, ...] = ANSWER_MODULES,
    after: tuple[str, ...],
) -> Stage:
    """Return a stage that answers questions with the weights of `system`.

    In addition to `inputs` and `after` it reads what every answer depends on: the merged model, and
    the weights of the voters from a file, or the examples and the index that they are fitted with.
    """
    answer = run.recipe.answer
    file = (answer.voters,) if isinstance(answer.voters, Path) else ()
    fitted: tuple[str, ...] = ()
    if answer.fits_voters:
        fitted = ("augment", *(("index",) if system.endswith("rag") else ()))
    merged = ("merge", "verify") if system.startswith("trained") else ()
    return Stage(
        name,
        work,
        settings=_answer_settings(run),
        inputs=(*inputs, *file),
        packages=with_imported_packages("models", "rag"),
        modules=modules,
        after=tuple(dict.fromkeys((*fitted, *after, *merged))),
    )


def _exams(run: Run) -> list[Stage]:
    """Return the stages that measure on the recipe's exams; none without exams."""
    listed = run.recipe.evaluate.exam
    if not listed:
        return []
    stages = [stage for exam in listed for stage in _exam(run, exam)]
    stages.append(
        Stage(
            exams.EXAMS_STAGE,
            partial(exams.score_exams, run),
            settings={
                "score": run.recipe.score.model_dump(mode="json"),
                "seed": run.recipe.seed,
                "exam": [exam.model_dump(mode="json") for exam in listed],
            },
            packages=with_imported_packages("scoring"),
            modules=EXAM_SCORE_MODULES,
            after=(*(("data",) if run.recipe.data else ()), *(stage.name for stage in stages)),
        )
    )
    return stages


def _exam(run: Run, exam: ExamSettings) -> list[Stage]:
    """Return the stages of one exam: questions, documents of its own, answers."""
    recipe, asked = run.recipe, exams.exam_stage(exam)
    stages = [
        Stage(
            asked,
            partial(exams.gather_exam, run, exam),
            inputs=_paths(run, exam.path, exam.key),
            packages=with_imported_packages("rag"),
            modules=EXAM_MODULES,
        )
    ]
    index = "index"
    if exam.sources:
        data, index = exams.exam_stage(exam, "data"), exams.exam_stage(exam, "index")
        settings = exams.exam_data_settings(run, exam)
        stages += [
            Stage(
                data,
                partial(exams.read_exam_documents, run, exam),
                settings={
                    "data": settings.model_dump(mode="json"),
                    "model": recipe.model.model_dump(mode="json"),
                },
                inputs=tuple(run.path(source.path) for source in exam.sources),
                packages=with_imported_packages("data", "models"),
                modules=EXAM_MODULES,
            ),
            Stage(
                index,
                partial(exams.build_exam_index, run, exam),
                settings={"rag": recipe.rag.model_dump(mode="json")},
                packages=with_imported_packages("rag"),
                modules=EXAM_MODULES,
                after=(data,),
            ),
        ]
    for system in exams.exam_systems(run, exam):
        searched = (index,) if system.endswith("rag") else ()
        stages.append(
            _answer_stage(
                run,
                exams.exam_stage(exam, system),
                system,
                partial(exams.answer_exam, run, exam, system),
                modules=EXAM_ANSWER_MODULES,
                after=(asked, *searched),
            )
        )
    return stages


def _answer_settings(run: Run) -> dict[str, object]:
    return {
        "answer": run.recipe.answer.model_dump(mode="json", exclude={"expected_questions"}),
        "rag": run.recipe.rag.model_dump(mode="json"),
        **_model_and_seed(run),
        **_trace(run),
    }


def _model_and_seed(run: Run) -> dict[str, object]:
    return {"model": run.recipe.model.model_dump(mode="json"), "seed": run.recipe.seed}


def _trace(run: Run) -> dict[str, object]:
    # Traces do not change an answer, but a user who turns them on, or asks for redacted ones,
    # wants those of all questions, so the stage runs again.
    trace = run.recipe.trace
    return {"trace": trace.model_dump(mode="json") if trace else None}


def judge_trace(run: Run) -> dict[str, object]:
    """Return the trace settings if the scores depend on them: a judge's calls are traced too."""
    return _trace(run) if run.recipe.score.judge else {}


def _paths(run: Run, *names: str | None) -> tuple[Path, ...]:
    return tuple(run.path(name) for name in names if name)
