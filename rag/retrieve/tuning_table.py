"""Define the trials of a tuning run, and format them as rows and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from kofinlaw.rag.retrieve.priors import CORPUS_WEIGHTS
from kofinlaw.rag.settings import RagSettings
from kofinlaw.texts import markdown_text

__all__ = ["Trial", "Tuned", "as_markdown"]


@dataclass(frozen=True)
class Trial:
    """One setting that was tried: what was varied, its recall at `k` and its MRR (both 0..1)."""

    name: str
    settings: RagSettings
    k: int
    recall: float
    mrr: float

    def row(self) -> dict[str, str | float | None]:
        """Return the trial as a row of the table."""
        settings, weights = self.settings, self.settings.weights
        return {
            "name": self.name,
            "alpha": settings.alpha,
            "bigram": weights.bigram if settings.lexical == "both" else None,
            "case_votes": settings.case_votes,
            "fusion": settings.fusion,
            "forms": "+".join(settings.query_forms),
            **{prior: getattr(weights, prior) for prior in CORPUS_WEIGHTS},
            f"recall@{self.k}": self.recall,
            "mrr": self.mrr,
        }


@dataclass(frozen=True)
class Tuned:
    """The chosen settings, all trials in order, and the recall of the chosen settings by k."""

    settings: RagSettings
    trials: tuple[Trial, ...]
    recall_at: dict[int, float]

    @property
    def table(self) -> list[dict[str, str | float | None]]:
        """One row for each trial."""
        return [trial.row() for trial in self.trials]


def as_markdown(tuned: Tuned, questions: int) -> str:
    """Return the table of trials: each retriever alone, then the others, best first."""
    names = list(tuned.trials[0].row())
    singles = [trial for trial in tuned.trials if trial.name in ("kiwi", "bigram", "dense")]
    others = [trial for trial in tuned.trials if trial not in singles]
    others.sort(key=lambda trial: (-trial.recall, -trial.mrr))
    rows = [trial.row() for trial in singles + others]
    lines = [
        f"# Retrieval tuned on {questions} questions",
        "",
        "Recall of the chosen setting: "
        + ", ".join(f"{value:.3f} at {k}" for k, value in tuned.recall_at.items()),
        "",
        "| " + " | ".join(names) + " |",
        "|" + " --- |" * len(names),
        *("| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else markdown_text(value)
