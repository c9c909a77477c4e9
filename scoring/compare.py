"""Compare systems and runs on the same items: what differs, and whether it could be chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import cast

from kofinlaw import UserError
from kofinlaw.commands import again_command, command_line, stage_command
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import read_jsonl, stage_folders
from kofinlaw.scoring.claims import unequal_plans
from kofinlaw.scoring.markdown import percent
from kofinlaw.scoring.result import (
    Against,
    Item,
    Pair,
    Scores,
    SmallestDifference,
    pair_record,
)
from kofinlaw.scoring.scores_record import SCHEMA, ScoreName, ScoresRecord
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.baselines import Baseline
from kofinlaw.scoring.stats.paired import (
    holm,
    mcnemar_exact,
    paired_difference,
    smallest_detectable,
)
from kofinlaw.tolerant_files import read_json

__all__ = [
    "changed_lines",
    "changed_settings",
    "compare_all_pairs",
    "compare_items",
    "compare_runs",
    "compare_systems",
    "compare_with_baseline",
    "compare_with_baselines",
    "distinct_names",
    "pair_lines",
    "pair_rows",
    "paired_facts",
    "paired_values",
    "read_run",
    "require_schema",
    "run_pairs",
    "settings_of",
    "smallest_of",
]

_COLUMNS: tuple[ScoreName, ...] = ("choice", "free", "blend")


def smallest_of(pair: Pair, settings: ScoreSettings) -> SmallestDifference:
    """Return the smallest difference that the items of this pair can show."""
    share = (pair.only_a + pair.only_b) / pair.n if pair.n else 0.0
    return smallest_detectable(pair.n, alpha=settings.alpha, discordant=share or None)


def compare_all_pairs(
    scored: Sequence[Scores], *, settings: ScoreSettings, seed: int = 0
) -> list[Pair]:
    """Compare every two systems on their common items, in the order given."""
    pairs = [
        compare_systems(a, b, settings=settings, seed=seed) for a, b in combinations(scored, 2)
    ]
    adjusted = holm([pair.p_value for pair in pairs])
    return [replace(pair, p_holm=p) for pair, p in zip(pairs, adjusted, strict=True)]


def compare_systems(a: Scores, b: Scores, *, settings: ScoreSettings, seed: int = 0) -> Pair:
    """Compare `b` with `a` on their common items: exact McNemar test and paired bootstrap.

    Differences are b − a, in −1..1, for multiple choice and free text each. Raises nothing: without
    common items a comparison has n = 0.
    """
    return compare_items(a.system, a.items, b.system, b.items, settings=settings, seed=seed)


def compare_items(
    a: str,
    items_a: Sequence[Item],
    b: str,
    items_b: Sequence[Item],
    *,
    settings: ScoreSettings,
    seed: int = 0,
) -> Pair:
    """Compare two systems by their items; only ids that both have count."""
    one, two = paired_values(items_a, items_b, "choice")
    free_one, free_two = paired_values(items_a, items_b, "free")
    facts_one, facts_two = paired_facts(items_a, items_b)
    only_a = sum(x > y for x, y in zip(one, two, strict=True))
    only_b = sum(x < y for x, y in zip(one, two, strict=True))
    both = sum(x == y == 1 for x, y in zip(one, two, strict=True))

    def difference(x: list[float], y: list[float]) -> tuple[float, float, float] | None:
        if not x:
            return None
        return paired_difference(
            x, y, samples=settings.bootstrap_samples, confidence=settings.confidence, seed=seed
        )

    plans = {item.id: item.plan for item in items_b if item.plan}
    other_plans = sum(
        bool(item.plan) and plans.get(item.id, item.plan) != item.plan for item in items_a
    )
    choice = difference(one, two) or (0.0, 0.0, 0.0)
    free = difference(free_one, free_two)
    facts = difference(facts_one, facts_two)
    p_value = mcnemar_exact(only_a, only_b)
    return Pair(
        a=a,
        b=b,
        n=len(one),
        both=both,
        only_a=only_a,
        only_b=only_b,
        neither=len(one) - both - only_a - only_b,
        difference=choice[0],
        low=choice[1],
        high=choice[2],
        p_value=p_value,
        p_holm=p_value,
        free_n=len(free_one),
        free_difference=free[0] if free else None,
        free_low=free[1] if free else None,
        free_high=free[2] if free else None,
        other_plans=other_plans,
        facts_n=len(facts_one),
        facts_difference=facts[0] if facts else None,
        facts_low=facts[1] if facts else None,
        facts_high=facts[2] if facts else None,
    )


def compare_with_baselines(
    scored: Sequence[Scores],
    baselines: Sequence[Baseline],
    *,
    settings: ScoreSettings,
    seed: int = 0,
) -> list[Against]:
    """Compare every system with each baseline that read the system's evidence or none."""
    return [
        compare_with_baseline(one, baseline, settings=settings, seed=seed)
        for one in scored
        for baseline in baselines
        if one.choice is not None and (not baseline.systems or one.system in baseline.systems)
    ]


