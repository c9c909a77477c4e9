"""Compute the figures of rated exams: accuracy by slice, and paired tests with the best solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kofinlaw.scoring.exams.exam_record import (
    EXAMS_SCHEMA,
    ExamComparison,
    ExamRecord,
    ExamRow,
    ExamsRecord,
)
from kofinlaw.scoring.exams.rate_exam import RatedExam
from kofinlaw.scoring.result import figure_record
from kofinlaw.scoring.scores_record import FigureRecord
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure
from kofinlaw.scoring.stats.paired import paired_difference, sign_flip_p
from kofinlaw.scoring.stats.slices import slices_of

__all__ = ["COMPARED_SLICES", "best_solver", "exam_pairs", "exam_record", "exams_record"]

# A system must not win on one kind of stem what it loses on the other.
COMPARED_SLICES = ("positive", "negative", "rows:odd", "rows:even")
FEWEST = 5  # questions of a slice that gets a figure


def exams_record(rated: Sequence[RatedExam], settings: ScoreSettings, seed: int = 0) -> ExamsRecord:
    """Return the figures of all exams, and the tests over the questions of all of them.

    Args:
        rated: One or more exams with the same systems.
        settings: Level and samples of the intervals.
        seed: Of the bootstrap.
    """
    names = [n for n in rated[0].systems if all(n in one.systems for one in rated)]
    pooled = []
    if len(rated) > 1:
        for a, b in exam_pairs(names):
            pooled.append(_pooled(rated, a, b, settings, seed))
        for name in names:
            if all(_solvers_of(one, name) for one in rated):
                pooled.append(_pooled(rated, "", name, settings, seed))
    return {
        "schema": EXAMS_SCHEMA,
        "confidence": settings.confidence,
        "seeds": max(one.seeds for one in rated),
        "exams": [exam_record(one, settings, seed) for one in rated],
        "pooled": pooled,
    }


def exam_record(rated: RatedExam, settings: ScoreSettings, seed: int = 0) -> ExamRecord:
    """Return the figures of one exam: rows of systems and solvers, and their comparisons.

    A system with evidence is compared with the best of all solvers that read the same evidence or
    none, another one with the best solver that reads none.
    """
    members = _members(rated)
    best = {name: best_solver(rated, name) for name in rated.systems}
    rows: list[ExamRow] = []
    for kind, group in (("system", rated.systems), ("solver", rated.solvers)):
        for name, credit in group.items():
            slices = {
                slice_name: figure
                for slice_name, ids in members.items()
                if len(ids) >= FEWEST and (figure := _figure(credit, ids, settings, seed))
            }
            everything = _figure(credit, [q.id for q in rated.questions], settings, seed)
            assert everything is not None  # an exam has questions
            rows.append(
                {
                    "name": name,
                    "kind": kind,
                    "best": name in best.values(),
                    "reads": list(rated.reads.get(name, ())),
                    "all": everything,
                    "slices": slices,
                }
            )
    compared = [
        (a, b, rated.systems[a], rated.systems[b]) for a, b in exam_pairs(list(rated.systems))
    ]
    compared += [(best[b], b, rated.solvers[best[b]], rated.systems[b]) for b in rated.systems]
    parts = [s for s in (*COMPARED_SLICES, rated.pooled_slice) if len(members.get(s, ())) > 1]
    return {
        "name": rated.name,
        "n": len(rated.questions),
        "slices": {name: len(ids) for name, ids in members.items()},
        "rows": rows,
        "comparisons": [
            _comparison(
                a, b, part, [(one[i], two[i]) for i in _ids(rated, members, part)], settings, seed
            )
            for a, b, one, two in compared
            for part in ("", *parts)
        ],
        "plans": {name: dict(plans) for name, plans in rated.plans.items()},
        "unreadable": {name: len(ids) for name, ids in rated.unreadable.items()},
    }


def exam_pairs(systems: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of systems that are compared: without and with evidence, searched and gold
    evidence, and the first model against every other one with the same evidence.
    """
    pairs = []
    for before, after in (("", "-rag"), ("", "-gold"), ("-rag", "-gold")):
        for name in systems:
            other = f"{name.removesuffix(before)}{after}"
            if _evidence(name) == before and other in systems:
                pairs.append((name, other))
    for kind in ("", "-rag", "-gold"):
        group = [name for name in systems if _evidence(name) == kind]
        pairs += [(group[0], other) for other in group[1:]]
    return pairs


def _evidence(system: str) -> str:
    """Return the end of a system's name that says which evidence it reads; empty for none."""
    return next((end for end in ("-rag", "-gold") if system.endswith(end)), "")


def best_solver(rated: RatedExam, system: str, ids: Iterable[str] | None = None) -> str:
    """Return the solver with the most credit of those that read the evidence of `system` or none.

    `ids` are the questions that count; None: all.
    """
    counted = [q.id for q in rated.questions] if ids is None else list(ids)
    names = _solvers_of(rated, system) or [n for n, reads in rated.reads.items() if not reads]
    return max(names, key=lambda name: (sum(rated.solvers[name][i] for i in counted), name))


def _solvers_of(rated: RatedExam, system: str) -> list[str]:
    """Return the solvers that a system with evidence is compared with; empty without evidence."""
    if not any(system in reads for reads in rated.reads.values()):
        return []
    return [name for name, reads in rated.reads.items() if not reads or system in reads]


def _members(rated: RatedExam) -> dict[str, list[str]]:
    """Return the question ids of each slice, in alphabetical order of the slices."""
    found: dict[str, list[str]] = {}
    for question in rated.questions:
        for name in slices_of(question, rated.keys[question.id]):
            found.setdefault(name, []).append(question.id)
    return dict(sorted(found.items()))


def _ids(rated: RatedExam, members: Mapping[str, list[str]], part: str) -> Iterable[str]:
    return members[part] if part else [q.id for q in rated.questions]


def _figure(
    credit: Mapping[str, float], ids: Iterable[str], settings: ScoreSettings, seed: int
) -> FigureRecord | None:
    figure = mean_figure(
        [credit[i] for i in ids],
        samples=settings.bootstrap_samples,
        confidence=settings.confidence,
        seed=seed,
    )
    return figure_record(figure) if figure else None


def _pooled(
    rated: Sequence[RatedExam], a: str, b: str, settings: ScoreSettings, seed: int
) -> ExamComparison:
    """Compare `b` with `a` over the pooled slices of all exams; empty `a`: each best solver."""
    pairs: list[tuple[float, float]] = []
    for one in rated:
        ids = list(_ids(one, _members(one), one.pooled_slice))
        before = one.systems[a] if a else one.solvers[best_solver(one, b, ids)]
        pairs += [(before[i], one.systems[b][i]) for i in ids]
    return _comparison(a or "best solver", b, "", pairs, settings, seed)


def _comparison(
    a: str,
    b: str,
    part: str,
    pairs: Sequence[tuple[float, float]],
    settings: ScoreSettings,
    seed: int,
) -> ExamComparison:
    before, after = [x for x, _ in pairs], [y for _, y in pairs]
    difference, low, high = paired_difference(
        before,
        after,
        samples=settings.bootstrap_samples,
        confidence=settings.confidence,
        seed=seed,
    )
    return {
        "a": a,
        "b": b,
        "slice": part,
        "n": len(pairs),
        "difference": difference,
        "low": low,
        "high": high,
        "only_a": sum(x > y for x, y in pairs),
        "only_b": sum(x < y for x, y in pairs),
        "p_value": sign_flip_p([y - x for x, y in pairs], seed=seed),
    }
