"""Render a page that compares runs: verdict, chart, figures, paired tests, changed settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.data.korean.words import josa
from kofinlaw.decoding import load_json
from kofinlaw.scoring.claims import main_system, unequal_plans
from kofinlaw.scoring.compare import changed_settings, distinct_names, read_run, run_pairs
from kofinlaw.scoring.report import plots
from kofinlaw.scoring.report.compare_page import (
    Column,
    Table,
    Value,
    comparison_page,
    percent,
)
from kofinlaw.scoring.report.labels import system_label
from kofinlaw.scoring.result import Pair, pair_record
from kofinlaw.scoring.scores_record import FigureRecord, ScoresRecord, SystemRecord
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.value_text import Plot, Words, both, p_text, plot_of

__all__ = ["COLUMNS", "NOT_TESTED", "PAIR_COLUMNS", "figures", "pair_verdict", "runs_page"]

COLUMNS = (
    Column("객관식 %", "Multiple choice %"),
    Column("주관식", "Free text"),
    Column("종합", "Blend"),
    Column("hit@3 %", "hit@3 %"),
    Column("프롬프트 안 정답 조문 %", "Gold in prompt %"),
    Column("p50, 초", "p50, s", 2),
    Column("p95, 초", "p95, s", 2),
    Column("문항당 토큰", "Tokens per question", 0),
)
PAIR_COLUMNS: tuple[Words, ...] = (
    ("시스템", "System"),
    ("문항", "Items"),
    ("첫째만 정답", "Only first correct"),
    ("둘째만 정답", "Only second correct"),
    ("차이, 점 [95% 구간]", "Difference, points [95% interval]"),
    ("p", "p"),
)

NOT_TESTED: Words = ("검정 안 함", "not tested")


def runs_page(runs: Sequence[Path]) -> str:
    """Return the page for two or more scored runs; every run is compared with the first one.

    Raises UserError for fewer than two runs, or for a run that has not been scored.
    """
    if len(runs) < 2:
        raise UserError("a comparison needs two or more runs", remedy="name runs/A runs/B")
    results = [read_run(run) for run in runs]
    names = distinct_names(runs)
    rows: list[tuple[Words, Sequence[Value]]] = [
        (_named(name, system), figures(one))
        for name, (result, _) in zip(names, results, strict=True)
        for system, one in result["systems"].items()
    ]
    lines: list[Words] = []
    tables: list[Table] = []
    for name, run, (result, items) in list(zip(names, runs, results, strict=True))[1:]:
        title = f"{names[0]} → {name}"
        settings = ScoreSettings(**result["settings"])
        pairs = run_pairs(results[0][1], items, settings)
        main = main_system(result)
        chosen = next((pair for system, pair in pairs if system == main), None)
        lines.append(pair_verdict(names[0], name, main or "", chosen, settings.alpha))
        tables.append(
            Table(
                (f"{title}: 같은 문항 비교", f"{title}: on the same items"),
                PAIR_COLUMNS,
                [_pair_row(system, pair) for system, pair in pairs],
                ("두 실행에 공통된 시스템이 없습니다.", "The runs have no system in common."),
                figures=True,
            )
        )
        tables.append(
            Table(
                (f"{title}: 달라진 설정", f"{title}: changed settings"),
                (("설정", "Setting"), (names[0], names[0]), (name, name)),
                [[key, _plain(a), _plain(b)] for key, a, b in changed_settings(runs[0], run)],
            )
        )
    return comparison_page(
        title=" · ".join(names),
        columns=COLUMNS,
        rows=rows,
        lines=lines,
        note=("점수는 백분율입니다.", "Scores are in percent."),
        plots=_plots(names, [result for result, _ in results]),
        tables=tables,
    )


def figures(system: SystemRecord) -> list[Value]:
    """Return a system's value for each of COLUMNS."""
    found = system["retrieval"]
    return [
        system["choice"],
        system["free"],
        system["blend"],
        100 * found["hit_3"] if found else None,
        percent(found.get("in_context")) if found else None,
        system["seconds"].get("p50"),
        system["seconds"].get("p95"),
        system["tokens"].get("mean"),
    ]


