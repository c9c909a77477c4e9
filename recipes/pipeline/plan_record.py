"""Define the record of a plan, as `kofinlaw plan --json` prints it."""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "AnsweringFigures",
    "DiskFigures",
    "FileRow",
    "FirstExample",
    "Lengths",
    "MemoryFigures",
    "Plan",
    "TeacherPlan",
    "TrainingFigures",
    "VerdictRow",
]


class _Counted(TypedDict):
    examples: int
    mean_tokens: int
    longest_tokens: int | None


class Lengths(_Counted, total=False):
    """Lengths of the examples in tokens; the optional figures need the model's tokenizer.

    `rejected` counts the examples that the trainer would reject, by reason.
    """

    median_tokens: int
    p95_tokens: int
    supervised_tokens: int
    rejected: dict[str, int]


class FirstExample(TypedDict):
    """The first example as the trainer sees it, with its loss mask."""

    rendered: str
    tokens: int
    supervised_tokens: int
    template_sha256: str


class FileRow(TypedDict):
    """A file or folder that the recipe names."""

    path: str
    exists: bool


class VerdictRow(TypedDict):
    """The policy's verdict on one model, source or way of answering."""

    ok: bool
    verdict: str


class MemoryFigures(TypedDict):
    """Memory of the training in GiB, the limit, and what fits into the limit."""

    terms_gib: dict[str, float]
    total_gib: float
    limit_gib: float
    limit_is: str
    micro_batch: int
    longest_sequence: int


class TrainingFigures(TypedDict):
    """Optimizer steps, tokens and estimated hours of the training."""

    steps: int
    effective_batch: int
    tokens: int
    hours: float


class AnsweringFigures(TypedDict):
    """Time limit in minutes (None: no limit) and memory of answering."""

    budget_minutes: float | None
    total_gib: float
    bits: int
    context_tokens: int


class TeacherPlan(TypedDict):
    """A teacher: outputs to ask for, and its memory in GiB with that of its checker.

    `requests` and `hours` are None before the data stage is done; `total_gib` and `hours` are also
    None for a model that the catalogue does not know.
    """

    model: str
    outputs: int
    total_gib: float | None
    requests: int | None
    hours: float | None


class DiskFigures(TypedDict):
    """Disk space in GiB."""

    needed_gib: float
    free_gib: float


class Plan(TypedDict):
    """The result of `kofinlaw plan`; `ok` if there are no `problems`.

    `estimated` lists the figures that are estimates and not counts.
    """

    recipe: str
    policy: str
    trains: bool
    tested: bool
    files: list[FileRow]
    verdicts: list[VerdictRow]
    lengths: Lengths
    first_example: FirstExample | None
    memory: MemoryFigures
    training: TrainingFigures
    teacher: TeacherPlan | None
    answering: AnsweringFigures
    disk: DiskFigures
    problems: list[str]
    estimated: list[str]
    ok: bool
