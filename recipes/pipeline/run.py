"""Bind a recipe to its folder, and find its documents, questions, weights and caches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.source_files import linked_files
from kofinlaw.files import cache_folder, existing_path
from kofinlaw.recipes.pipeline.recipe_file import RecipeFile, absolute, read_recipe_file
from kofinlaw.recipes.pipeline.schema import (
    EvidenceKind,
    ExamSettings,
    Recipe,
    System,
    check_recipe,
)

if TYPE_CHECKING:
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.questions.exam_files import ExamFile
    from kofinlaw.records import Question

__all__ = [
    "EVIDENCE_STAGE",
    "SYSTEM_STAGES",
    "TWINS_STAGE",
    "Run",
    "bind",
    "comparison_settings",
    "corpus_files",
    "forced_folders",
    "forced_stage",
    "model_folder",
    "protected_examples",
    "protected_paths",
    "protected_questions",
    "protected_texts",
    "question_doubts",
    "question_files",
    "read_exam_of",
    "reopen",
    "searching_system",
    "serving_folder",
    "source_inputs",
    "source_paths",
    "system_folder",
    "token_counter",
    "twin_folders",
]

EVIDENCE_STAGE = "evidence"
TWINS_STAGE = "twins"
SYSTEM_STAGES: dict[System, str] = {
    "base": "answer-base",
    "base-rag": "answer-base-rag",
    "trained": "answer-trained",
    "trained-rag": "answer-trained-rag",
}


@dataclass(frozen=True)
class Run:
    """A recipe bound to its folder.

    Args:
        recipe: The checked recipe.
        recipe_file: The file that it was read from, with the origin of each value.
        folder: The run's folder (absolute).
        started: When the recipe was bound, on the monotonic clock in seconds.
        cache: Folder of converted models and embeddings, shared by all runs.
    """

    recipe: Recipe
    recipe_file: RecipeFile
    folder: Path
    started: float
    cache: Path

    def path(self, value: str) -> Path:
        """Return a path of the recipe as an absolute path.

        Relative ones start at the recipe file.
        """
        return existing_path(absolute(value, self.recipe_file.path.parent))

    @property
    def questions_path(self) -> Path:
        """The evaluation questions that the stage `questions` gathers."""
        return self.folder / "questions" / "questions.jsonl"

    @property
    def key_path(self) -> Path:
        """The key of the evaluation questions; only scoring reads it."""
        return self.folder / "questions" / "key.jsonl"


def bind(recipe: Recipe, recipe_file: RecipeFile, runs: Path, cache: Path | None = None) -> Run:
    """Bind a recipe to the folder `runs/<name>`; `cache` None is `cache_folder()`."""
    return Run(
        recipe,
        recipe_file,
        (runs / recipe.name).resolve(),
        time.monotonic(),
        cache_folder(cache),
    )


def reopen(folder: Path) -> Run:
    """Return the run in `folder`, bound to the resolved recipe that it keeps.

    Raises UserError if the folder holds no recipe, or one with mistakes.
    """
    if not (folder / "recipe.yaml").is_file():
        raise UserError(
            "this folder is not a run: it has no recipe.yaml",
            where=str(folder),
            remedy="name the folder of a run, for example runs/quickstart",
        )
    recipe_file = read_recipe_file((folder / "recipe.yaml").resolve())
    return Run(
        check_recipe(recipe_file), recipe_file, folder.resolve(), time.monotonic(), cache_folder()
    )


def source_paths(run: Run) -> tuple[Path, ...]:
    """Return the folders and files of the recipe's documents."""
    return tuple(run.path(source.path) for source in run.recipe.sources)


def source_inputs(run: Run) -> tuple[Path, ...]:
    """Return the documents' folders and files, and the files outside that their links may name."""
    base = run.recipe_file.path.parent
    linked = (path for source in run.recipe.sources for path in linked_files(source, base))
    return (*source_paths(run), *linked)


def protected_paths(run: Run) -> tuple[Path, ...]:
    """Return the question files whose questions no training example may contain."""
    evaluate = run.recipe.evaluate
    named = tuple(run.path(name) for name in (evaluate.questions, evaluate.submission) if name)
    exams = [name for exam in evaluate.exam for name in (exam.path, exam.key) if name]
    return (*named, *(run.path(name) for name in exams))


def read_exam_of(run: Run, exam: ExamSettings) -> ExamFile:
    """Return the questions and keys of one exam of the recipe.

    Raises UserError for a file that is missing or has another form.
    """
    from kofinlaw.rag.questions.exam_files import read_exam

    path, key = run.path(exam.path), run.path(exam.key) if exam.key else None
    if not exam.bench:
        return read_exam(path, key)
    from kofinlaw.rag.benches.bench_files import read_bench_exam
    from kofinlaw.rag.benches.sets import bench_set

    return read_bench_exam(bench_set(exam.bench, "evaluate.exam.bench"), path, key)


def protected_questions(run: Run) -> list[Question]:
    """Return the questions of the recipe's question files and exams.

    Raises UserError for a file that is missing or has another form.
    """
    from kofinlaw.rag.questions.question_files import read_questions

    evaluate = run.recipe.evaluate
    files = [run.path(name) for name in (evaluate.questions, evaluate.submission) if name]
    found = [question for path in files for question in read_questions(path).questions]
    return found + [q for exam in evaluate.exam for q in read_exam_of(run, exam).questions]


