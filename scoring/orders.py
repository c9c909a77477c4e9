"""A run with permuted options beside the plain one: does the model choose the text or the place?

Reads `plan.jsonl` of an answering run with `answer.permutations` above 1: turn 0 shows the options
as they stand, every later order moves them round by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.records import Key, Question, to_json
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure

Picks = dict[str, dict[int, list[float]]]


def read_picks(folder: Path) -> Picks:
    """Option scores (in the question's own order) by question and turn; empty without a plan.

    Only turns that scored the options count: what was written after reasoning is no permutation.
    """
    picks: Picks = defaultdict(dict)
    try:
        rows = [row for _, row in read_json_lines(folder / "plan.jsonl")]
    except (UserError, OSError):
        return {}
    for row in rows:
        scores, turn = row.get("scores"), row.get("turn")
        if isinstance(scores, list) and scores and isinstance(turn, int) and not row.get("text"):
            picks[str(row.get("id"))].setdefault(turn, [float(s) for s in scores])
    return dict(picks)


def order_figures(
    picks: Picks,
    questions: Sequence[Question],
    golds: Mapping[str, Key],
    settings: ScoreSettings,
    *,
    seed: int = 0,
) -> dict[str, Any] | None:
    """Figures over the multiple-choice questions asked in two orders or more; None without any.

    `plain` is the accuracy of the order as it stands, `permuted` the mean accuracy of the other
    orders, `averaged` of the orders' mean; `consistent` is the share of questions whose every order
    picks the same option, and `by_chance` what guessing would reach. `orders` is the most used.
    """
    plain, permuted, averaged, consistent, chance = [], [], [], [], []
    most = 0
    for question in questions:
        turns = picks.get(question.id, {})
        if question.id not in golds or 0 not in turns or not question.options:
            continue
        turns = {turn: s for turn, s in turns.items() if turn < len(question.options)}
        rows = [turns[turn] for turn in sorted(turns)]
        if len(rows) < 2 or any(len(row) != len(question.options) for row in rows):
            continue
        gold = int(golds[question.id].answer) - 1
        chosen = [best_of(row) for row in rows]
        mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        plain.append(float(chosen[0] == gold))
        permuted.append(sum(one == gold for one in chosen[1:]) / (len(chosen) - 1))
        averaged.append(float(best_of(mean) == gold))
        consistent.append(float(len(set(chosen)) == 1))
        chance.append(len(question.options) ** (1 - len(rows)))
        most = max(most, len(rows))
    if not plain:
        return None

    def figure(values: Iterable[float]) -> dict[str, Any]:
        found = mean_figure(
            list(values),
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        )
        return to_json(found)

    return {
        "n": len(plain),
        "orders": most,
        "plain": figure(plain),
        "permuted": figure(permuted),
        "averaged": figure(averaged),
        "consistent": figure(consistent),
        "by_chance": sum(chance) / len(chance),
        "gained": sum(a > p for a, p in zip(averaged, plain, strict=True)),
        "lost": sum(a < p for a, p in zip(averaged, plain, strict=True)),
    }


def best_of(scores: Sequence[float]) -> int:
    """Place of the largest score, the first of equals."""
    return max(range(len(scores)), key=lambda place: (scores[place], -place))
