"""Answer the same questions several times, as the contest's organiser does."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import read_jsonl, write_json
from kofinlaw.rag.answer.answer_book import AnsweringResult
from kofinlaw.rag.answer.free_text import similarity
from kofinlaw.records import Answer, Question

__all__ = ["Repeats", "Spread", "repeat"]


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation (0 for a single value), smallest and largest value."""

    mean: float
    deviation: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3g} ± {self.deviation:.2g} ({self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class Repeats:
    """How much several runs over the same questions agree.

    `minutes` are those of a run, `fallback` its answers that are not the model's. `agreement` is
    the share of multiple-choice questions with the same answer in two runs, `text_similarity` the
    mean similarity of their free-text answers, both 0..1 and averaged over pairs of runs.
    `accuracy` is that of multiple choice, None without a key. A figure that no question gives is
    None.
    """

    runs: int
    minutes: Spread
    fallback: Spread
    agreement: float | None
    text_similarity: float | None
    accuracy: Spread | None

    def lines(self) -> list[str]:
        """Return the figures as sentences."""
        out = [f"{self.runs} runs: {self.minutes} minutes, {self.fallback} rows not the model's"]
        if self.accuracy is not None:
            out.append(f"multiple-choice accuracy: {self.accuracy}")
        if self.agreement is not None:
            out.append(
                f"multiple-choice questions with the same answer in two runs: {self.agreement:.1%}"
            )
        if self.text_similarity is not None:
            out.append(
                f"similarity of the free-text answers of two runs: {self.text_similarity:.1%}"
            )
        return out


def repeat(
    answer_once: Callable[[Path], AnsweringResult],
    questions: Sequence[Question],
    out: Path,
    runs: int,
    *,
    labels: Mapping[str, str] | None = None,
) -> Repeats:
    """Answer into `out/run-1` ... `out/run-N` and write `out/repeats.json`.

    `answer_once` answers all questions into a folder. `labels` are the correct labels by question
    id, several with commas. A second start does not repeat a complete run, because
    `answer_questions` resumes where it stopped. Raises UserError for fewer than two runs.
    """
    if runs < 2:
        raise UserError("a spread needs two runs or more", where="--runs")
    folders = [out / f"run-{number}" for number in range(1, runs + 1)]
    counts = [answer_once(folder) for folder in folders]
    answers = [
        {answer.id: answer.answer for answer in read_jsonl(folder / "answers.jsonl", Answer)}
        for folder in folders
    ]
    choices = [question.id for question in questions if question.options]
    free = [question.id for question in questions if not question.options]
    pairs = list(itertools.combinations(answers, 2))
    labelled = [i for i in choices if labels is not None and i in labels]
    result = Repeats(
        runs=runs,
        minutes=_spread([count.seconds_used / 60 for count in counts]),
        fallback=_spread([count.fallback for count in counts]),
        agreement=_mean([float(a[i] == b[i]) for a, b in pairs for i in choices]),
        text_similarity=_mean([similarity(a[i], b[i]) for a, b in pairs for i in free]),
        accuracy=_spread(
            [_mean([float(a[i] in labels[i].split(",")) for i in labelled]) or 0.0 for a in answers]
        )
        if labels is not None and labelled
        else None,
    )
    write_json(out / "repeats.json", asdict(result))
    return result


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _spread(values: Sequence[float]) -> Spread:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return Spread(statistics.fmean(values), deviation, min(values), max(values))
