"""Define the record of a plan, as `kofinlaw plan --json` prints it."""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "AnsweringFigures",
    "AnsweringTime",
    "AtHandRow",
    "ChosenPass",
    "CountFigures",
    "DiskFigures",
    "FileRow",
    "FirstExample",
    "FitFigures",
    "Lengths",
    "MachineFigures",
    "MemoryFigures",
    "Plan",
    "RetrieverFigures",
    "SimulatedHolder",
    "SimulationFigures",
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


class MachineFigures(TypedDict):
    """The machine that is planned for: GiB, whether they are a card's, and where that comes from.

    `rates` says what hours and minutes assume; `here` is False for a card that is not in this
    machine.
    """

    gib: float
    gpu: bool
    origin: str
    rates: str
    here: bool


class AtHandRow(TypedDict):
    """A model or package that the recipe uses, the key that names it, and the command to get it."""

    name: str
    key: str
    at_hand: bool
    command: str


class CountFigures(TypedDict):
    """What the documents give: training examples (with their range), and test questions.

    `kinds` counts the examples by kind, `rejected` the questions that are left out by reason.
    """

    examples: int
    low: int
    high: int
    wanted: int
    tests: int
    kinds: dict[str, int]
    rejected: dict[str, int]
    held_out: list[str]
    how: str


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


class SimulatedHolder(TypedDict):
    """Tensors that are alive at the peak: what they are, the operator that made them, and GiB."""

    kind: str
    operator: str
    count: int
    gib: float


class ChosenPass(TypedDict):
    """A pass of the training on a card: its tokens, kept layers, and simulated total in GiB."""

    tokens: int
    kept_layers: int
    total_gib: float


class SimulationFigures(TypedDict):
    """Memory of the training by simulation (`plan --simulate`) in GiB, lengths in tokens.

    - `peak_gib` is alive at the peak of a step with one sequence of `length` tokens, in `place`
      while `operator` runs; `kinds_gib` is its split.
    - `total_gib` adds the allocator's share and the context, `loaded_gib` is the peak before the
      first step.
    - `arithmetic_gib` is the plan without them, `ratio` is it divided by `peak_gib`.
    - `micro_batch` and `longest_sequence` are the largest that fit the limit; no micro-batch above
      `most_rows` is tried.
    - `chosen` is the pass that training chooses on a card for examples of `length` tokens; None on
      a processor, and if one sequence does not fit. `padded` says why its examples are padded.
    - `notes` say what of the recipe was simulated otherwise.
    """

    length: int
    peak_gib: float
    place: str
    operator: str
    backward: bool
    kinds_gib: dict[str, float]
    largest: list[SimulatedHolder]
    total_gib: float
    loaded_gib: float
    arithmetic_gib: float
    ratio: float
    micro_batch: int
    most_rows: int
    longest_sequence: int
    simulated_sizes: int
    chosen: ChosenPass | None
    padded: str
    seconds: float
    notes: list[str]


class TrainingFigures(TypedDict):
    """Optimizer steps, tokens and estimated hours of the training.

    `basis` says whether the hours are `measured` in an earlier run or `arithmetic`.
    """

    steps: int
    effective_batch: int
    tokens: int
    hours: float
    basis: str


class AnsweringFigures(TypedDict):
    """Time limit in minutes (None: no limit) and memory of answering: the model with a batch of
    prompts, the embedder and the reranker.
    """

    budget_minutes: float | None
    total_gib: float
    terms_gib: dict[str, float]
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


class AnsweringTime(TypedDict):
    """The minutes that one file of questions takes.

    - `file` says which questions: `submission`, or `test` for the test questions of one system.
    - `minutes` are for one answer to each question, `minutes_all` for all votes and orders.
    - `budget_minutes` is the recipe's limit; None: no limit.
    - `basis` is `measured` or `arithmetic`, `assumes` says what it assumes.
    """

    file: str
    questions: int
    minutes: float
    minutes_all: float
    budget_minutes: float | None
    basis: str
    assumes: str


class FitFigures(TypedDict):
    """The training of an embedder or a reranker: steps, tokens, GiB by term, and hours.

    `basis` says whether the hours are measured in an earlier run or arithmetic.
    """

    steps: int
    tokens: int
    terms_gib: dict[str, float]
    total_gib: float
    hours: float
    basis: str


class RetrieverFigures(TypedDict):
    """What `kofinlaw fit-retriever` takes: pairs by kind, memory and hours, and the limit in GiB.

    `exact` says whether the whole corpus was counted; `batch` is the pairs in a step.
    """

    method: str
    base: str
    pairs: int
    kinds: dict[str, int]
    exact: bool
    batch: int
    limit_gib: float
    limit_is: str
    embedder: FitFigures
    reranker: FitFigures | None


class Plan(TypedDict):
    """The result of `kofinlaw plan`; `ok` if there are no `problems`.

    `warnings` do not stop a run. `estimated` lists what the figures assume that are estimates and
    not counts. `trained` says that the training is complete. `retriever` is None unless the recipe
    has the section, `simulation` unless `--simulate` asks for it.
    """

    recipe: str
    policy: str
    trains: bool
    trained: bool
    tested: bool
    machine: MachineFigures
    models: list[AtHandRow]
    packages: list[AtHandRow]
    documents: int | None
    count: CountFigures | None
    answering_times: list[AnsweringTime]
    files: list[FileRow]
    verdicts: list[VerdictRow]
    lengths: Lengths
    first_example: FirstExample | None
    memory: MemoryFigures
    simulation: SimulationFigures | None
    training: TrainingFigures
    teacher: TeacherPlan | None
    retriever: RetrieverFigures | None
    answering: AnsweringFigures
    disk: DiskFigures
    problems: list[str]
    warnings: list[str]
    estimated: list[str]
    ok: bool
