"""Define the cells of a retrieval study: every model with every retriever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import sha256_file
from kofinlaw.rag.settings import RagSettings
from kofinlaw.recipes.pipeline.run import Run

__all__ = ["NO_RETRIEVER", "Cell", "cells_of", "checkpoint_mark", "trained_folder"]

NO_RETRIEVER = "none"


@dataclass(frozen=True)
class Cell:
    """One model with one retriever; `rag` None answers without documents."""

    model: str
    retriever: str
    rag: RagSettings | None

    @property
    def name(self) -> str:
        """`base` for no retriever, else `base-dense`."""
        return self.model if self.retriever == NO_RETRIEVER else f"{self.model}-{self.retriever}"


def cells_of(run: Run) -> list[Cell]:
    """Return every cell of the study, in the order of its table.

    Raises UserError if a retriever's keys contradict each other, or if they need something that
    the index, which is built from the section `rag`, does not hold.
    """
    retrievers = run.recipe.study.retrievers.items()
    return [
        Cell(model, name, None if changes is None else _settings(run, name, changes))
        for model in run.recipe.study.models
        for name, changes in retrievers
    ]


def _settings(run: Run, name: str, changes: dict[str, object]) -> RagSettings:
    """Return the section `rag` with a retriever's changes."""
    from pydantic import ValidationError

    where = f"study.retrievers.{name}"
    try:
        rag = RagSettings.model_validate({**run.recipe.rag.model_dump(mode="json"), **changes})
    except ValidationError as error:
        reasons = "; ".join(str(mistake["msg"]) for mistake in error.errors())
        raise UserError(reasons, where=where) from error
    for key in ("embedder", "store"):
        wanted, built = getattr(rag, key), getattr(run.recipe.rag, key)
        if wanted is not None and wanted != built:
            raise UserError(
                f"{key} is {wanted}, but the index is built with {built}",
                where=where,
                remedy=f"set rag.{key} to the value that the index needs for all retrievers",
            )
    return rag


def trained_folder(run: Run) -> Path:
    """Return the trained model's weights: the checkpoint that `study.trained` names,
    or the run's own.

    Raises UserError if `study.trained` names no checkpoint.
    """
    given = run.recipe.study.trained
    if given is None:
        return run.folder / "merge" / "model"
    folder = run.path(given)
    if not (folder / "config.json").is_file():
        raise UserError(
            "there is no checkpoint here",
            where=f"study.trained: {folder}",
            remedy="name the folder of a merged model",
        )
    return folder


def checkpoint_mark(folder: Path) -> dict[str, str]:
    """Return a mark that identifies a checkpoint without reading gigabytes: its "
    "configuration and file sizes."""
    weights = sorted(folder.glob("*.safetensors"))
    sizes = ", ".join(f"{path.name} {path.stat().st_size}" for path in weights)
    return {"config": sha256_file(folder / "config.json"), "weights": sizes}
