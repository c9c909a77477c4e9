"""Bind a recipe to its folder, and find its documents, questions, weights and caches."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.recipes.pipeline.recipe_file import RecipeFile, absolute, read_recipe_file
from kofinlaw.recipes.pipeline.schema import EvidenceKind, Recipe, System, check_recipe

__all__ = [
    "EVIDENCE_STAGE",
    "SYSTEM_STAGES",
    "Run",
    "bind",
    "corpus_files",
    "default_cache",
    "forced_folders",
    "forced_stage",
    "model_folder",
    "protected_paths",
    "protected_texts",
    "question_files",
    "reopen",
    "source_paths",
    "system_folder",
    "token_counter",
]

EVIDENCE_STAGE = "evidence"
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
        return absolute(value, self.recipe_file.path.parent)

    @property
    def questions_path(self) -> Path:
        """The evaluation questions that the stage `questions` gathers."""
        return self.folder / "questions" / "questions.jsonl"

    @property
    def key_path(self) -> Path:
        """The key of the evaluation questions; only scoring reads it."""
        return self.folder / "questions" / "key.jsonl"


def bind(recipe: Recipe, recipe_file: RecipeFile, runs: Path, cache: Path | None = None) -> Run:
    """Bind a recipe to the folder `runs/<name>`; `cache` None is `default_cache()`."""
    return Run(
        recipe,
        recipe_file,
        (runs / recipe.name).resolve(),
        time.monotonic(),
        cache or default_cache(),
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
        check_recipe(recipe_file), recipe_file, folder.resolve(), time.monotonic(), default_cache()
    )


def default_cache() -> Path:
    """Return the folder of converted models and embeddings: $KOFINLAW_CACHE
    or ~/.cache/kofinlaw.
    """
    return Path(os.environ.get("KOFINLAW_CACHE", "~/.cache/kofinlaw")).expanduser()


def source_paths(run: Run) -> tuple[Path, ...]:
    """Return the folders and files of the recipe's documents."""
    return tuple(run.path(source.path) for source in run.recipe.sources)


def protected_paths(run: Run) -> tuple[Path, ...]:
    """Return the question files whose questions no training example may contain."""
    evaluate = run.recipe.evaluate
    return tuple(run.path(name) for name in (evaluate.questions, evaluate.submission) if name)


def protected_texts(run: Run) -> list[str]:
    """Return the recipe's own evaluation questions, each as one text with its options."""
    from kofinlaw.rag.questions.question_files import read_questions

    texts = []
    for path in protected_paths(run):
        for question in read_questions(path).questions:
            texts.append(" ".join((question.question, *question.options)))
    return texts


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


def token_counter(run: Run, progress: Progress = silent) -> Callable[[str], int]:
    """Return a function that counts the tokens of a text with the base model's tokenizer."""
    from kofinlaw.models.tokenizer import load_tokenizer

    return load_tokenizer(model_folder(run, progress)).count


def system_folder(run: Run, system: System) -> Path:
    """Return the folder of the weights that a system answers with."""
    return run.folder / "merge" / "model" if system.startswith("trained") else model_folder(run)
