"""Do the work of each stage: call one package with the paths and settings of the run.

Each function writes into the folder `out` and returns the figures of its stage.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.augment.review.applying import REASON as REVIEW_REASON
from kofinlaw.cluster.opening import open_workers
from kofinlaw.files import read_jsonl, write_json, write_jsonl, write_text
from kofinlaw.recipes.pipeline.evaluation.answering import answer_with
from kofinlaw.recipes.pipeline.fitting.voter_fitting import fitted_settings
from kofinlaw.recipes.pipeline.planning.example_shortage import counted, too_few_examples
from kofinlaw.recipes.pipeline.run import (
    EVIDENCE_STAGE,
    SYSTEM_STAGES,
    Run,
    forced_folders,
    model_folder,
    protected_examples,
    protected_texts,
    system_folder,
    token_counter,
    twin_folders,
)
from kofinlaw.records import Key, Question
from kofinlaw.results import StageResult
from kofinlaw.texts import NOT_PROVEN

if TYPE_CHECKING:
    from kofinlaw.augment.augment_counts import AugmentCounts
    from kofinlaw.data.corpus import CorpusCounts
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.templates import ChatTemplate
    from kofinlaw.rag.answer.answer_book import AnsweringResult
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.index.build import IndexCounts
    from kofinlaw.recipes.pipeline.exports import ExportFigures
    from kofinlaw.recipes.pipeline.ready_examples import ReadyExamples
    from kofinlaw.recipes.pipeline.runner import Resume
    from kofinlaw.recipes.pipeline.schema import System
    from kofinlaw.scoring.report.write import ReportResult
    from kofinlaw.scoring.result import ScoringResult
    from kofinlaw.trainer.training_result import TrainingResult

__all__ = [
    "GatheredQuestions",
    "answer_as",
    "check_documents",
    "check_mixture",
    "export_merged",
    "fewer_lines",
    "gather_questions",
    "index_chunks",
    "make_examples",
    "merge_adapter",
    "prove_merge",
    "read_documents",
    "score_answers",
    "student",
    "take_examples",
    "train_adapter",
    "write_page",
]


def read_documents(run: Run, out: Path, progress: Progress) -> CorpusCounts:
    """Build the corpus; reject it if the policy forbids the date or licence of a document."""
    from kofinlaw.data.corpus import build_corpus

    assert run.recipe.data is not None  # else the recipe has no such stage
    count = token_counter(run, progress)
    with open_workers(run.recipe.cluster, offline=run.recipe.offline) as workers:
        counts = build_corpus(
            run.recipe.data,
            out,
            base=run.recipe_file.path.parent,
            count_tokens=count,
            protected_texts=protected_texts(run),
            workers=workers,
            progress=progress,
        )
    check_documents(run, out)
    return counts


def check_documents(run: Run, corpus: Path) -> None:
    """Raise UserError if the policy forbids the date or licence of a document in the corpus."""
    from kofinlaw.data.law.versions import read_chunks
    from kofinlaw.models.policy import document_checks
    from kofinlaw.models.policy.rules import require_allowed

    seen: dict[tuple[str, str, str], None] = {}
    for chunk in read_chunks(corpus / "chunks.jsonl"):
        seen[(chunk.title, chunk.as_of, chunk.license)] = None
    verdicts = document_checks.check_documents(run.recipe.policy, list(seen))
    require_allowed(verdicts)


def make_examples(run: Run, resume: Resume, out: Path, progress: Progress) -> StageResult:
    """Generate training examples and held-out questions from the chunks.

    The teacher's answers are kept in the run's folder, so that they survive a new start of the
    stage; `resume` decides whether they are used again. So are the verdicts of `kofinlaw review`:
    examples that readers found wrong are left out or corrected. Fewer examples than the recipe
    wants give a warning at once. Raises UserError if a file of the mixture contains an evaluation
    question, or if there are fewer examples than can train.
    """
    from kofinlaw.augment.review.verdict_file import VERDICT_FILE, read_verdicts
    from kofinlaw.augment.stage import generate_examples

    protected = protected_examples(run)
    check_mixture(run, protected)
    with open_workers(run.recipe.cluster, offline=run.recipe.offline) as workers:
        counts = generate_examples(
            run.recipe.augment,
            run.folder / "data",
            out,
            seed=run.recipe.seed,
            count_tokens=token_counter(run, progress),
            protected_texts=protected,
            ledger=run.folder / "teacher.ledger.jsonl",
            student=lambda: student(run, progress),
            resume=resume,
            verdicts=read_verdicts(run.folder / VERDICT_FILE),
            workers=workers,
            progress=progress,
        )
    lines = (*fewer_lines(run, counts, out), *(counts.last_lines or ()))
    return replace(counts, last_lines=lines) if lines else counts


def fewer_lines(run: Run, counts: AugmentCounts, out: Path) -> tuple[str, ...]:
    """Return sentences on fewer items than wanted: how many, by kind, and what was left out why.

    Args:
        run: The recipe bound to its folder.
        counts: The figures of the stage.
        out: The folder of the stage, with `card.json`.

    Raises UserError if the recipe trains on these examples only and they are too few to train.
    """
    wanted = run.recipe.augment.items
    if counts.items >= wanted:
        return ()
    too_few = too_few_examples(run.recipe, counts.examples)
    if too_few is not None:
        raise too_few
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    if counts.items + card["rejected"].get(REVIEW_REASON, 0) >= wanted:
        return ()  # only readers left examples out
    lines = [
        f"{wanted:,} examples wanted, {counts.items:,} possible with these documents",
        f"by kind: {counted(card['examples'])}",
    ]
    if card["rejected"]:
        lines.append(f"questions left out by the checks: {counted(card['rejected'])}")
    if run.recipe.augment.holds_out:
        lines.append(
            "the documents that are held out for the test give no training example "
            "(augment.holdout_share, augment.holdout_documents)"
        )
    lines.append(
        "add documents with articles (제n조) for more; augment/card.md lists each kind with samples"
    )
    return tuple(lines)


def take_examples(run: Run, out: Path, progress: Progress) -> ReadyExamples:
    """Take over the recipe's ready examples, except those that contain an evaluation question.

    They are also written in the forms of `augment.write_as`. Raises UserError if the file is
    missing or broken, or if no example is left.
    """
    from kofinlaw.augment.forms.write_forms import write_forms
    from kofinlaw.recipes.pipeline.ready_examples import copy_examples

    protected = protected_examples(run)
    check_mixture(run, protected)
    counts = copy_examples(run.path(run.recipe.examples or ""), protected, out)
    if run.recipe.augment.write_as:
        write_forms(run.recipe.augment.write_as, out / "examples.jsonl", out / "forms")
    progress("examples", counts.examples)
    return counts


def check_mixture(run: Run, protected: Sequence[str]) -> None:
    """Raise UserError if a file of the training mixture contains one of the protected texts."""
    from kofinlaw.recipes.pipeline.ready_examples import check_training_file

    for part in run.recipe.train.mixture if protected else ():
        check_training_file(run.path(str(part.path)), protected)


def student(run: Run, progress: Progress) -> tuple[Engine, ChatTemplate]:
    """Load the model that will be trained, to test what it knows, and its chat template."""
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.templates import template_for

    folder = model_folder(run, progress)
    engine = open_engine(run.recipe.augment.student_engine, folder, seed=run.recipe.seed)
    return engine, template_for(folder)


@dataclass(frozen=True)
class GatheredQuestions:
    """How many evaluation questions and keys a run has."""

    questions: int
    keys: int

    def to_record(self) -> dict[str, object]:
        """Return the counts by name."""
        return {"questions": self.questions, "keys": self.keys}


def gather_questions(run: Run, out: Path, progress: Progress) -> GatheredQuestions:
    """Write the recipe's own and the held-out questions to one file, and their keys to another.

    Raises UserError if there is no question.
    """
    from kofinlaw.rag.questions.key_files import read_keys
    from kofinlaw.rag.questions.question_files import read_questions

    evaluate = run.recipe.evaluate
    questions: list[Question] = []
    keys: list[Key] = []
    if evaluate.questions:
        questions += read_questions(run.path(evaluate.questions)).questions
    if evaluate.key:
        keys += read_keys(run.path(evaluate.key), questions)
    if evaluate.heldout:
        folder = run.folder / "augment"
        questions += read_jsonl(folder / "heldout_questions.jsonl", Question)
        keys += read_jsonl(folder / "heldout_key.jsonl", Key)
    if not questions:
        raise UserError(
            "there is no question to evaluate the model with",
            where="evaluate",
            remedy="name `evaluate.questions`, or hold documents out with `evaluate.heldout: true`",
        )
    write_jsonl(out / "questions.jsonl", questions)
    write_jsonl(out / "key.jsonl", keys)
    return GatheredQuestions(len(questions), len(keys))


def train_adapter(run: Run, resume: Resume, out: Path, progress: Progress) -> TrainingResult:
    """Train the adapter on the run's examples (recipes/train.py calls this too).

    With `resume` "always", checkpoints of another training are not replaced: UserError.
    """
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.checkpoint import has_checkpoint
    from kofinlaw.trainer.sft import train

    folder = model_folder(run, progress)
    return train(
        run.recipe.train,
        folder,
        run.folder / "augment" / "examples.jsonl",
        out,
        template=template_for(folder),
        seed=run.recipe.seed,
        resume="always" if resume == "always" and has_checkpoint(out) else "if-possible",
        model_id=run.recipe.model.id,
        progress=progress,
    )


def merge_adapter(run: Run, out: Path, progress: Progress) -> StageResult:
    """Merge the adapter into the weights that `merge.base` names."""
    from kofinlaw.trainer.merge import merge_model

    settings = run.recipe.merge
    adapter, base = run.folder / "train" / "adapter", model_folder(run)
    if settings.adapter_weight != 1:
        from kofinlaw.trainer.merge.combine import combine_adapters

        combine_adapters([adapter], [settings.adapter_weight], out / "adapter", base=base)
        adapter = out / "adapter"
    if settings.base == "best":
        from kofinlaw.models.templates import template_for
        from kofinlaw.trainer.proof.best_base import merge_on_better_base

        # The base is chosen on fixed dialogues only: choosing it on the scored questions would
        # bias the score.
        return merge_on_better_base(
            adapter,
            base,
            out / "model",
            dtype=settings.dtype,
            name=settings.name,
            template=template_for(base),
            progress=progress,
        )
    return merge_model.merge_adapter(
        adapter,
        base,
        out / "model",
        base=settings.base,
        dtype=settings.dtype,
        name=settings.name,
        progress=progress,
    )


def prove_merge(run: Run, out: Path, progress: Progress) -> StageResult:
    """Compare the merged model with base + adapter. Raises UserError if they do not agree."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.proof import prove
    from kofinlaw.trainer.proof.proof_result import ROUNDING_REMEDY

    base = model_folder(run)
    weighted = run.folder / "merge" / "adapter"  # with merge.adapter_weight below 1
    proof = prove.prove_merge(
        run.folder / "merge" / "model",
        weighted if run.recipe.merge.adapter_weight != 1 else run.folder / "train" / "adapter",
        base,
        questions=list(read_jsonl(run.questions_path, Question)) if run.recipe.asks else (),
        template=template_for(base),
        settings=run.recipe.verify,
        out=out,
        progress=progress,
    )
    if proof.verdict != "pass":
        if proof.cause is not None:
            raise UserError(proof.cause, where=str(out / "verify.md"), remedy=ROUNDING_REMEDY)
        raise UserError(
            f"the merged model differs from base + adapter: {', '.join(proof.failed)}",
            where=str(out / "verify.md"),
            remedy="read that page; set `merge.base: best` to keep the better of both bases",
        )
    if not run.recipe.tested:
        page = out / "verify.md"
        text = f"{NOT_PROVEN[1]} This proof only says that the merged weights are the trained ones."
        write_text(page, f"{page.read_text(encoding='utf-8').rstrip()}\n\n{text}\n")
        progress(f"warning: {text}", 0)
    return proof


