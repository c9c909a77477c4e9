"""Score twins: both right and each right by model, by chance and by solvers on the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kofinlaw.data.solvers.solvers import Asked, Solvers
from kofinlaw.files import read_jsonl
from kofinlaw.records import TwinQuestion
from kofinlaw.scoring.answers import read_answers
from kofinlaw.scoring.metrics.fsku import label_of
from kofinlaw.scoring.metrics.twins import twin_score
from kofinlaw.scoring.twins.twin_record import ModelTwins, TwinsRecord

__all__ = ["twins_record"]


def twins_record(questions: Path, folders: Mapping[str, Path]) -> TwinsRecord | None:
    """Return the figures of the twins in `questions`; None without pairs.

    Args:
        questions: `heldout_twins.jsonl`.
        folders: answer folders by model.
    """
    asked = list(read_jsonl(questions, TwinQuestion))
    known = {question.id: question for question in asked}
    pairs = [(q, known[q.twin]) for q in asked if q.twin in known and q.id < q.twin]
    if not pairs:
        return None
    models: dict[str, ModelTwins] = {}
    for model, folder in folders.items():
        sheet = read_answers(folder / "answers.jsonl")
        given = {
            name: label_of(answer.answer, known[name].options)
            for name, answer in sheet.answers.items()
            if name in known
        }
        score = twin_score(asked, given)
        models[model] = {
            "both": score.both / score.pairs,
            "each": (2 * score.both + score.one) / (2 * score.pairs),
            "unmoved": score.unmoved / score.pairs,
        }
    chance = sum(1 / (len(a.options) * len(b.options)) for a, b in pairs) / len(pairs)
    return {
        "pairs": len(pairs),
        "chance": chance,
        "models": models,
        "solvers": _solvers(pairs),
    }


def _solvers(pairs: Sequence[tuple[TwinQuestion, TwinQuestion]]) -> dict[str, float]:
    solvers = Solvers()
    rows = [
        tuple(
            (Asked(q.question, q.options, q.evidence, q.negative), int(q.answer) - 1) for q in pair
        )
        for pair in pairs
    ]
    solvers.prepare(asked for row in rows for asked, _ in row)
    sums = dict.fromkeys(solvers.names, 0.0)
    for row in rows:
        first, second = (solvers.credits(asked, answer) for asked, answer in row)
        for name in sums:
            sums[name] += first[name] * second[name]
    return {name: value / len(pairs) for name, value in sums.items()}