def pair_verdict(first: str, second: str, system: str, pair: Pair | None, alpha: float) -> Words:
    """Return whether the second run is better, in a sentence.

    Args:
        first: name of the first run.
        second: name of the second run.
        system: the compared system; both runs have it.
        pair: its comparison, or None if the first run lacks it.
        alpha: the significance level.
    """
    label = system_label(system)
    with_first = josa(first, "와/과")
    if pair is None or not pair.n:
        return (
            f"{second}: {with_first} 비교할 수 있는 공통 객관식 문항이 없습니다.",
            f"{second}: no multiple-choice items in common with {first}.",
        )
    if unequal_plans(pair_record(pair)):
        count = pair.other_plans
        return (
            f"{second}: {with_first} 비교하는 검정을 하지 않았습니다. {count}문항을 서로 다른 답변 "
            "계획으로 물었습니다.",
            f"{second}: not tested against {first}, because {count} items were asked under "
            "different plans.",
        )
    points = 100 * pair.difference
    interval = f"[{100 * pair.low:+.1f}, {100 * pair.high:+.1f}]"
    p_value = p_text(pair.p_value)
    sign = "" if p_value.startswith("<") else "= "
    test = f"{points:+.1f} {interval}, p {sign}{p_value}, {pair.n}"
    subject = josa(label[0], "이/가")
    if not pair.only_a and not pair.only_b:
        return (
            f"{second}: {label[0]}의 객관식 {pair.n}문항에서 {with_first} 맞힌 문항이 같습니다.",
            f"{second}: the same items correct as in {first} ({label[1]}, {pair.n} items).",
        )
    if pair.p_value >= alpha:
        return (
            f"{second}: {subject} {with_first} 다르다고 말할 수 없습니다 ({test}문항).",
            f"{second}: {label[1]} is not shown to differ from {first} ({test} items).",
        )
    korean, english = ("낫습니다", "better") if points > 0 else ("못합니다", "worse")
    return (
        f"{second}: {subject} {first}보다 {korean} ({test}문항).",
        f"{second}: {label[1]} is {english} than in {first} ({test} items).",
    )


def _pair_row(system: str, pair: Pair) -> list[str | Words]:
    low, high = 100 * pair.low, 100 * pair.high
    difference, tested = f"{100 * pair.difference:+.1f}", p_text(pair.p_value)
    counts = [str(pair.n), str(pair.only_a), str(pair.only_b)]
    if unequal_plans(pair_record(pair)):
        return [system_label(system), *counts, difference, NOT_TESTED]
    return [system_label(system), *counts, f"{difference} [{low:+.1f}, {high:+.1f}]", tested]


def _named(run: str, system: str) -> Words:
    """Return the name of a run's system in both languages."""
    korean, english = system_label(system)
    return f"{run} · {korean}", f"{run} · {english}"


def _plain(text: str) -> str:
    """Return a setting without the quotes and brackets of JSON."""
    try:
        value = load_json(text)
    except ValueError:
        return text
    if isinstance(value, list):
        return ", ".join(str(part) for part in value) or "–"
    return "–" if value is None else str(value) if isinstance(value, str) else text


def _plots(names: Sequence[str], results: Sequence[ScoresRecord]) -> list[Plot]:
    """Return the charts of multiple choice and free text with all systems of all runs."""
    fields: tuple[tuple[Literal["choice", "free"], Words], ...] = (
        ("choice", ("객관식 정답률", "Multiple-choice accuracy")),
        ("free", ("주관식 점수", "Free-text score")),
    )
    out = []
    for field, title in fields:
        found = [
            (_named(name, system), system, figure)
            for name, result in zip(names, results, strict=True)
            for system, one in result["systems"].items()
            if (figure := one[field])
        ]
        if found:
            out.append(_plot(field, title, found))
    return out


def _plot(field: str, title: Words, found: Sequence[tuple[Words, str, FigureRecord]]) -> Plot:
    """Return one chart; `found` are (label, system, figure)."""

    def draw(language: str) -> str:
        at = ("ko", "en").index(language)
        rows = [
            plots.Row(label[at], f["value"], f["low"], f["high"], system)
            for label, system, f in found
        ]
        return plots.score_plot(rows, f"compare-{field}-{language}")

    def text(language: str) -> str:
        at = ("ko", "en").index(language)
        return "; ".join(f"{label[at]} {100 * f['value']:.1f}" for label, _, f in found)

    note = ("선은 95% 신뢰 구간", "lines are 95% confidence intervals")
    return plot_of(title, note, both(text), draw)