def index_chunks(
    run: Run,
    out: Path,
    progress: Progress,
    *,
    data: Path | None = None,
    previous: Path | None = None,
) -> IndexCounts:
    """Build the retrieval index of the chunks.

    `data` is the folder of the corpus, `previous` that of an older index whose vectors are used
    again; None: those of the run.
    """
    from kofinlaw.rag.index.build import build_index

    with open_workers(run.recipe.cluster, offline=run.recipe.offline) as workers:
        return build_index(
            (data or run.folder / "data") / "chunks.jsonl",
            out,
            run.recipe.rag,
            cache=run.cache,
            previous=previous or run.folder / "index",
            workers=workers,
            progress=progress,
        )


def export_merged(run: Run, out: Path, progress: Progress) -> ExportFigures:
    """Write the merged model in the recipe's formats and compare each with the merged model."""
    from kofinlaw.recipes.pipeline.exports import write_exports

    return write_exports(run, out, progress)


def answer_as(
    run: Run,
    system: System,
    questions: Path,
    out: Path,
    progress: Progress,
    *,
    index: Path | None = None,
    settings: AnswerSettings | None = None,
) -> AnsweringResult:
    """Answer one question file with one system.

    Args:
        run: The recipe bound to its folder.
        system: Names the model, and whether it searches documents.
        questions: The question file.
        out: Folder of the answers.
        progress: Called with the questions done.
        index: The index to search; None: that of the run.
        settings: How to answer; None: as the recipe says.
    """
    searched = (index or run.folder / "index") if system.endswith("rag") else None
    folder = system_folder(run, system)
    # Weights are fitted before the budget starts to run.
    fitted = fitted_settings(run, system, settings or run.recipe.answer, progress)
    return answer_with(run, folder, searched, questions, out, fitted, progress)


