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
from kofinlaw.recipes.pipeline.evaluation.answering import answer_from
from kofinlaw.recipes.pipeline.fitting.voter_fitting import fitted_settings
from kofinlaw.recipes.pipeline.run import TWINS_STAGE, Run, searching_system, system_folder
from kofinlaw.records import Chunk, Question, TwinQuestion
from kofinlaw.results import StageResult

__all__ = [
    "TwinCounts",
    "answer_twins",
    "gather_twins",
]


@dataclass(frozen=True)
class TwinCounts:
    """How many twin questions there are."""

    questions: int

    def to_record(self) -> dict[str, object]:
        """Return the count by name."""
        return {"questions": self.questions}


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
    system = searching_system(model)
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