def question_doubts(run: Run) -> list[str]:
    """Return what a user should check in the recipe's question files and exams, as sentences.

    Raises UserError for a file that is missing or has another form, and for a key that cannot be
    read.
    """
    from kofinlaw.rag.questions.key_files import read_keys
    from kofinlaw.rag.questions.question_files import doubt_lines, read_questions

    evaluate = run.recipe.evaluate
    lines: list[str] = []
    for name in (evaluate.questions, evaluate.submission):
        if name:
            file = read_questions(run.path(name))
            lines += file.doubt_lines()
            if name == evaluate.questions and evaluate.key:
                read_keys(run.path(evaluate.key), file.questions)
    for exam in evaluate.exam:
        found = read_exam_of(run, exam)
        lines += doubt_lines(found.path, found.doubts, len(found.questions))
    return lines


def protected_texts(run: Run) -> list[str]:
    """Return the recipe's own evaluation questions, each as one text: stem and options on lines."""
    return ["\n".join((one.question, *one.options)) for one in protected_questions(run)]


def protected_examples(run: Run) -> list[str]:
    """Return the texts that no training example may hold: `protected_texts`, and each exam question
    with its right answer alone, which is enough to learn it. Questions of evaluation sets that were
    measured in this run's folder belong to them.

    Documents are compared with `protected_texts` only: an article that an exam question quotes is
    evidence.
    """
    from kofinlaw.recipes.pipeline.evaluation.bench_fence import fenced_texts

    texts = protected_texts(run)
    for exam in run.recipe.evaluate.exam:
        found = read_exam_of(run, exam)
        for question, key in zip(found.questions, found.keys, strict=True):
            texts += [f"{question.question}\n{question.options[index]}" for index in key.indices]
    return texts + fenced_texts(run.folder)


def forced_stage(model: str, kind: EvidenceKind) -> str:
    """Return the name of the stage that answers with a kind of evidence; `model` is `base` or
    `trained`.
    """
    return f"evidence-{model}-{kind}"


def forced_folders(recipe: Recipe) -> dict[EvidenceKind, dict[str, str]]:
    """Return the folder of the answers under each kind of evidence of the recipe, by model.

    Retrieved evidence is that of the system with `-rag`, whose answers are used if it is asked.
    """
    models = tuple(
        name
        for name in ("base", "trained")
        if any(system.removesuffix("-rag") == name for system in recipe.evaluate.systems)
    )
    out: dict[EvidenceKind, dict[str, str]] = {}
    for kind in recipe.evaluate.evidence:
        out[kind] = {model: forced_stage(model, kind) for model in models}
        if kind == "retrieved":
            for system in recipe.evaluate.systems:
                if system.endswith("-rag"):
                    out[kind][system.removesuffix("-rag")] = SYSTEM_STAGES[system]
    return out


def twin_folders(recipe: Recipe) -> dict[str, str]:
    """Return the folder of the answers to the held-out twins by model; empty if they are not asked.

    The models are those of the systems with `-rag`.
    """
    asked = recipe.evaluate.systems if recipe.evaluate.twins else ()
    return {
        model: f"{TWINS_STAGE}-{model}"
        for model in ("base", "trained")
        if searching_system(model) in asked
    }


def searching_system(model: str) -> System:
    """Return the system with `-rag` of a model, which is `base` or `trained`."""
    return "trained-rag" if model == "trained" else "base-rag"


def corpus_files(run: Run) -> dict[str, Path]:
    """Return the files that exist of the run's `chunks` and of the `examples` generated from them.

    Ready examples do not name the chunks that they come from, so they are left out.
    """
    files = {"chunks": run.folder / "data" / "chunks.jsonl"}
    if run.recipe.examples is None:
        files["examples"] = run.folder / "augment" / "examples.jsonl"
    return {name: path for name, path in files.items() if path.is_file()}


def question_files(run: Run) -> dict[str, Path]:
    """Return the files of the evaluation's `questions` and `key`; empty if the run has none."""
    files = {"questions": run.questions_path, "key": run.key_path}
    return files if all(path.is_file() for path in files.values()) else {}


def model_folder(run: Run, progress: Progress = silent) -> Path:
    """Return the base model's folder; a model that a package contains as GGUF is converted once.

    Raises UserError if the model is not on this machine.
    """
    from kofinlaw.models.resolve import model_folder as resolve

    return resolve(run.recipe.model, offline=run.recipe.offline, cache=run.cache, progress=progress)


def comparison_settings(run: Run) -> AnswerSettings:
    """Return how the evaluation questions are answered: without the deadline, unless
    `evaluate.deadline` is set, so that every system is asked under the same plan.
    """
    answer = run.recipe.answer
    if run.recipe.evaluate.deadline:
        return answer
    return answer.model_copy(update={"budget_minutes": None})


def serving_folder(run: Run) -> Path:
    """Return the run's merged model if there is one, else the base model."""
    merged = run.folder / "merge" / "model"
    return merged if merged.is_dir() else model_folder(run)


def token_counter(run: Run, progress: Progress = silent) -> Callable[[str], int]:
    """Return a function that counts the tokens of a text with the base model's tokenizer."""
    from kofinlaw.models.tokenizer import load_tokenizer

    return load_tokenizer(model_folder(run, progress)).count_plain


def system_folder(run: Run, system: System) -> Path:
    """Return the folder of the weights that a system answers with."""
    return run.folder / "merge" / "model" if system.startswith("trained") else model_folder(run)