def score_answers(run: Run, out: Path, progress: Progress) -> ScoringResult:
    """Score every system's answers against the key."""
    from kofinlaw.scoring.score import score_answers

    return score_answers(
        run.questions_path,
        run.key_path,
        {name: run.folder / SYSTEM_STAGES[name] for name in run.recipe.evaluate.systems},
        run.folder / "data" / "chunks.jsonl" if run.recipe.data else None,
        out,
        settings=run.recipe.score,
        seed=run.recipe.seed,
        cache=run.cache,
        trace=run.recipe.trace,
        offline=run.recipe.offline,
        forced={
            kind: {model: run.folder / folder for model, folder in by_model.items()}
            for kind, by_model in forced_folders(run.recipe).items()
        },
        forced_questions=run.folder / EVIDENCE_STAGE / "questions.jsonl"
        if run.recipe.evaluate.evidence
        else None,
        twins=run.folder / "augment" / "heldout_twins.jsonl" if run.recipe.evaluate.twins else None,
        twin_answers={
            model: run.folder / folder for model, folder in twin_folders(run.recipe).items()
        },
        progress=progress,
    )


def write_page(run: Run, out: Path, progress: Progress) -> ReportResult:
    """Write the report from the records of the stages; add data and scores to the model card."""
    from kofinlaw.scoring.report.model_card import complete_card
    from kofinlaw.scoring.report.write import write_report

    complete_card(run.folder, tested=run.recipe.tested)
    write_json(out / "recipe.json", run.recipe.model_dump(mode="json"))
    return write_report(run.folder, out, recipe=run.recipe.model_dump(mode="json"))
