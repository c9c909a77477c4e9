"""Take hard questions: show them their evidence, run the solvers, and balance each kind.

The solvers see exactly what the prompt shows. A kind for which they stay better than chance is
marked *look-up*: it may be trained on, but it is not a test of reading.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

import numpy as np

from kofinlaw import Progress, silent
from kofinlaw.augment.balance import SMALLEST, balanced, excess, exchanged
from kofinlaw.augment.evidence_free import evidence_free_credits
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.reading.acts import Laws
from kofinlaw.augment.rewording.runs import Source, shares_run
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.data.solvers.solvers import Asked, Solvers

__all__ = [
    "BalanceFigures",
    "HardItems",
    "KindBalance",
    "ShownItem",
    "balance_table",
    "centre_scores",
    "copies_the_law",
    "lines_by_unit",
    "solver_credits",
    "take_hard",
]

# Questions that are shown their evidence and solved, for each one that is taken.
POOL = 4.0
# The group of kinds with too few questions to be balanced alone.
SMALL_KINDS = "small_kinds"
_PHASE = "augment: solvers"


class KindBalance(TypedDict):
    """Credit of the solvers on a kind before and after balancing (0 to 1), for `card.json`."""

    pool: int
    items: int
    hard: bool
    chance: float
    before: dict[str, float]
    after: dict[str, float]
    long_runs: float


BalanceFigures = dict[str, KindBalance]


@dataclass(frozen=True)
class ShownItem:
    """An item with the texts that its prompt shows."""

    item: Item
    texts: tuple[str, ...]


@dataclass
class HardItems:
    """The items taken, and the figures of each kind."""

    items: list[Item] = field(default_factory=list)
    figures: BalanceFigures = field(default_factory=dict)


def take_hard(
    shown: Sequence[ShownItem],
    count: int,
    weights: Mapping[str, float],
    rng: random.Random,
    progress: Progress = silent,
) -> HardItems:
    """Return about `count` items, balanced within each kind, polarity and number of options.

    They are fewer where the pool has no more; rounding of the cells may add a few.

    Cells with fewer than `SMALLEST` questions are balanced together with the other small cells of
    their kind, and so are all kinds with fewer.

    Args:
        shown: The pool, with the texts of its prompts.
        count: Number of items wanted; kinds share it by weight.
        weights: Weight of each kind.
        rng: Draws which questions are dropped.
        progress: Called with the phase and the done and all parts.
    """
    if not shown or count <= 0:
        return HardItems()
    credits = solver_credits(shown, progress)
    chances = [1 / len(row.item.options) for row in shown]
    values = excess(credits, chances)
    groups = _groups(shown)
    possible = {
        name: _balance_group(shown, rows, values, rng, None) for name, rows in groups.items()
    }
    sizes = {name: len(rows) for name, (rows, _) in possible.items()}
    shares = _shares(sizes, count, {name: _weight(name, shown, groups, weights) for name in groups})
    out = HardItems()
    for name, rows in groups.items():
        kept, reached = _balance_group(shown, rows, values, rng, shares[name])
        hard = reached and sizes[name] >= SMALLEST
        out.items += [replace(shown[i].item, hard=hard) for i in kept]
        out.figures[name] = {
            "pool": len(rows),
            "items": len(kept),
            "hard": hard,
            "chance": _mean([chances[i] for i in kept]),
            "before": _means(credits, rows),
            "after": _means(credits, kept),
            "long_runs": _mean([_long_run(shown[i]) for i in kept]),
        }
    rng.shuffle(out.items)
    return out


def lines_by_unit(laws: Laws) -> dict[str, tuple[str, ...]]:
    """Return the lines of each article, and those of the tables of each annex, by unit."""
    lines = {a.id: (a.heading, *a.text.split("\n")) for law in laws.acts for a in law.articles}
    for law in laws.acts:
        for table in law.tables:
            lines[table.unit] = (*lines.get(table.unit, ()), *table.header, *table.lines)
    return lines


def copies_the_law(draft: Draft, lines: Mapping[str, Sequence[str]]) -> bool:
    """Return whether the answer or the stem shares a long run of letters with the draft's units.

    `lines` are those of `lines_by_unit`.
    """
    source = Source(line for unit in draft.units for line in lines[unit])
    return any(shares_run(text, source) for text in (draft.answer, draft.stem))


def solver_credits(
    shown: Sequence[ShownItem], progress: Progress = silent
) -> list[dict[str, float]]:
    """Return the credit of every solver for each item, by the solver's name."""
    asked = [
        Asked(r.item.draft.stem, r.item.options, r.texts, r.item.draft.negative) for r in shown
    ]
    progress(_PHASE, 0, len(shown))
    solvers = Solvers()
    solvers.prepare(asked)
    guessed = evidence_free_credits([row.item for row in shown])
    out = []
    for done, (row, question) in enumerate(zip(shown, asked, strict=True)):
        if done and done % 200 == 0:
            progress(_PHASE, done, len(shown))
        out.append(
            {
                **solvers.credits(question, row.item.answer),
                "centre": credit_of(centre_scores(question.options), row.item.answer),
                "evidence_free": guessed[done],
            }
        )
    progress(_PHASE, len(shown), len(shown))
    return out


