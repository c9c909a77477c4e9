"""Scoring one system's answers, and several systems side by side (the stage)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import sha256_file, write_json, write_jsonl, write_text
from kofinlaw.records import Answer, Chunk, Key, Question, to_json
from kofinlaw.scoring.answers import AnswerSheet, read_answers, read_timings, sheet
from kofinlaw.scoring.benchmark import read_asked, read_key
from kofinlaw.scoring.compare import compare_all_pairs, smallest_of
from kofinlaw.scoring.environment import environment
from kofinlaw.scoring.item_scores import (
    answered,
    choice_item,
    free_cosines,
    free_item,
    free_text_scores,
    grounded_claims,
    matched_key,
    mean_of,
    slice_figures,
    spread,
    with_run,
)
from kofinlaw.scoring.markdown import scores_markdown
from kofinlaw.scoring.metrics.fsku import SentenceEncoder, cosine_floor, label_of
from kofinlaw.scoring.metrics.grounding import grounding_figures
from kofinlaw.scoring.metrics.retrieval import retrieval_scores
from kofinlaw.scoring.orders import Picks, order_figures, read_picks
from kofinlaw.scoring.result import SCHEMA, TASK_VERSIONS, Pair, Scores, without_items
from kofinlaw.scoring.settings import JudgeSettings, ScoreSettings
from kofinlaw.scoring.shown import shown_passages
from kofinlaw.scoring.stats.baselines import score_baselines
from kofinlaw.scoring.stats.intervals import blend_figure
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings
from kofinlaw.tracing import Tracer


def score_system(
    questions: Sequence[Question],
    key: Sequence[Key],
    answers: AnswerSheet | Iterable[Answer],
    *,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None = None,
    system: str = "answers",
    seconds: Mapping[str, float] | None = None,
    unit_of: Mapping[str, str] | None = None,
    passages: Mapping[str, Chunk] | None = None,
    shown: Mapping[str, Sequence[str]] | None = None,
    picks: Picks | None = None,
    seed: int = 0,
) -> Scores:
    """Scores of one system; every question with a key counts, a missing answer as wrong.

    `embedder` None leaves the free-text score out (keyword recall stays). `passages` by chunk id
    give grounding and articles (`unit_of`, where only these are known); `shown` are the passages
    in each prompt, `picks` the option scores of every order. Raises UserError for a doubled id or
    a key that does not fit its question.
    """
    golds = matched_key(questions, key)
    known = {q.id for q in questions}
    questions = [q for q in questions if q.id in golds]
    given = answers if isinstance(answers, AnswerSheet) else sheet(answers)
    cosine = free_cosines([q for q in questions if not q.options], golds, given, settings, embedder)
    passages, shown = passages or {}, shown or {}
    unit_of = unit_of or {name: chunk.unit for name, chunk in passages.items()}
    claims = grounded_claims(questions, given, shown, passages, settings)
    items = []
    for q in questions:
        answer = given.answers.get(q.id)
        if q.options:
            item = choice_item(q, golds[q.id], answer, settings, system)
        else:
            item = free_item(q, golds[q.id], answer, cosine.get(q.id), settings, system)
        loose = claims[q.id][1] if q.id in claims else ()
        items.append(with_run(item, answer, golds[q.id], seconds or {}, unit_of, shown, loose))
    choice = [item.score for item in items if item.kind == "choice" and item.score is not None]
    free = [item for item in items if item.kind == "free"]
    free_scores = [item.score for item in free if item.score is not None]
    return Scores(
        system=system,
        choice=mean_of(choice, settings, seed),
        free=mean_of(free_scores, settings, seed),
        cosine=mean_of([item.cosine for item in free], settings, seed),
        keywords=mean_of([item.keywords for item in free], settings, seed),
        blend=blend_figure(
            choice,
            free_scores,
            weight=settings.choice_weight,
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        ),
        slices=slice_figures(items, settings, seed),
        retrieval=retrieval_scores(
            {name: gold.units for name, gold in golds.items()},
            {item.id: item.evidence for item in items},
            unit_of,
            shown,
        ),
        text=free_text_scores(questions, golds, given, settings),
        seconds=spread([item.seconds for item in items if item.seconds is not None]),
        tokens=spread([float(item.tokens) for item in items]),
        missing=tuple(q.id for q in questions if not answered(given, q.id)),
        duplicates=tuple(name for name in given.duplicates if name in known),
        foreign=tuple(name for name in given.answers if name not in known),
        unreadable=tuple(
            q.id
            for q in questions
            if q.options
            and answered(given, q.id)
            and not label_of(given.answers[q.id].answer, len(q.options))
        ),
        fallbacks=sum(item.origin == "fallback" for item in items),
        orders=order_figures(picks or {}, questions, golds, settings, seed=seed),
        grounding=grounding_figures(claims),
        items=tuple(items),
    )


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
    progress: Progress = silent,
) -> dict[str, Any]:
    """Score every system's answer folder (`answers.jsonl`, `timings.jsonl`) on the same items.

    A system may also be one file: `answers.jsonl`, or a submission with `ID,Answer`. `questions`
    and `key` are JSON Lines of records, or CSV in the contest's or the benchmark's form; one CSV
    may be both.

    Writes out/scores.json (schema `kofinlaw.scores/1`), items.jsonl (one row a question and
    system) and scores.md; returns flat figures. `embedder` None opens `settings.embedder`; `trace`
    is for the judge's calls. Raises UserError for absent or unusable files.
    """
    asked = read_asked(questions)
    if not asked:
        raise UserError("there is no question to score", where=str(questions))
    golds = read_key(key, asked)
    keyed = matched_key(asked, golds)
    passages = {chunk.id: chunk for chunk in read_chunks(chunks)} if chunks else {}
    if embedder is None and settings.embedder and any(not q.options for q in asked):
        from kofinlaw.models.embedders import open_embedder

        embedder = open_embedder(settings.embedder, cache=cache)
    sheets, scored = {}, {}
    for place, (name, folder) in enumerate(systems.items()):
        progress("score", place, len(systems), system=name)
        sheets[name] = read_answers(answers_file(folder), [q.id for q in asked])
        seconds, _ = read_timings(folder / "timings.jsonl")
        scored[name] = score_system(
            asked,
            golds,
            sheets[name],
            settings=settings,
            embedder=embedder,
            system=name,
            seconds=seconds,
            passages=passages,
            shown=shown_passages(
                folder, {n: a.evidence for n, a in sheets[name].answers.items()}, passages
            ),
            picks=read_picks(folder),
            seed=seed,
        )
    progress("score", len(systems), len(systems))
    pairs = compare_all_pairs(list(scored.values()), settings=settings, seed=seed)
    asked, unkeyed = [q for q in asked if q.id in keyed], len(asked) - len(keyed)
    baselines = score_baselines(
        asked, golds, sheets, passages, settings=settings, embedder=embedder, seed=seed
    )
    hashes = {"questions": sha256_file(questions), "key": sha256_file(key)}
    if chunks:
        hashes["chunks"] = sha256_file(chunks)
    for name, folder in systems.items():
        hashes[f"answers:{name}"] = sha256_file(answers_file(folder))
    result = {
        "schema": SCHEMA,
        "tasks": TASK_VERSIONS,
        "seed": seed,
        "settings": settings.model_dump(mode="json"),
        "embedder": embedder_record(embedder, golds, asked),
        "counts": {
            "questions": len(asked),
            "choice": sum(bool(q.options) for q in asked),
            "free": sum(not q.options for q in asked),
            "without_key": unkeyed,
        },
        "systems": {name: without_items(one) for name, one in scored.items()},
        "baselines": {name: to_json(figure) for name, figure in baselines.items()},
        "pairs": [to_json(pair) for pair in pairs],
        "smallest": {f"{pair.a}|{pair.b}": to_json(smallest_of(pair, settings)) for pair in pairs},
        "judge": None,
        "environment": environment(),
        "sha256": hashes,
    }
    if settings.judge is not None:
        with open_tracer(trace, out / "judge", offline=offline) as tracer:
            result["judge"] = judge_of(
                settings.judge, asked, keyed, sheets, out / "judge", cache, seed, tracer, progress
            )
    out.mkdir(parents=True, exist_ok=True)
    write_jsonl(out / "items.jsonl", (item for one in scored.values() for item in one.items))
    write_text(out / "scores.md", scores_markdown(result))
    write_json(out / "scores.json", result)
    return flat_figures(scored, pairs)


def judge_of(
    settings: JudgeSettings,
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    sheets: Mapping[str, AnswerSheet],
    out: Path,
    cache: Path | None,
    seed: int,
    tracer: Tracer,
    progress: Progress,
) -> dict[str, Any]:
    """The figures of the judge, opened for them; its verdicts stay in `out`."""
    from kofinlaw.scoring.judge.verdicts import judge_systems, open_judge

    with open_judge(settings, cache=cache, seed=seed) as (engine, template):
        return judge_systems(
            asked,
            golds,
            sheets,
            out,
            engine=engine,
            template=template,
            settings=settings,
            seed=seed,
            tracer=tracer,
            progress=progress,
        )


def answers_file(path: Path) -> Path:
    """The answers of a stage folder, or the file itself."""
    return path / "answers.jsonl" if path.is_dir() or not path.suffix else path


def embedder_record(
    embedder: SentenceEncoder | None, golds: Sequence[Key], asked: Sequence[Question]
) -> dict[str, Any] | None:
    """Who measured the cosine, and what an unrelated answer would get from it."""
    if embedder is None:
        return None
    free = {q.id for q in asked if not q.options}
    references = [gold.reference for gold in golds if gold.id in free]
    return {
        "name": embedder.name,
        "dimensions": embedder.dimensions,
        "floor": cosine_floor(embedder, references),
    }


def flat_figures(scored: Mapping[str, Scores], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Counts and figures for `stage.json`."""
    out: dict[str, Any] = {"systems": len(scored)}
    for name, one in scored.items():
        for part in ("choice", "free", "blend"):
            figure = getattr(one, part)
            if figure is not None:
                out[f"{name}.{part}"] = round(figure.value, 4)
        if one.retrieval:
            out[f"{name}.hit_3"] = round(one.retrieval.hit_3, 4)
        out[f"{name}.missing"] = len(one.missing)
    for pair in pairs:
        out[f"{pair.a}|{pair.b}.p"] = round(pair.p_value, 6)
    return out
