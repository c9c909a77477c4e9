"""Say which model answers for a run, and keep the card free for a run that is training."""

from __future__ import annotations

import os
from pathlib import Path

from kofinlaw.recipes.pipeline.lock import is_written
from kofinlaw.recipes.pipeline.run import Run

__all__ = ["HIDDEN_CARD", "busy_folder", "serving_notes"]

HIDDEN_CARD = "CUDA_VISIBLE_DEVICES"


def busy_folder(run: Run) -> Path | None:
    """Return the folder of a run that another process is writing: this run's, or one next to it."""
    folders = [run.folder, *(lock.parent for lock in sorted(run.folder.parent.glob("*/.lock")))]
    return next(filter(is_written, folders), None)


def serving_notes(run: Run) -> list[str]:
    """Return what a user should know before the answer: which model answers, and where it runs.

    If another process is writing a run here and the machine has a card, the card is hidden from
    this process, so that the model is loaded on the processor and training keeps its memory. Call
    it before the model is loaded.
    """
    from kofinlaw.models.doctor import gpu_memory_gib

    notes = []
    merged = (run.folder / "merge" / "model").is_dir()
    if not merged and run.recipe.ask_only:
        notes.append(f"the base model {run.recipe.model.id} answers: this recipe trains no model")
    elif not merged:
        notes.append(
            f"the base model {run.recipe.model.id} answers: the run has no merged model yet"
        )
    elif not run.recipe.tested:
        notes.append("the trained model answers; it is not proven: the run has no test questions")
    busy = busy_folder(run)
    if busy is None:
        return notes
    if gpu_memory_gib() is not None:
        os.environ[HIDDEN_CARD] = ""
        notes.append(
            f"a process is writing {busy.name} with this machine's card, so the answer comes from "
            "the processor and is slower"
        )
    else:
        notes.append(f"a process is writing {busy.name} on this processor: the answer is slower")
    return notes
