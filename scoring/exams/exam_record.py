"""Define the JSON that the scores of exams have: `exams.json`."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from kofinlaw.scoring.scores_record import FigureRecord

__all__ = [
    "EXAMS_SCHEMA",
    "ExamComparison",
    "ExamRecord",
    "ExamRow",
    "ExamsRecord",
]

EXAMS_SCHEMA = "kofinlaw.exams/1"


class ExamRow(TypedDict):
    """Accuracy of a system or a solver, over all questions and by slice.

    `kind` is `system` or `solver`. `best` marks the solver that systems are compared with, `reads`
    names the systems whose evidence a solver reads (none: it reads no evidence).
    """

    name: str
    kind: str
    best: bool
    reads: list[str]
    all: FigureRecord
    slices: dict[str, FigureRecord]


class ExamComparison(TypedDict):
    """`b` against `a` on the same questions of a slice (empty: all of them).

    `difference` is the mean of b − a with its paired bootstrap interval, in −1..1. `only_a` and
    `only_b` count the questions where one is better. `p_value` is that of a permutation test over
    questions (`sign_flip_p`): exact unless averaged seeds make the sums too wide.
    """

    a: str
    b: str
    slice: str
    n: int
    difference: float
    low: float
    high: float
    only_a: int
    only_b: int
    p_value: float


class ExamRecord(TypedDict):
    """One exam. `plans` counts, by system, the plans under which questions were answered.

    `unreadable` counts, by system, the answers that name no option; exams that were scored before
    it existed lack it.
    """

    name: str
    n: int
    slices: dict[str, int]
    rows: list[ExamRow]
    comparisons: list[ExamComparison]
    plans: dict[str, dict[str, int]]
    unreadable: NotRequired[dict[str, int]]


class ExamsRecord(TypedDict):
    """The content of `exams.json`; `pooled` compares over the questions of all exams."""

    schema: str
    confidence: float
    seeds: int
    exams: list[ExamRecord]
    pooled: list[ExamComparison]
