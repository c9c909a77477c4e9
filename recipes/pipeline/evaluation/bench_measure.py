"""Measure models on an evaluation set: without evidence, with gold passages, with search."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.commands import command_line
from kofinlaw.files import read_json_lines, sha256_file, write_json, write_jsonl, write_text
from kofinlaw.recipes.pipeline.evaluation.answering import answer_from, answer_with
from kofinlaw.recipes.pipeline.evaluation.bench_search import (
    bench_index,
    retrieval_part,
    searching_settings,
)
from kofinlaw.recipes.pipeline.fitting.voter_fitting import fitted_settings, serving_settings
from kofinlaw.recipes.pipeline.ready_examples import check_training_file
from kofinlaw.recipes.pipeline.run import Run, model_folder

if TYPE_CHECKING:
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.benches.bench_files import BenchFile
    from kofinlaw.rag.benches.corpora import BenchCorpus
    from kofinlaw.recipes.pipeline.schema import System
    from kofinlaw.records import Chunk, Key, Question
    from kofinlaw.scoring.benches.bench_record import BenchRecord, RetrievalPart
    from kofinlaw.scoring.benches.free_pairs import FreePair
    from kofinlaw.scoring.exams.exam_record import ExamsRecord
    from kofinlaw.scoring.scores_record import ScoresRecord

__all__ = [
    "BenchPlan",
    "bench_models",
    "measure_bench",
    "refuse_trained_questions",
    "sampled",
    "systems_of",
]


@dataclass(frozen=True)
class BenchPlan:
    """What is measured.

    - `bench`: the questions; `sample`: how many of the file's were drawn (0: all);
    - `models`: folder of the weights by name (`base`, `trained`, or `model`);
    - `systems`: names of models with `-gold` or `-rag` for their evidence;
    - `corpus`: the set's own corpus; `index`: the index to search instead of it, if any;
    - `gold`: the gold passages by question id; `absent`: gold ids without a text;
    - `near_copies`: how many rows of other files repeat a question;
    - `notes`: sentences for the page.
    """

    bench: BenchFile
    sample: int
    models: Mapping[str, Path]
    systems: tuple[str, ...]
    corpus: BenchCorpus | None
    index: Path | None
    gold: Mapping[str, Sequence[Chunk]]
    absent: int
    near_copies: int
    notes: tuple[str, ...]


def bench_models(run: Run, model: Path | None, progress: Progress) -> dict[str, Path]:
    """Return the models that are measured: the given one, else base and (if merged) trained.

    Raises UserError if the base model is not on this machine.
    """
    if model is not None:
        return {"model": model}
    found = {"base": model_folder(run, progress)}
    merged = run.folder / "merge" / "model"
    return {**found, "trained": merged} if merged.is_dir() else found


def systems_of(
    models: Sequence[str], wanted: Sequence[str], *, gold: bool, search: bool
) -> tuple[str, ...]:
    """Return the systems that answer: every model with each kind of evidence that there is.

    Args:
        models: Names of the models.
        wanted: The systems to keep; empty: all.
        gold: Whether there are gold passages.
        search: Whether there is something to search.

    Raises UserError for a wanted system that cannot answer, with those that can.
    """
    kinds = ["", *(["-gold"] if gold else []), *(["-rag"] if search else [])]
    possible = [f"{model}{kind}" for model in models for kind in kinds]
    for name in wanted:
        if name not in possible:
            raise UserError(
                f"the system `{name}` cannot answer this file",
                where="--system",
                remedy=f"the systems are {', '.join(possible)}; -gold needs gold passages, -rag "
                "an index or a corpus, trained a merged model",
            )
    return tuple(name for name in possible if not wanted or name in wanted)


def sampled(bench: BenchFile, count: int | None) -> BenchFile:
    """Return the file with `count` of its questions, always the same ones, in their order."""
    if count is None or count >= len(bench.exam.questions):
        return bench
    ids = [question.id for question in bench.exam.questions]
    chosen = set(sorted(ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:count])
    kept = [index for index, name in enumerate(ids) if name in chosen]
    exam = bench.exam
    return replace(
        bench,
        exam=replace(
            exam,
            questions=tuple(exam.questions[i] for i in kept),
            keys=tuple(exam.keys[i] for i in kept),
            rows=tuple(exam.rows[i] for i in kept),
            doubts=tuple(doubt for doubt in exam.doubts if doubt.id in chosen),
        ),
        gold={name: groups for name, groups in bench.gold.items() if name in chosen},
        passages={name: found for name, found in bench.passages.items() if name in chosen},
    )


def refuse_trained_questions(run: Run, texts: Sequence[str]) -> None:
    """Check that no training example of the run holds a question of the file.

    The run's examples, its mixture and its pairs are searched, where they exist.

    Raises UserError with file and line of the first example that holds one.
    """
    augment = run.folder / "augment"
    files = [augment / "examples.jsonl", augment / "preferences.jsonl"]
    files += [run.path(str(part.path)) for part in run.recipe.train.mixture]
    again = command_line("run", run.folder / "recipe.yaml", "--folder", run.folder)
    for path in files:
        if path.is_file() and path.stat().st_size:
            check_training_file(
                path,
                texts,
                "a trained model has learned them: measure the base model alone (--system base), "
                f"or measure once, which fences the file off in this run, and train again "
                f"without them: `{again} --again augment`",
            )


def measure_bench(run: Run, plan: BenchPlan, out: Path, progress: Progress) -> BenchRecord:
    """Answer with every system, score, and write `bench.json` and `bench.md` into `out`.

    A measurement that was interrupted continues in the same folder.
    """
    from kofinlaw.scoring.benches.bench_record import BENCH_SCHEMA, bench_markdown

    bench = plan.bench
    questions, key = out / "questions.jsonl", out / "key.jsonl"
    write_jsonl(questions, bench.exam.questions)
    write_jsonl(key, bench.exam.keys)
    index, searching = plan.index, run
    retrieval: RetrievalPart | None = None
    if plan.corpus is not None and index is None:
        index = bench_index(run, plan.corpus, out, progress)
        rag = searching_settings(run.recipe.rag)
        searching = replace(run, recipe=run.recipe.model_copy(update={"rag": rag}))
        retrieval = retrieval_part(run, bench, plan.corpus, index, plan.absent, progress)
    folders = {name: out / name for name in plan.systems}
    for name, folder in folders.items():
        _answer(searching, plan, name, index, questions, folder, progress)
    exams: ExamsRecord | None = None
    scores: ScoresRecord | None = None
    pairs: list[FreePair] = []
    if bench.kind == "choice":
        exams = _rated(run, plan, folders)
    else:
        scores, pairs = _scored(run, folders, questions, key, out, progress)
    corpus = plan.corpus
    record: BenchRecord = {
        "schema": BENCH_SCHEMA,
        "set": bench.set.name,
        "title": bench.set.title,
        "reader": bench.set.reader,
        "license": bench.set.license,
        "schema_from": bench.set.schema_from,
        "kind": bench.kind,
        "questions": len(bench.exam.questions),
        "sample": plan.sample,
        "files": [
            {"path": str(f.path), "sha256": f.sha256, "form": f.form, "questions": f.questions}
            for f in bench.files
        ],
        "corpus": {
            "path": str(corpus.path),
            "sha256": sha256_file(corpus.path) if corpus.path.is_file() else "",
            "form": "corpus",
            "questions": len(corpus.chunks),
        }
        if corpus is not None
        else None,
        "near_copies": plan.near_copies,
        "notes": list(plan.notes),
        "exams": exams,
        "scores": scores,
        "free_pairs": pairs,
        "retrieval": retrieval,
    }
    write_json(out / "bench.json", record)
    write_text(out / "bench.md", bench_markdown(record))
    return record


def _answer(
    run: Run,
    plan: BenchPlan,
    system: str,
    index: Path | None,
    questions: Path,
    out: Path,
    progress: Progress,
) -> None:
    """Answer the questions with one system, without a deadline: every system has the same plan."""
    model, _, evidence = system.partition("-")
    settings = _settings(run, model, evidence, progress)
    weights = plan.models[model]
    if evidence != "gold":
        searched = index if evidence == "rag" else None
        answer_with(run, weights, searched, questions, out, settings, progress)
        return
    from kofinlaw.rag.retrieve.forced import ForcedEvidence, write_forced

    forced = out.parent / "gold.jsonl"
    write_forced(forced, plan.gold.items())
    evidence_file = ForcedEvidence(forced, run.recipe.rag)
    answer_from(run, weights, evidence_file, questions, out, settings, progress)


def _settings(run: Run, model: str, evidence: str, progress: Progress) -> AnswerSettings:
    """Return the recipe's answer settings without a deadline, with the weights of this system."""
    settings = run.recipe.answer
    if settings.fits_voters and model == "model":
        settings = serving_settings(run)
    elif settings.fits_voters:
        by_model: dict[str, tuple[System, System]] = {
            "base": ("base", "base-rag"),
            "trained": ("trained", "trained-rag"),
        }
        settings = fitted_settings(run, by_model[model][bool(evidence)], settings, progress)
    return settings.model_copy(update={"budget_minutes": None, "sample_submission": None})


