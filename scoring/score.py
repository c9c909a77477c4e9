"""Score the answers of several systems on the same questions, and write the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import sha256_file, write_json, write_jsonl, write_text
from kofinlaw.records import Chunk, Key, Question
from kofinlaw.scoring.abstention.abstention_figures import abstention_record
from kofinlaw.scoring.abstention.abstention_record import AbstentionRecord
from kofinlaw.scoring.answers import AnswerSheet, read_answers, read_timings
from kofinlaw.scoring.benchmark import read_asked, read_key
from kofinlaw.scoring.compare import compare_all_pairs, compare_with_baselines, smallest_of
from kofinlaw.scoring.hard_slices import sort_records
from kofinlaw.scoring.item_scores import ItemScorer, matched_key
from kofinlaw.scoring.markdown import scores_markdown
from kofinlaw.scoring.metrics.fsku import SentenceEncoder, cosine_floor
from kofinlaw.scoring.orders import read_option_scores
from kofinlaw.scoring.provenance import environment
from kofinlaw.scoring.result import (
    TASK_VERSIONS,
    Against,
    Item,
    Pair,
    Scores,
    ScoringResult,
    against_record,
    figure_record,
    pair_record,
    settings_record,
    smallest_record,
    system_record,
)
from kofinlaw.scoring.scores_record import SCHEMA, EmbedderRecord, JudgeRecord, ScoresRecord
from kofinlaw.scoring.settings import JudgeSettings, ScoreSettings
from kofinlaw.scoring.shown import first_plans, first_reasons, shown_passages, shown_texts
from kofinlaw.scoring.stats.baselines import Baseline, choice_baselines, distinct_evidence
from kofinlaw.scoring.stats.free_baselines import score_free_baselines
from kofinlaw.scoring.system_scores import score_system
from kofinlaw.scoring.twins.twin_figures import twins_record
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings
from kofinlaw.tracing import Tracer

__all__ = ["score_answers"]


@dataclass(frozen=True, slots=True)
class _Inputs:
    """The files of a scoring: all questions, those with a key, the keys and the passages."""

    all_questions: list[Question]
    questions: list[Question]
    key: list[Key]
    keyed: dict[str, Key]
    passages: dict[str, Chunk]


def score_answers(
    questions: Path,
    key: Path,
    systems: Mapping[str, Path],
    chunks: Path | None,
    out: Path,
    *,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None = None,
    cache: Path | None = None,
    seed: int = 0,
    trace: TraceSettings | None = None,
    offline: bool = True,
    forced: Mapping[str, Mapping[str, Path]] | None = None,
    forced_questions: Path | None = None,
    twins: Path | None = None,
    twin_answers: Mapping[str, Path] | None = None,
    progress: Progress = silent,
) -> ScoringResult:
    """Score every system's answers on the same questions, and compare every two systems.

    Writes out/scores.json (schema `kofinlaw.scores/2`), items.jsonl (one row per question and
    system) and scores.md. Raises UserError for files that are absent or unusable.

    Args:
        questions: JSON Lines of records, or CSV in the contest's or the benchmark's form.
        key: the right answers, in the same forms; one CSV may be questions and key.
        systems: by name, an answer folder (`answers.jsonl`, `timings.jsonl`) or one file:
            `answers.jsonl`, or a submission with `ID,Answer`.
        chunks: the corpus, for retrieval scores and grounding; None leaves them out.
        out: folder for the scores.
        settings: weights, intervals, embedder and judge.
        embedder: an open embedder; None opens `settings.embedder` if there is free text.
        cache: folder of the models; None is the default.
        seed: of intervals and judge.
        trace: where the judge's calls are traced.
        offline: whether traces must stay on this machine.
        forced: answer folders under forced evidence, by kind of evidence and model.
        forced_questions: the questions that were asked with forced evidence; None: those that
            every model answered.
        twins: `heldout_twins.jsonl`; None: no twins were answered.
        twin_answers: folders of their answers by model.
        progress: is called with the systems done.
    """
    inputs = _read_inputs(questions, key, chunks)
    if embedder is None and settings.embedder and any(not q.options for q in inputs.all_questions):
        from kofinlaw.models.embedders import open_embedder

        embedder = open_embedder(settings.embedder, cache=cache)
    writes = any(not q.options for q in inputs.all_questions) or any(
        first_reasons(folder) for folder in systems.values()
    )
    law = KnownLaw.of_chunks(chunks) if chunks and writes else None
    sheets: dict[str, AnswerSheet] = {}
    texts: dict[str, dict[str, tuple[str, ...]]] = {}
    scored: dict[str, Scores] = {}
    for number, (name, folder) in enumerate(systems.items()):
        progress("score", number, len(systems), system=name)
        sheets[name] = read_answers(_answers_file(folder), [q.id for q in inputs.all_questions])
        texts[name] = shown_texts(folder)
        scored[name] = _score_folder(
            name, folder, sheets[name], texts[name], inputs, settings, embedder, seed, law
        )
    progress("score", len(systems), len(systems))
    pairs = compare_all_pairs(list(scored.values()), settings=settings, seed=seed)
    evidence = distinct_evidence(inputs.questions, sheets, texts, inputs.passages)
    baselines = choice_baselines(
        inputs.questions, inputs.keyed, evidence, settings=settings, seed=seed
    )
    against = compare_with_baselines(list(scored.values()), baselines, settings=settings, seed=seed)
    free = [q for q in inputs.questions if not q.options]
    free_baselines, fact_baselines = score_free_baselines(
        free,
        inputs.keyed,
        distinct_evidence(free, sheets, texts, inputs.passages),
        settings=settings,
        embedder=embedder,
        seed=seed,
    )
    files = {"questions": questions, "key": key}
    if chunks:
        files["chunks"] = chunks
    files |= {f"answers:{name}": _answers_file(folder) for name, folder in systems.items()}
    result = _scores_record(inputs, scored, pairs, settings=settings, embedder=embedder, seed=seed)
    _add_baselines(result, baselines, against)
    result["sorts"] = sort_records(
        list(scored.values()), baselines, inputs.keyed, settings=settings, seed=seed
    )
    result["baselines"] |= {n: figure_record(figure) for n, figure in free_baselines.items()}
    result["fact_baselines"] = {n: figure_record(figure) for n, figure in fact_baselines.items()}
    result["sha256"] = {name: sha256_file(path) for name, path in files.items()}
    result["abstention"] = (
        _abstention(forced, forced_questions, inputs, settings=settings, seed=seed)
        if forced
        else None
    )
    if twins is not None:
        result["twins"] = twins_record(twins, twin_answers or {})
    if settings.judge is not None:
        with open_tracer(trace, out / "judge", offline=offline) as tracer:
            result["judge"] = _judge(
                settings.judge, inputs, sheets, out / "judge", cache, seed, tracer, progress
            )
    out.mkdir(parents=True, exist_ok=True)
    write_jsonl(out / "items.jsonl", (item for one in scored.values() for item in one.items))
    write_text(out / "scores.md", scores_markdown(result))
    write_json(out / "scores.json", result)
    return ScoringResult(scored, tuple(pairs))


def _read_inputs(questions: Path, key: Path, chunks: Path | None) -> _Inputs:
    """Read the files; raises UserError if there is no question, or no question has a key."""
    asked = read_asked(questions)
    if not asked:
        raise UserError("there is no question to score", where=str(questions))
    golds = read_key(key, asked)
    keyed = matched_key(asked, golds)
    return _Inputs(
        all_questions=asked,
        questions=[question for question in asked if question.id in keyed],
        key=golds,
        keyed=keyed,
        passages={chunk.id: chunk for chunk in read_chunks(chunks)} if chunks else {},
    )


def _score_folder(
    name: str,
    folder: Path,
    given: AnswerSheet,
    texts: Mapping[str, Sequence[str]],
    inputs: _Inputs,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None,
    seed: int,
    law: KnownLaw | None,
) -> Scores:
    """Score one system with what its answer folder records."""
    seconds, _ = read_timings(folder / "timings.jsonl")
    evidence = {question_id: answer.evidence for question_id, answer in given.answers.items()}
    return score_system(
        inputs.all_questions,
        inputs.key,
        given,
        settings=settings,
        embedder=embedder,
        system=name,
        seconds=seconds,
        passages=inputs.passages,
        shown=shown_passages(folder, evidence, inputs.passages),
        texts=texts,
        plans=first_plans(folder),
        reasons=first_reasons(folder),
        option_scores=read_option_scores(folder),
        law=law,
        seed=seed,
    )


def _scores_record(
    inputs: _Inputs,
    scored: Mapping[str, Scores],
    pairs: Sequence[Pair],
    *,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None,
    seed: int,
) -> ScoresRecord:
    """Return what scores.json holds, before the baselines, the hashes and the judge."""
    asked = inputs.questions
    return ScoresRecord(
        schema=SCHEMA,
        tasks=TASK_VERSIONS,
        seed=seed,
        settings=settings_record(settings),
        embedder=_embedder_record(embedder, inputs),
        counts={
            "questions": len(asked),
            "choice": sum(bool(q.options) for q in asked),
            "free": sum(not q.options for q in asked),
            "without_key": len(inputs.all_questions) - len(asked),
        },
        systems={name: system_record(one) for name, one in scored.items()},
        baselines={},
        solvers={},
        against=[],
        pairs=[pair_record(pair) for pair in pairs],
        smallest={
            f"{pair.a}|{pair.b}": smallest_record(smallest_of(pair, settings)) for pair in pairs
        },
        judge=None,
        environment=environment(),
        sha256={},
    )


def _abstention(
    forced: Mapping[str, Mapping[str, Path]],
    questions: Path | None,
    inputs: _Inputs,
    *,
    settings: ScoreSettings,
    seed: int,
) -> AbstentionRecord:
    """Return the figures of answers under forced evidence, over the questions of every folder."""
    wanted = {question.id for question in read_asked(questions)} if questions else set()
    items: dict[str, dict[str, Sequence[Item]]] = {}
    for evidence, folders in forced.items():
        sheets = {model: read_answers(_answers_file(path)) for model, path in folders.items()}
        asked = [
            question
            for question in inputs.questions
            if (not questions or question.id in wanted)
            and all(question.id in sheet.answers for sheet in sheets.values())
        ]
        if asked:
            items[evidence] = {
                model: list(map(_forced_scorer(model, sheet, inputs, settings).item, asked))
                for model, sheet in sheets.items()
            }
    return abstention_record(
        {q.id: q for q in inputs.questions}, items, settings=settings, seed=seed
    )


def _forced_scorer(
    model: str, given: AnswerSheet, inputs: _Inputs, settings: ScoreSettings
) -> ItemScorer:
    """Return the scorer of answers under forced evidence: right or wrong, and key facts."""
    return ItemScorer(
        settings=settings,
        system=model,
        golds=inputs.keyed,
        given=given,
        cosines={},
        seconds={},
        unit_of={},
        shown={},
        claims={},
        plans={},
    )


def _add_baselines(
    result: ScoresRecord,
    baselines: Sequence[Baseline],
    against: Sequence[Against],
) -> None:
    """Add the baselines and the comparisons of the systems with them."""
    for one in baselines:
        result["baselines"][one.name] = figure_record(one.figure)
        result["solvers"][one.name] = {
            "basis": one.basis,
            "systems": list(one.systems),
            "method": one.method,
            "other": figure_record(one.other) if one.other else None,
            "tied": one.tied,
        }
    result["against"] = [against_record(one) for one in against]


def _judge(
    settings: JudgeSettings,
    inputs: _Inputs,
    sheets: Mapping[str, AnswerSheet],
    out: Path,
    cache: Path | None,
    seed: int,
    tracer: Tracer,
    progress: Progress,
) -> JudgeRecord:
    """Open the judge and return its figures; its verdicts stay in `out`."""
    from kofinlaw.scoring.judge.verdicts import judge_systems, open_judge

    with open_judge(settings, cache=cache, seed=seed) as (engine, template):
        return judge_systems(
            inputs.questions,
            inputs.keyed,
            sheets,
            out,
            engine=engine,
            template=template,
            settings=settings,
            seed=seed,
            tracer=tracer,
            progress=progress,
        )


def _answers_file(path: Path) -> Path:
    """Return the answers of a stage folder, or the file itself."""
    return path / "answers.jsonl" if path.is_dir() or not path.suffix else path


def _embedder_record(embedder: SentenceEncoder | None, inputs: _Inputs) -> EmbedderRecord | None:
    """Return the embedder, and the cosine that an unrelated answer gets from it."""
    if embedder is None:
        return None
    free = {q.id for q in inputs.questions if not q.options}
    references = [gold.reference for gold in inputs.key if gold.id in free]
    return {
        "name": embedder.name,
        "dimensions": embedder.dimensions,
        "floor": cosine_floor(embedder, references),
    }
