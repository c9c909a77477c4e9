"""What each stage does: the room it calls, with what of the run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw import Progress, UserError
from kofinlaw.files import dumps, read_jsonl, write_json, write_jsonl
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.recipes.pipeline.plan_examples import texts_of
from kofinlaw.recipes.pipeline.run import (
    SYSTEM_STAGES,
    Run,
    corpus_files,
    model_folder,
    protected_texts,
    question_files,
    system_folder,
    token_counter,
)
from kofinlaw.recipes.pipeline.runner import Resume
from kofinlaw.recipes.pipeline.schema import System
from kofinlaw.records import Key, Question, Rejected
from kofinlaw.results import StageResult

if TYPE_CHECKING:
    from kofinlaw.rag.answer.result import AnsweringResult
    from kofinlaw.rag.index.build import IndexCounts
    from kofinlaw.scoring.report.write import ReportResult
    from kofinlaw.scoring.result import ScoringResult


def read_documents(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    """Documents to chunks, held to the policy's word on their dates and licences."""
    from kofinlaw.data.corpus import build_corpus

    assert run.recipe.data is not None  # else the recipe has no such stage
    count = token_counter(run, progress)
    counts = build_corpus(
        run.recipe.data,
        out,
        base=run.recipe_file.path.parent,
        count_tokens=count,
        protected_texts=protected_texts(run),
        seed=run.recipe.seed,
        progress=progress,
    )
    check_documents(run, out)
    return counts


def check_documents(run: Run, corpus: Path) -> None:
    """The policy's word on the corpus's dates and licences; raises UserError when it refuses."""
    from kofinlaw.data.law.versions import read_chunks
    from kofinlaw.models.policy import document_checks
    from kofinlaw.models.policy.rules import require_allowed

    seen: dict[tuple[str, str, str], None] = {}
    for chunk in read_chunks(corpus / "chunks.jsonl"):
        seen[(chunk.title, chunk.as_of, chunk.license)] = None
    verdicts = document_checks.check_documents(run.recipe.policy, list(seen))
    require_allowed(verdicts)


def make_examples(run: Run, resume: Resume, out: Path, progress: Progress) -> StageResult:
    """Chunks to training examples and held-out questions.

    The teacher's answers outlive the stage's folder; `resume` says whether they are gone on with.
    """
    from kofinlaw.augment.stage import generate_examples

    return generate_examples(
        run.recipe.augment,
        run.folder / "data",
        out,
        seed=run.recipe.seed,
        count_tokens=token_counter(run, progress),
        protected_texts=protected_texts(run),
        ledger=run.folder / "teacher.ledger.jsonl",
        student=lambda: student(run, progress),
        resume=resume,
        progress=progress,
    )