def compare_with_baseline(
    scores: Scores, baseline: Baseline, *, settings: ScoreSettings, seed: int = 0
) -> Against:
    """Compare a system with a baseline on the multiple-choice items that both have.

    The exact McNemar test needs one answer to each item, so a hash of item and option breaks the
    baseline's ties. The difference and its interval use the shared credit.
    """
    items = [i for i in scores.items if i.kind == "choice" and i.id in baseline.credits]
    system = [float(item.score or 0) for item in items]
    right = [baseline.right[item.id] for item in items]
    only_system = sum(s == 1 and not r for s, r in zip(system, right, strict=True))
    only_baseline = sum(s == 0 and r for s, r in zip(system, right, strict=True))
    difference = (0.0, 0.0, 0.0)
    if items:
        difference = paired_difference(
            [baseline.credits[item.id] for item in items],
            system,
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        )
    return Against(
        system=scores.system,
        baseline=baseline.name,
        n=len(items),
        only_system=only_system,
        only_baseline=only_baseline,
        tied=baseline.tied,
        difference=difference[0],
        low=difference[1],
        high=difference[2],
        p_value=mcnemar_exact(only_baseline, only_system),
    )


def paired_values(
    a: Sequence[Item], b: Sequence[Item], kind: str
) -> tuple[list[float], list[float]]:
    """Return the item scores of one kind for the ids that both have, in the order of `a`."""
    other = {i.id: i.score for i in b if i.kind == kind and i.score is not None}
    pairs = [
        (item.score, other[item.id])
        for item in a
        if item.kind == kind and item.score is not None and item.id in other
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]


def paired_facts(a: Sequence[Item], b: Sequence[Item]) -> tuple[list[float], list[float]]:
    """Return the key-fact scores of the ids that both have one for, in the order of `a`."""
    other = {item.id: item.facts for item in b if item.facts is not None}
    pairs = [
        (item.facts, other[item.id]) for item in a if item.facts is not None and item.id in other
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]


