"""Stages for forced evidence: write the passages of each kind, answer from them with each model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.files import read_json_lines, read_jsonl, write_jsonl
from kofinlaw.recipes.pipeline.evaluation.answering import answer_from
from kofinlaw.recipes.pipeline.fitting.voter_fitting import fitted_settings
from kofinlaw.recipes.pipeline.run import EVIDENCE_STAGE, Run, searching_system, system_folder
from kofinlaw.records import Key, Question

if TYPE_CHECKING:
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.rag.retrieve.evidence import Searcher
    from kofinlaw.recipes.pipeline.schema import EvidenceKind

__all__ = ["ForcedCounts", "answer_forced", "force_evidence"]


@dataclass(frozen=True)
class ForcedCounts:
    """How many questions are asked with forced evidence, and how many under each kind."""

    questions: int
    kinds: dict[str, int]

    def to_record(self) -> dict[str, object]:
        """Return the counts by name."""
        return {"questions": self.questions, **self.kinds}


def force_evidence(run: Run, out: Path, progress: Progress) -> ForcedCounts:
    """Write the questions and passages of every kind of evidence that the recipe asks for.

    The passages come from the key, which answering does not read: it reads only these files.
    Raises UserError if no question's gold article is in the corpus.
    """
    from kofinlaw.augment.evidence.forced_evidence import chosen_questions, forced_passages
    from kofinlaw.data.law.versions import read_chunks
    from kofinlaw.rag.retrieve.forced import write_forced

    evaluate, seed = run.recipe.evaluate, run.recipe.seed
    chunks = list(read_chunks(run.folder / "data" / "chunks.jsonl"))
    keys = {key.id: key for key in read_jsonl(run.key_path, Key)}
    questions, gold = chosen_questions(
        list(read_jsonl(run.questions_path, Question)),
        keys,
        chunks,
        evaluate.evidence_questions,
        seed,
    )
    if not questions:
        raise UserError(
            "no question's gold article is in the corpus",
            where="evaluate.evidence",
            remedy="hold documents out with `evaluate.heldout: true`, or remove `evidence`",
        )
    phrases = run.folder / "augment" / "heldout_focus.jsonl"
    focus: dict[str, list[str]] = {}
    if evaluate.heldout and phrases.is_file():
        focus = {str(row["id"]): row["focus"] for _, row in read_json_lines(phrases)}
    write_jsonl(out / "questions.jsonl", questions)
    counts: dict[str, int] = {}
    for kind in evaluate.evidence:
        if kind == "retrieved":
            counts[kind] = len(questions)
            continue
        found = forced_passages(kind, questions, keys, gold, chunks, focus, seed)
        asked = [question for question in questions if question.id in found]
        counts[kind] = len(asked)
        if not asked:
            raise UserError(
                f"no question can have evidence of the kind `{kind}`",
                where="evaluate.evidence",
                remedy="remove this kind, or ask more questions",
            )
        (out / kind).mkdir(parents=True, exist_ok=True)
        write_jsonl(out / kind / "questions.jsonl", asked)
        write_forced(out / kind / "evidence.jsonl", [(q.id, found[q.id]) for q in asked])
        progress("evidence", len(counts), len(evaluate.evidence), kind=kind)
    return ForcedCounts(len(questions), counts)


def answer_forced(
    run: Run, model: str, kind: EvidenceKind, out: Path, progress: Progress
) -> AnsweringResult:
    """Answer with one kind of evidence, without a deadline: every model has the same plan.

    A free-text question without evidence is asked too, and free text is what the model writes: a
    chosen sentence could never refuse. (Retrieved evidence uses the run's own answers, if any.)
    """
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.forced import ForcedEvidence
    from kofinlaw.rag.retrieve.retriever import Retriever

    folder, recipe = run.folder / EVIDENCE_STAGE, run.recipe
    settings = recipe.answer.model_copy(
        update={
            "budget_minutes": None,
            "without_evidence": "answer",
            "free_by": "generate",
            "free_replace": False,
        }
    )
    searcher: Searcher
    if kind == "retrieved":
        questions = folder / "questions.jsonl"
        searcher = Retriever(Index.load(run.folder / "index"), recipe.rag, cache=run.cache)
    else:
        questions = folder / kind / "questions.jsonl"
        searcher = ForcedEvidence(folder / kind / "evidence.jsonl", recipe.rag)
    system = searching_system(model)
    fitted = fitted_settings(run, system, settings, progress)
    weights = system_folder(run, system)
    return answer_from(run, weights, searcher, questions, out, fitted, progress)