def centre_scores(options: Sequence[str]) -> list[float]:
    """Return how much of its bigrams each option shares with the others on average (0 to 1).

    Where each wrong option changes another slot of the key, the key is the option in the centre.
    """
    grams = [set(bigrams(option)) for option in options]
    return [
        round(
            sum(len(own & other) / max(len(own | other), 1) for other in grams if other is not own),
            9,
        )
        / max(len(options) - 1, 1)
        for own in grams
    ]


def balance_table(sets: Mapping[str, BalanceFigures]) -> list[str]:
    """Return the card's section: the best and each solver on every hard kind, before and after."""
    if not any(sets.values()):
        return []
    lines = [
        "## Hard questions",
        "",
        "Credit of trivial solvers that see what the prompt shows, before → after balancing. Kinds "
        "that stay above chance are marked look-up: they are no test of reading.",
        "",
    ]
    for name, figures in sets.items():
        solvers = sorted({solver for row in figures.values() for solver in row["after"]})
        lines += [
            f"| {name} | pool | items | sort | chance | {' | '.join(solvers)} | run > 12 |",
            "| --- | ---: | ---: | --- | ---: | " + "---: | " * len(solvers) + "---: |",
        ]
        for kind, row in figures.items():
            cells = [
                f"{row['before'].get(solver, 0):.2f} → {row['after'].get(solver, 0):.2f}"
                for solver in solvers
            ]
            sort = "hard" if row["hard"] else "look-up"
            lines.append(
                f"| {kind} | {row['pool']} | {row['items']} | {sort} | {row['chance']:.2f} | "
                f"{' | '.join(cells)} | {row['long_runs']:.0%} |"
            )
        lines.append("")
    return lines


def _groups(shown: Sequence[ShownItem]) -> dict[str, list[int]]:
    """Return the rows of each kind; kinds with fewer than `SMALLEST` rows are one group."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(shown):
        kinds[row.item.draft.kind].append(index)
    large = {kind: rows for kind, rows in sorted(kinds.items()) if len(rows) >= SMALLEST}
    small = [i for kind, rows in sorted(kinds.items()) if kind not in large for i in rows]
    return {**large, **({SMALL_KINDS: small} if small else {})}


def _weight(
    name: str,
    shown: Sequence[ShownItem],
    groups: Mapping[str, Sequence[int]],
    weights: Mapping[str, float],
) -> float:
    """Return the weight of a group: the sum over its kinds."""
    return sum(weights.get(kind, 0) for kind in {shown[i].item.draft.kind for i in groups[name]})


def _balance_group(
    shown: Sequence[ShownItem],
    rows: Sequence[int],
    values: np.ndarray,
    rng: random.Random,
    most: int | None,
) -> tuple[list[int], bool]:
    """Return the rows of a group to keep, and whether every solver is near chance on them."""
    cells: dict[tuple[bool, int], list[int]] = defaultdict(list)
    for index in rows:
        item = shown[index].item
        cells[item.draft.negative, len(item.options)].append(index)
    large = [cell for cell in cells.values() if len(cell) >= SMALLEST]
    small = [index for cell in cells.values() if len(cell) < SMALLEST for index in cell]
    groups = [*large, *([small] if small else [])]
    kept: list[int] = []
    for group in groups:
        limit = None if most is None else round(most * len(group) / max(len(rows), 1))
        found = balanced(values[group], rng, most=limit)
        kept += [group[i] for i in found.kept]
    # Small deviations of the cells may add up, and a small cell can hardly be balanced alone.
    cell_of = {index: name for name, cell in cells.items() for index in cell}
    places = {index: place for place, index in enumerate(rows)}
    found_places, reached = exchanged(
        values[list(rows)], [places[i] for i in kept], [cell_of[i] for i in rows]
    )
    if reached:
        return sorted(rows[place] for place in found_places), True
    whole = balanced(values[kept], rng)
    left = [kept[i] for i in whole.kept]
    return (sorted(left), True) if whole.reached else (sorted(kept), False)


def _shares(sizes: Mapping[str, int], count: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Return how many items each kind gives: by weight, and no more than it has."""
    out = dict.fromkeys(sizes, 0)
    for _ in range(min(count, sum(sizes.values()))):
        open_kinds = [
            kind for kind in sizes if out[kind] < sizes[kind] and weights.get(kind, 0) > 0
        ]
        if not open_kinds:
            break
        kind = min(open_kinds, key=lambda k: ((out[k] + 1) / weights[k], k))
        out[kind] += 1
    return out


def _long_run(row: ShownItem) -> float:
    """Return 1 where the key or the stem shares a long run with the shown text, else 0."""
    source = Source(line for text in row.texts for line in text.split("\n"))
    return float(any(shares_run(t, source) for t in (row.item.right, row.item.draft.stem)))


def _means(credits: Sequence[Mapping[str, float]], rows: Sequence[int]) -> dict[str, float]:
    names = sorted(credits[0]) if credits else []
    return {name: _mean([credits[i][name] for i in rows]) for name in names}


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
