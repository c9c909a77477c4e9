"""Compare systems with the best solver on hard and on look-up questions apart.

A generated question is `hard` if trivial solvers were balanced to chance on its kind, else
`look_up` (`Key.slices`). The best solver of one sort need not be the best of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kofinlaw.records import Key
from kofinlaw.scoring.compare import compare_with_baseline
from kofinlaw.scoring.result import Scores, against_record, figure_record
from kofinlaw.scoring.scores_record import AgainstRecord, SortRecord
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.baselines import Baseline
from kofinlaw.scoring.stats.intervals import mean_figure

__all__ = ["HEADLINE_ITEMS", "SORTS", "sort_records"]

SORTS = ("hard", "look_up")
# The report shows the hard questions before the other scores if there are at least so many.
HEADLINE_ITEMS = 30


def sort_records(
    scored: Sequence[Scores],
    baselines: Sequence[Baseline],
    keys: Mapping[str, Key],
    *,
    settings: ScoreSettings,
    seed: int,
) -> dict[str, SortRecord]:
    """Return the figures of each sort that has questions.

    Args:
        scored: the systems with their items.
        baselines: the baselines of multiple choice, with their credit by question.
        keys: the keys by question id; their slices name the sort.
        settings: of intervals.
        seed: of intervals.
    """
    out: dict[str, SortRecord] = {}
    for sort in SORTS:
        ids = {name for name, key in keys.items() if sort in key.slices}
        systems = {}
        best: dict[str, AgainstRecord] = {}
        for one in scored:
            items = tuple(i for i in one.items if i.kind == "choice" and i.id in ids)
            figure = mean_figure(
                [float(item.score or 0) for item in items],
                samples=settings.bootstrap_samples,
                confidence=settings.confidence,
                seed=seed,
            )
            if figure is None:
                continue
            systems[one.system] = figure_record(figure)
            found = _best_of(one.system, baselines, ids)
            if found is not None:
                against = compare_with_baseline(
                    replace(one, items=items), found, settings=settings, seed=seed
                )
                best[one.system] = against_record(against)
        if systems:
            out[sort] = {
                "n": max(figure["n"] for figure in systems.values()),
                "systems": systems,
                "best": best,
            }
    return out


def _best_of(system: str, baselines: Sequence[Baseline], ids: set[str]) -> Baseline | None:
    """Return the baseline with the most credit on these questions, of those that read what the
    system was shown or nothing; None without any.
    """
    found = [
        one
        for one in baselines
        if (not one.systems or system in one.systems) and ids & one.credits.keys()
    ]
    return max(
        found,
        key=lambda one: sum(one.credits.get(name, 0.0) for name in sorted(ids)),
        default=None,
    )