def compare_runs(runs: Sequence[Path]) -> str:
    """Return a comparison of runs as Markdown: scores, paired tests and changed settings.

    Every run is compared with the first one: each system with the system of the same name, on the
    items that both runs asked (same id and same gold). Raises UserError if a run has not been
    scored.
    """
    results = [read_run(run) for run in runs]
    names = distinct_names(runs)
    lines = ["| run | system | choice % | free % | blend % | p50 s |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, (result, _) in zip(names, results, strict=True):
        for system, one in result["systems"].items():
            pace = f"{one['seconds']['p50']:.2f}" if one["seconds"] else "–"
            figures = (percent(one[part]) for part in _COLUMNS)
            lines.append("| " + " | ".join([name, system, *figures, pace]) + " |")
    for name, (result, items) in list(zip(names, results, strict=True))[1:]:
        lines += ["", f"## {names[0]} → {name}", ""]
        lines += pair_lines(results[0][1], items, ScoreSettings(**result["settings"]))
        lines += ["", *changed_lines(runs[0], runs[names.index(name)])]
    return "\n".join(lines) + "\n"


def distinct_names(runs: Sequence[Path]) -> list[str]:
    """Return the folders' names, with as many parents as it takes to make them distinct."""
    paths = [run.resolve() for run in runs]
    for depth in range(1, 1 + max(len(path.parts) for path in paths)):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{path.name} ({number})" for number, path in enumerate(paths, 1)]


def read_run(run: Path) -> tuple[ScoresRecord, dict[str, list[Item]]]:
    """Return a run's scores and its items by system; raises UserError if it is not scored."""
    folder = run / "score" if (run / "score").is_dir() else run
    path = folder / "scores.json"
    if not path.exists():
        raise UserError(
            "this run has not been scored",
            where=str(run),
            remedy=f"score it with `{stage_command('score', run)}`",
        )
    try:
        read = load_json(path.read_text(encoding="utf-8"))
        result = cast("ScoresRecord", dict(read))
    except (OSError, ValueError, TypeError) as error:
        raise_if_machine(error, path)
        raise UserError(
            f"the scores cannot be read: {error}",
            where=str(path),
            remedy=f"score the run again with `{again_command('score', folder.parent)}`",
        ) from error
    require_schema(result, run)
    items: dict[str, list[Item]] = {}
    for item in read_jsonl(folder / "items.jsonl", Item):
        items.setdefault(item.system, []).append(item)
    return result, items


def pair_lines(
    first: Mapping[str, Sequence[Item]],
    second: Mapping[str, Sequence[Item]],
    settings: ScoreSettings,
) -> list[str]:
    """Return the paired tests of the systems that two runs share, as a Markdown table."""
    head, *rows = pair_rows(first, second, settings)
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def require_schema(scores: ScoresRecord, run: Path) -> None:
    """Raise UserError if the scores of a run were written by a version with another schema."""
    if scores.get("schema") != SCHEMA:
        out = run / "score"
        raise UserError(
            f"the scores have another schema: {scores.get('schema')}, not {SCHEMA}",
            where=str(out / "scores.json"),
            remedy=f"score the answers again with `{command_line('score', run, '--out', out)}`",
        )


def pair_rows(
    first: Mapping[str, Sequence[Item]],
    second: Mapping[str, Sequence[Item]],
    settings: ScoreSettings,
) -> list[list[str]]:
    """Return the paired tests of the systems that two runs share; the first row is the heading."""
    rows = [["system", "items", "only first", "only second", "difference, points", "p"]]
    for system, pair in run_pairs(first, second, settings):
        low, high = 100 * pair.low, 100 * pair.high
        difference = f"{100 * pair.difference:+.1f} [{low:+.1f}, {high:+.1f}]"
        counts = [str(pair.n), str(pair.only_a), str(pair.only_b)]
        tested = f"{pair.p_value:.4f}"
        if unequal_plans(pair_record(pair)):
            difference = f"{100 * pair.difference:+.1f}"
            tested = f"not tested: {pair.other_plans} items under different plans"
        rows.append([system, *counts, difference, tested])
    return rows


def run_pairs(
    first: Mapping[str, Sequence[Item]],
    second: Mapping[str, Sequence[Item]],
    settings: ScoreSettings,
) -> list[tuple[str, Pair]]:
    """Compare each system that two runs share on the items with the same id and gold."""
    out = []
    for system in first:
        if system not in second:
            continue
        golds = {(item.id, item.gold) for item in second[system]}
        common = [item for item in first[system] if (item.id, item.gold) in golds]
        pair = compare_items(system, common, system, second[system], settings=settings)
        out.append((system, pair))
    return out


def changed_lines(first: Path, second: Path) -> list[str]:
    """Return the settings in which the stages of two runs differ, one key per line."""
    rows = [f"- {key}: {one} → {two}" for key, one, two in changed_settings(first, second)]
    return rows or ["No setting differs."]


def changed_settings(first: Path, second: Path) -> list[tuple[str, str, str]]:
    """Return (dotted key, before, after) of every setting in which two runs' stages differ."""
    before, after = settings_of(first), settings_of(second)
    keys = [*before, *(key for key in after if key not in before)]
    return [
        (key, before.get(key, "–"), after.get(key, "–"))
        for key in keys
        if before.get(key) != after.get(key)
    ]


def settings_of(run: Path) -> dict[str, str]:
    """Return every setting of a run's stages, as JSON text by dotted key."""
    out: dict[str, str] = {}

    def walk(value: object, prefix: str) -> None:
        if isinstance(value, dict) and value:
            for key, item in value.items():
                walk(item, f"{prefix}.{key}" if prefix else key)
        else:
            out[prefix] = json.dumps(value, ensure_ascii=False)

    for folder in stage_folders(run):
        walk((read_json(folder / "stage.json") or {}).get("settings") or {}, "")
    return out
