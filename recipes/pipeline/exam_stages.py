"""Measure base and trained model on the recipe's exams: stages for questions, evidence and answers.

An exam named NAME has the stages `exam-NAME` (its questions and key), `exam-NAME.data` and
`exam-NAME.index` (only with documents of its own) and `exam-NAME.SYSTEM`. The stage `exams` scores
all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.files import read_jsonl, sha256_file, write_json, write_jsonl, write_text
from kofinlaw.recipes.pipeline.run import Run, read_exam_of, token_counter
from kofinlaw.recipes.pipeline.schema import ExamSettings, System
from kofinlaw.recipes.pipeline.stage_functions import (
    GatheredQuestions,
    answer_as,
    check_documents,
    index_chunks,
)
from kofinlaw.records import Key, Question

if TYPE_CHECKING:
    from kofinlaw.data.corpus import CorpusCounts
    from kofinlaw.data.settings import DataSettings
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.rag.index.build import IndexCounts
    from kofinlaw.scoring.exams.rate_exam import RatedExam

__all__ = [
    "EXAMS_STAGE",
    "ExamScores",
    "answer_exam",
    "build_exam_index",
    "exam_data_settings",
    "exam_stage",
    "exam_systems",
    "gather_exam",
    "read_exam_documents",
    "refuse_trained_exams",
    "score_exams",
]

EXAMS_STAGE = "exams"


@dataclass(frozen=True)
class ExamScores:
    """How many exams and questions were scored, and the accuracy of each system by exam."""

    exams: int
    questions: int
    accuracy: dict[str, float]

    def to_record(self) -> dict[str, object]:
        """Return the figures by name."""
        return {"exams": self.exams, "questions": self.questions, **self.accuracy}


def exam_stage(exam: ExamSettings, part: str = "") -> str:
    """Return the name of a stage of an exam: its questions, or the part `data`, `index` or the
    name of a system.
    """
    return f"exam-{exam.label}.{part}" if part else f"exam-{exam.label}"


def exam_systems(run: Run, exam: ExamSettings) -> tuple[System, ...]:
    """Return the systems that answer an exam: without documents none that searches."""
    if run.recipe.data is not None or exam.sources:
        return exam.systems
    return tuple(name for name in exam.systems if not name.endswith("-rag"))


def exam_data_settings(run: Run, exam: ExamSettings) -> DataSettings:
    """Return how the exam's own documents are read: as the recipe's, but nothing is trained on
    them, so no text is protected and every text in them may be evidence.
    """
    from kofinlaw.data.settings import DataSettings

    if run.recipe.data is None:
        return DataSettings(sources=exam.sources)
    return run.recipe.data.model_copy(
        update={"sources": exam.sources, "protected": (), "history_from": None}
    )


def refuse_trained_exams(run: Run) -> None:
    """Check that no exam is also a document or a file of training examples.

    Raises UserError that names the file. Copies are found by their content.
    """
    from kofinlaw.data.sources import refuse_protected_sources

    recipe = run.recipe
    exams = [run.path(name) for e in recipe.evaluate.exam for name in (e.path, e.key) if name]
    exams = [path for path in exams if path.is_file()]
    if not exams:
        return
    named = [("examples", recipe.examples)] if recipe.examples else []
    named += [("train.mixture", str(part.path)) for part in recipe.train.mixture]
    hashes = {sha256_file(path): path for path in exams}
    for key, name in named:
        path = run.path(name)
        if path.is_file() and sha256_file(path) in hashes:
            raise UserError(
                "this file of training examples is an exam of `evaluate.exam`",
                where=f"{key}: {path}",
                remedy="remove it there: an exam is only for measuring",
            )
    base, protected = run.recipe_file.path.parent, tuple(str(path) for path in exams)
    corpora = [recipe.data] if recipe.data is not None else []
    corpora += [exam_data_settings(run, exam) for exam in recipe.evaluate.exam if exam.sources]
    for settings in corpora:
        refuse_protected_sources(settings.model_copy(update={"protected": protected}), base)


def gather_exam(run: Run, exam: ExamSettings, out: Path, progress: Progress) -> GatheredQuestions:
    """Write the exam's questions to one file and their keys to another, which no answering reads.

    Raises UserError for a file that is not an exam, or that is also trained on.
    """
    refuse_trained_exams(run)
    found = read_exam_of(run, exam)
    write_jsonl(out / "questions.jsonl", found.questions)
    write_jsonl(out / "key.jsonl", found.keys)
    progress("exam", len(found.questions))
    return GatheredQuestions(len(found.questions), len(found.keys))


def read_exam_documents(
    run: Run, exam: ExamSettings, out: Path, progress: Progress
) -> CorpusCounts:
    """Build the corpus of the exam's own documents; they are searched, never trained on."""
    from kofinlaw.data.corpus import build_corpus

    counts = build_corpus(
        exam_data_settings(run, exam),
        out,
        base=run.recipe_file.path.parent,
        count_tokens=token_counter(run, progress),
        progress=progress,
    )
    check_documents(run, out)
    return counts


def build_exam_index(run: Run, exam: ExamSettings, out: Path, progress: Progress) -> IndexCounts:
    """Build the index of the exam's own documents."""
    data, index = run.folder / exam_stage(exam, "data"), run.folder / exam_stage(exam, "index")
    return index_chunks(run, out, progress, data=data, previous=index)


def answer_exam(
    run: Run, exam: ExamSettings, system: System, out: Path, progress: Progress
) -> AnsweringResult:
    """Answer an exam with one system, without a deadline, so that every system has one plan."""
    index = run.folder / (exam_stage(exam, "index") if exam.sources else "index")
    return answer_as(
        run,
        system,
        run.folder / exam_stage(exam) / "questions.jsonl",
        out,
        progress,
        index=index,
        settings=run.recipe.answer.model_copy(update={"budget_minutes": None}),
    )


def score_exams(run: Run, out: Path, progress: Progress) -> ExamScores:
    """Write `exams.json` and `exams.md`: all exams, systems next to solvers, paired tests."""
    from kofinlaw.scoring.exams.exam_figures import exams_record
    from kofinlaw.scoring.exams.exam_table import exams_markdown

    rated: list[RatedExam] = []
    for number, exam in enumerate(run.recipe.evaluate.exam):
        progress("exams", number, len(run.recipe.evaluate.exam), exam=exam.label)
        rated.append(_rated(run, exam))
    record = exams_record(rated, run.recipe.score, run.recipe.seed)
    write_json(out / "exams.json", record)
    write_text(out / "exams.md", exams_markdown(record))
    accuracy = {
        f"{exam['name']}.{row['name']}": round(row["all"]["value"], 4)
        for exam in record["exams"]
        for row in exam["rows"]
        if row["kind"] == "system"
    }
    return ExamScores(len(rated), sum(len(one.questions) for one in rated), accuracy)


def _rated(run: Run, exam: ExamSettings) -> RatedExam:
    from kofinlaw.scoring.exams.rate_exam import rate_exam

    folder = run.folder / exam_stage(exam)
    return rate_exam(
        exam.label,
        list(read_jsonl(folder / "questions.jsonl", Question)),
        list(read_jsonl(folder / "key.jsonl", Key)),
        {name: run.folder / exam_stage(exam, name) for name in exam_systems(run, exam)},
        pooled_slice=exam.pooled_slice or "",
    )