def take_examples(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    """The recipe's ready examples, less those that hold one of its evaluation questions.

    Raises UserError where the file is missing, broken or left empty.
    """
    from kofinlaw.data.cleaning.contamination import overlap
    from kofinlaw.files import read_json_lines

    path = run.path(run.recipe.examples or "")
    rows = list(read_json_lines(path))
    rows = [(line, {"id": f"line-{line}", **row}) for line, row in rows]
    texts = [" ".join(texts_of(row)) for _, row in rows]
    found = {hit.text: hit for hit in overlap(texts, protected_texts(run))}
    kept = [row for place, (_, row) in enumerate(rows) if place not in found]
    rejected = [
        Rejected(
            id=str(rows[place][1]["id"]),
            stage="augment",
            reason="contaminated",
            detail=f"line {rows[place][0]} holds {hit.share:.0%} of an evaluation question",
            record=dumps(rows[place][1]),
        )
        for place, hit in sorted(found.items())
    ]
    if not kept:
        raise UserError("no example is left to train on", where=str(path))
    write_jsonl(out / "examples.jsonl", kept)
    write_jsonl(out / "rejected.jsonl", rejected)
    progress("examples", len(kept))
    return {"examples": len(kept), "rejected": len(rejected)}


def student(run: Run, progress: Progress) -> tuple[Engine, ChatTemplate]:
    """The model that will be trained, loaded to be asked what it knows, and its template."""
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.templates import template_for

    folder = model_folder(run, progress)
    engine = open_engine(run.recipe.augment.student_engine, folder, seed=run.recipe.seed)
    return engine, template_for(folder)


def gather_questions(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    """The recipe's questions and the held-out ones in one file, their key in another."""
    from kofinlaw.rag.questions.question_files import read_questions

    evaluate = run.recipe.evaluate
    questions: list[Question] = []
    keys: list[Key] = []
    if evaluate.questions:
        questions += read_questions(run.path(evaluate.questions)).questions
    if evaluate.key:
        keys += read_jsonl(run.path(evaluate.key), Key)
    if evaluate.heldout:
        folder = run.folder / "augment"
        questions += read_jsonl(folder / "heldout_questions.jsonl", Question)
        keys += read_jsonl(folder / "heldout_key.jsonl", Key)
    if not questions:
        raise UserError(
            "there is no question to prove the model on",
            where="evaluate",
            remedy="name `evaluate.questions`, or hold documents out with `evaluate.heldout: true`",
        )
    write_jsonl(out / "questions.jsonl", questions)
    write_jsonl(out / "key.jsonl", keys)
    return {"questions": len(questions), "keys": len(keys)}


def train_adapter(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    """Train the adapter of this run into `out` (also what recipes/train.py calls)."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    folder = model_folder(run, progress)
    return train(
        run.recipe.train,
        folder,
        run.folder / "augment" / "examples.jsonl",
        out,
        template=template_for(folder),
        seed=run.recipe.seed,
        resume="if-possible",
        model_id=run.recipe.model.id,
        progress=progress,
    )


def merge_adapter(run: Run, out: Path, progress: Progress) -> StageResult:
    """The adapter into the base's weights, as `merge.base` says."""
    from kofinlaw.trainer.merge import merge_model

    settings = run.recipe.merge
    adapter, base = run.folder / "train" / "adapter", model_folder(run)
    if settings.base == "best":
        from kofinlaw.models.templates import template_for
        from kofinlaw.trainer.proof.best_base import merge_on_better_base

        # Chosen on the fixed dialogues alone: choosing on scored questions would flatter the score.
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
    """The merged model against base + adapter; raises UserError unless they agree."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.proof import prove

    base = model_folder(run)
    proof = prove.prove_merge(
        run.folder / "merge" / "model",
        run.folder / "train" / "adapter",
        base,
        questions=list(read_jsonl(run.questions_path, Question)) if run.recipe.asks else (),
        template=template_for(base),
        settings=run.recipe.verify,
        out=out,
        progress=progress,
    )
    if proof.verdict != "pass":
        raise UserError(
            f"the merged model is not the model that was trained: {', '.join(proof.failed)}",
            where=str(out / "verify.md"),
            remedy="read that page; merge.base: best measures both bases and keeps the better",
        )
    return proof


def index_chunks(run: Run, out: Path, progress: Progress) -> IndexCounts:
    """Chunks to the retrieval index."""
    from kofinlaw.rag.index.build import build_index

    return build_index(
        run.folder / "data" / "chunks.jsonl",
        out,
        run.recipe.rag,
        cache=run.cache,
        previous=run.folder / "index",
        progress=progress,
    )


def export_merged(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    """The merged model in the formats that the recipe names, each put beside the merged model."""
    from kofinlaw.trainer.export.formats import export_model
    from kofinlaw.trainer.proof.exports import prove_exports

    settings = run.recipe.export
    if run.recipe.offline and not gguf_converter_ready(run):
        wanted = tuple(name for name in settings.formats if not name.startswith("gguf"))
        skipped = sorted(set(settings.formats) - set(wanted))
        if skipped:
            # Asked for where it is possible: its converter is installed once, with a connection.
            progress(f"skipped {', '.join(skipped)}: run `make gguf` once with a connection", 0)
        settings = settings.model_copy(update={"formats": wanted})
    corpus: dict[str, Any] = dict(corpus_files(run))
    asked: dict[str, Any] = dict(question_files(run))
    merged = run.folder / "merge" / "model"
    written = export_model(settings, merged, out, **corpus, cache=run.cache, progress=progress)
    proof = prove_exports(
        out, merged, **corpus, **asked, settings=run.recipe.verify, progress=progress
    )
    counts = {**written.to_record(), **proof.to_record()}
    return {**counts, "skipped": sorted(set(run.recipe.export.formats) - set(settings.formats))}


def gguf_converter_ready(run: Run) -> bool:
    """Whether the GGUF converter's own environment is on this machine, whole and not outdated."""
    from kofinlaw.trainer.export.environment import GGUF, is_ready

    named = run.recipe.export.environments
    return is_ready(GGUF, Path(named) if named else None, run.cache)


def answer_as(
    run: Run, system: System, questions: Path, out: Path, progress: Progress
) -> AnsweringResult:
    """One system answers one question file."""
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.identity import model_fingerprint
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.trace_files import open_tracer

    recipe = run.recipe
    folder = system_folder(run, system)
    retriever = None
    if system.endswith("rag"):
        index = Index.load(run.folder / "index")
        retriever = Retriever(index, recipe.rag, cache=run.cache)
    with open_tracer(recipe.trace, out, offline=recipe.offline) as tracer:
        return answer_questions(
            questions,
            out,
            open_engine=lambda: open_engine(recipe.answer.engine, folder, seed=recipe.seed),
            template=template_for(folder),
            retriever=retriever,
            settings=recipe.answer,
            model=model_fingerprint(folder, recipe.answer.engine.gguf),
            context=RunContext(
                seed=recipe.seed, started=time.monotonic(), tracer=tracer, progress=progress
            ),
        )


def score_answers(run: Run, out: Path, progress: Progress) -> ScoringResult:
    """Every system's answers against the key."""
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
        progress=progress,
    )


def write_page(run: Run, out: Path, progress: Progress) -> ReportResult:
    """The report, from what the stages left; data and scores also into the model's card."""
    from kofinlaw.scoring.report.model_card import complete_card
    from kofinlaw.scoring.report.write import write_report

    complete_card(run.folder)
    write_json(out / "recipe.json", run.recipe.model_dump(mode="json"))
    return write_report(run.folder, out, recipe=run.recipe.model_dump(mode="json"))
