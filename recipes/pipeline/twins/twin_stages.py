"""Stages for the held-out twins: write questions and evidence, answer them with each model.

The stage `twins` writes the questions without their answers. `twins-MODEL` answers them from
exactly the given evidence, without a deadline, so that every model has the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress
from kofinlaw.files import read_jsonl, sha256_text, write_jsonl
from kofinlaw.rag.retrieve.forced import ForcedEvidence, write_forced
from kofinlaw.recipes.pipeline.fitting.voter_fitting import fitted_settings
from kofinlaw.recipes.pipeline.run import Run, system_folder
from kofinlaw.recipes.pipeline.schema import Recipe, System
from kofinlaw.recipes.pipeline.stage_functions import answer_from
from kofinlaw.records import Chunk, Question, TwinQuestion
from kofinlaw.results import StageResult

__all__ = [
    "TWINS_STAGE",
    "TwinCounts",
    "answer_twins",
    "gather_twins",
    "twin_models",
    "twins_stage",
]

TWINS_STAGE = "twins"


@dataclass(frozen=True)
class TwinCounts:
    """How many twin questions there are."""

    questions: int

    def to_record(self) -> dict[str, object]:
        """Return the count by name."""
        return {"questions": self.questions}


def twins_stage(model: str) -> str:
    """Return the name of the stage in which a model (`base`, `trained`) answers the twins."""
    return f"{TWINS_STAGE}-{model}"


def twin_models(recipe: Recipe) -> tuple[str, ...]:
    """Return the models that answer the twins: those of the systems with `-rag`; none if off."""
    if not recipe.evaluate.twins:
        return ()
    systems = recipe.evaluate.systems
    return tuple(name for name in ("base", "trained") if f"{name}-rag" in systems)


def gather_twins(run: Run, out: Path, progress: Progress) -> TwinCounts:
    """Write the twin questions and the evidence of each; both files may be empty."""
    found = list(read_jsonl(run.folder / "augment" / "heldout_twins.jsonl", TwinQuestion))
    write_jsonl(out / "questions.jsonl", [Question(q.id, q.question, q.options) for q in found])
    write_forced(out / "evidence.jsonl", [(q.id, _passages(q)) for q in found])
    progress("twins", len(found))
    return TwinCounts(len(found))


def answer_twins(run: Run, model: str, out: Path, progress: Progress) -> StageResult:
    """Answer the twins with one model; without twins the answers are an empty file."""
    folder, recipe = run.folder / TWINS_STAGE, run.recipe
    questions = folder / "questions.jsonl"
    if not questions.stat().st_size:
        write_jsonl(out / "answers.jsonl", [])
        return TwinCounts(0)
    settings = recipe.answer.model_copy(update={"budget_minutes": None})
    system: System = "trained-rag" if model == "trained" else "base-rag"
    return answer_from(
        run,
        system_folder(run, system),
        ForcedEvidence(folder / "evidence.jsonl", recipe.rag),
        questions,
        out,
        fitted_settings(run, system, settings, progress),
        progress,
    )


def _passages(question: TwinQuestion) -> list[Chunk]:
    """Return the texts of the evidence as passages."""
    return [
        Chunk(
            id=f"twin/{number}",
            document_id="twin",
            title="",
            kind="other",
            path="",
            unit=text.split("\n")[0],
            text=text,
            as_of="",
            source="",
            license="",
            sha256=sha256_text(text),
        )
        for number, text in enumerate(question.evidence, 1)
    ]