def _rated(run: Run, plan: BenchPlan, folders: Mapping[str, Path]) -> ExamsRecord:
    """Return the figures of multiple choice: systems next to solvers, paired tests."""
    from kofinlaw.scoring.exams.exam_figures import exams_record
    from kofinlaw.scoring.exams.rate_exam import rate_exam

    questions: Sequence[Question] = plan.bench.exam.questions
    keys: Sequence[Key] = plan.bench.exam.keys
    rated = rate_exam(plan.bench.set.name, questions, keys, folders)
    return exams_record([rated], run.recipe.score, run.recipe.seed)


def _scored(
    run: Run,
    folders: Mapping[str, Path],
    questions: Path,
    key: Path,
    out: Path,
    progress: Progress,
) -> tuple[ScoresRecord, list[FreePair]]:
    """Return the scores of free text with their baselines, and the paired tests."""
    from kofinlaw.decoding import load_json
    from kofinlaw.scoring.benches.free_pairs import free_pairs
    from kofinlaw.scoring.exams.exam_figures import exam_pairs
    from kofinlaw.scoring.score import score_answers

    score_answers(
        questions,
        key,
        folders,
        None,
        out / "scores",
        settings=run.recipe.score,
        seed=run.recipe.seed,
        cache=run.cache,
        offline=run.recipe.offline,
        progress=progress,
    )
    found: ScoresRecord = load_json((out / "scores" / "scores.json").read_text(encoding="utf-8"))
    items = (row for _, row in read_json_lines(out / "scores" / "items.jsonl"))
    pairs = exam_pairs(list(folders))
    return found, free_pairs(items, pairs, run.recipe.score, run.recipe.seed)
