"""A recipe bound to its folder: where its documents, questions, weights and caches lie."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.recipes.pipeline.recipe_file import RecipeFile, absolute, read_recipe_file
from kofinlaw.recipes.pipeline.schema import Recipe, System

SYSTEM_STAGES: dict[System, str] = {
    "base": "answer-base",
    "base-rag": "answer-base-rag",
    "trained": "answer-trained",
    "trained-rag": "answer-trained-rag",
}


@dataclass(frozen=True)
class Run:
    """A recipe bound to its folder; `started` is when the process began (monotonic seconds)."""

    recipe: Recipe
    recipe_file: RecipeFile
    folder: Path
    started: float
    cache: Path

    def path(self, value: str) -> Path:
        """A path of the recipe, made absolute."""
        return absolute(value, self.recipe_file.path.parent)

    @property
    def questions_path(self) -> Path:
        """The evaluation questions, whichever files they came from."""
        return self.folder / "questions" / "questions.jsonl"

    @property
    def key_path(self) -> Path:
        """Their key; only scoring reads it."""
        return self.folder / "questions" / "key.jsonl"


def bind(recipe: Recipe, recipe_file: RecipeFile, runs: Path, cache: Path | None = None) -> Run:
    """A run of this recipe under `runs/<name>`."""
    return Run(
        recipe,
        recipe_file,
        (runs / recipe.name).resolve(),
        time.monotonic(),
        cache or default_cache(),
    )


def reopen(folder: Path) -> Run:
    """The run in `folder`, by the recipe it keeps; raises UserError where there is none."""
    if not (folder / "recipe.yaml").is_file():
        raise UserError("this is no run's folder", where=str(folder), remedy="name runs/<recipe>")
    recipe_file = read_recipe_file((folder / "recipe.yaml").resolve())
    recipe = Recipe.model_validate(recipe_file.values)
    return Run(recipe, recipe_file, folder.resolve(), time.monotonic(), default_cache())


def default_cache() -> Path:
    """Where converted models and embeddings are kept: $KOFINLAW_CACHE or ~/.cache/kofinlaw."""
    import os

    return Path(os.environ.get("KOFINLAW_CACHE", "~/.cache/kofinlaw")).expanduser()


def source_paths(run: Run) -> tuple[Path, ...]:
    """The recipe's document folders and files."""
    return tuple(run.path(source.path) for source in run.recipe.sources)


def protected_paths(run: Run) -> tuple[Path, ...]:
    """Question files that no example may come near."""
    evaluate = run.recipe.evaluate
    return tuple(run.path(name) for name in (evaluate.questions, evaluate.submission) if name)


def protected_texts(run: Run) -> list[str]:
    """Stems and options of the recipe's own evaluation questions."""
    from kofinlaw.rag.questions.question_files import read_questions

    texts = []
    for path in protected_paths(run):
        for question in read_questions(path).questions:
            texts.append(" ".join((question.question, *question.options)))
    return texts


def corpus_files(run: Run) -> dict[str, Path]:
    """The run's `chunks`, and the `examples` made from them; those there are.

    Ready examples do not say which chunks they hold, so they are left out.
    """
    files = {"chunks": run.folder / "data" / "chunks.jsonl"}
    if run.recipe.examples is None:
        files["examples"] = run.folder / "augment" / "examples.jsonl"
    return {name: path for name, path in files.items() if path.is_file()}


def question_files(run: Run) -> dict[str, Path]:
    """The evaluation's `questions` and `key`; none where the run does not ask."""
    files = {"questions": run.questions_path, "key": run.key_path}
    return files if all(path.is_file() for path in files.values()) else {}


def model_folder(run: Run, progress: Progress = silent) -> Path:
    """The base model's folder on this machine (converted once where a package carries it)."""
    from kofinlaw.models.resolve import model_folder as resolve

    return resolve(run.recipe.model, offline=run.recipe.offline, cache=run.cache, progress=progress)


def token_counter(run: Run, progress: Progress = silent) -> Callable[[str], int]:
    """The base model's own token count."""
    from kofinlaw.models.tokenizer import load_tokenizer

    return load_tokenizer(model_folder(run, progress)).count


def system_folder(run: Run, system: System) -> Path:
    """The weights a system answers with."""
    return run.folder / "merge" / "model" if system.startswith("trained") else model_folder(run)
