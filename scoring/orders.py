"""Measure whether a model keeps its answer when the options are permuted.

Reads `plan.jsonl` of an answering run with `answer.permutations` above 1. Turn 0 shows the options
in their own order; every later turn rotates them by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.records import Key, Question
from kofinlaw.scoring.result import figure_record
from kofinlaw.scoring.scores_record import FigureRecord, OrdersRecord
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure

__all__ = ["OptionScores", "best_of", "order_figures", "read_option_scores"]

OptionScores = dict[str, dict[int, list[float]]]  # by question id and turn


def read_option_scores(folder: Path) -> OptionScores:
    """Read the option scores, in the question's own order, by question and turn.

    Only turns that scored the options count; a turn with generated text is not a permutation.
    Empty if the folder has no plan.jsonl.
    """
    found: OptionScores = defaultdict(dict)
    try:
        rows = [row for _, row in read_json_lines(folder / "plan.jsonl")]
    except (UserError, OSError):
        return {}
    for row in rows:
        scores, turn = row.get("scores"), row.get("turn")
        if isinstance(scores, list) and scores and isinstance(turn, int) and not row.get("text"):
            found[str(row.get("id"))].setdefault(turn, [float(s) for s in scores])
    return dict(found)


def order_figures(
    option_scores: OptionScores,
    questions: Sequence[Question],
    golds: Mapping[str, Key],
    settings: ScoreSettings,
    *,
    seed: int = 0,
) -> OrdersRecord | None:
    """Return figures over the multiple-choice questions that were asked in two orders or more.

    None if there is no such question. The figures are:

    - `plain`: accuracy with the options in their own order;
    - `permuted`: mean accuracy of the other orders;
    - `averaged`: accuracy of the option scores averaged over the orders;
    - `consistent`: share of questions for which every order selects the same option;
    - `by_chance`: the share that guessing would reach;
    - `orders`: the largest number of orders of a question;
    - `gained`, `lost`: questions that averaging makes right, or wrong.
    """
    plain, permuted, averaged, consistent, chance = [], [], [], [], []
    most = 0
    for question in questions:
        turns = option_scores.get(question.id, {})
        if question.id not in golds or 0 not in turns or not question.options:
            continue
        turns = {turn: s for turn, s in turns.items() if turn < len(question.options)}
        rows = [turns[turn] for turn in sorted(turns)]
        if len(rows) < 2 or any(len(row) != len(question.options) for row in rows):
            continue
        gold = set(golds[question.id].indices)
        chosen = [best_of(row) for row in rows]
        mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        plain.append(float(chosen[0] in gold))
        permuted.append(sum(one in gold for one in chosen[1:]) / (len(chosen) - 1))
        averaged.append(float(best_of(mean) in gold))
        consistent.append(float(len(set(chosen)) == 1))
        chance.append(len(question.options) ** (1 - len(rows)))
        most = max(most, len(rows))
    if not plain:
        return None

    def figure(values: Sequence[float]) -> FigureRecord:
        found = mean_figure(
            list(values),
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        )
        assert found is not None  # there are values
        return figure_record(found)

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
    """Return the index of the largest score; the first of equal ones."""
    return max(range(len(scores)), key=lambda index: (scores[index], -index))
