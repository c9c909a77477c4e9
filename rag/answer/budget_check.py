"""Forecast whether a file of questions fits into its time budget, from a timed sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.batches import Task, first_batches, task_effort, turns_of
from kofinlaw.rag.answer.deadline import FULL, SAFETY, Clock, Plan, QuestionKind, usable_plans
from kofinlaw.rag.answer.engine_calls import ask_engine, missing_bare_scores
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.bare_scores import BareScores
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.rag.retrieve.evidence import Hit, Searcher, search_questions
from kofinlaw.records import Question

__all__ = [
    "DEVIATIONS",
    "SAMPLE_BATCHES",
    "SEARCH_BATCH",
    "BudgetCheck",
    "Estimate",
    "check_budget",
]

SAMPLE_BATCHES = 3  # timed batches of each kind, after one to warm up
SEARCH_BATCH = 32  # questions searched together
DEVIATIONS = 2.0  # half-width of the interval, in standard errors


@dataclass(frozen=True)
class Estimate:
    """Seconds with an interval: the true value most likely lies between `low` and `high`."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True)
class BudgetCheck:
    """The forecast of a file; times in seconds.

    `sampled` counts the questions that were timed. `load`, `retrieve` and `answer` add up to
    `total`; `available` is the budget without its reserve (infinite without a deadline). `plan` is
    the best plan whose upper end fits, None where not even the cheapest does; `fits` says whether
    that is the full plan. `turns` is the mean number of passes over a question that fit.
    """

    questions: int
    sampled: int
    load: float
    retrieve: Estimate
    answer: Estimate
    total: Estimate
    available: float
    plan: str | None
    turns: float
    fits: bool

    def lines(self) -> list[str]:
        """Return the forecast as sentences."""
        total = self.total
        out = [
            f"{self.questions} questions, {self.sampled} timed: loading {_minutes(self.load)}, "
            f"retrieval {_minutes(self.retrieve.seconds)}, answers {_minutes(self.answer.seconds)}",
            f"in total {_minutes(total.seconds)} ({_minutes(total.low)} to {_minutes(total.high)})",
        ]
        if math.isinf(self.available):
            return [*out, "no budget is set: answer.budget_minutes"]
        out.append(f"{_minutes(self.available)} are available, without the reserve")
        if self.fits:
            out.append(
                f"fits under plan `full`, with time for {self.turns:.1f} passes per question"
            )
        elif self.plan is not None:
            out.append(f"does not fit as configured; plan `{self.plan}` fits")
        else:
            out.append("does not fit under any plan: some answers would not be the model's")
        return out


def check_budget(
    questions: Path,
    *,
    open_engine: Callable[[], Engine],
    template: ChatTemplate,
    retriever: Searcher | None,
    settings: AnswerSettings,
    context: RunContext | None = None,
) -> BudgetCheck:
    """Time a sample of the questions and forecast the first answers of all of them.

    The sample is batches spread evenly over the file's lengths, divided as in the real run. Nothing
    is written. The arguments are those of `answer_questions`, and so are the errors.
    """
    context = context or RunContext()
    clock = context.clock
    asked = read_questions(questions).questions
    started = clock()
    with open_engine() as engine:
        load = clock() - started
        hits: list[list[Hit]] = [[] for _ in asked]
        rates: list[float] = []
        if retriever is not None:
            if retriever.needs_model:
                retriever = retriever.with_model(engine, template)
            rates = _time_retrieval(retriever, asked, hits, clock)
        evidence_tokens = retriever.settings.evidence_tokens if retriever else 0
        sample = _Sample(asked, hits, settings, evidence_tokens)
        sampled = _time_sample(sample, engine, template, context)
    return _verdict(
        sample,
        load,
        _estimate([(1.0, rate) for rate in rates], float(len(asked))),
        sampled,
        evidence=retriever is not None,
    )


class _Sample:
    """The questions of a file, their evidence, their batches and the timed ones of each kind."""

    def __init__(
        self,
        questions: Sequence[Question],
        hits: Sequence[Sequence[Hit]],
        settings: AnswerSettings,
        evidence_tokens: int,
    ) -> None:
        self.questions = questions
        self.hits = hits
        self.settings = settings
        self.evidence_tokens = evidence_tokens
        self.batches = list(first_batches(questions, settings.batch_questions))
        # (effort, seconds) of the timed batches
        self.timed: dict[QuestionKind, list[tuple[float, float]]] = {}

    def effort(self, tasks: Sequence[Task], plan: Plan) -> float:
        """Return the effort of the tasks under a plan, in prompt tokens."""
        return sum(
            task_effort(
                self.questions[task.position],
                self.hits[task.position],
                plan,
                self.settings,
                self.evidence_tokens,
            )
            for task in tasks
        )

    def forecast(self, plan: Plan) -> Estimate:
        """Return the seconds of all first answers under a plan."""
        tasks = [task for batch in self.batches for task in batch]
        return _sum(
            [
                _estimate(pairs, self.effort([task for task in tasks if task.kind == kind], plan))
                for kind, pairs in self.timed.items()
            ]
        )


def _time_sample(
    sample: _Sample, engine: Engine, template: ChatTemplate, context: RunContext
) -> int:
    """Time the sampled batches under the full plan; returns how many questions were timed."""
    settings = sample.settings
    prompter = Prompter(template, settings, sample.evidence_tokens, engine.tokenizer.count)
    sampled = 0
    bare = BareScores()
    for number, (batch, warm_up) in enumerate(_sampled_batches(sample.batches)):
        effort = sample.effort(batch, FULL)
        prompts = [
            prompter.build(
                sample.questions[task.position],
                [hit.chunk for hit in sample.hits[task.position]],
                FULL,
            )
            for task in batch
        ]
        seeds = [(context.seed, 0)] * len(batch)
        before = context.clock()
        bare.add(missing_bare_scores(engine, prompts, bare))
        ask_engine(engine, prompts, seeds, settings, stop=template.stop, plan=FULL, bare=bare)
        seconds = context.clock() - before
        context.progress("sample", number + 1)
        if not warm_up:
            sampled += len(batch)
            sample.timed.setdefault(batch[0].kind, []).append((effort, seconds))
    return sampled


def _verdict(
    sample: _Sample, load: float, retrieve: Estimate, sampled: int, *, evidence: bool
) -> BudgetCheck:
    settings = sample.settings
    fixed = _sum([Estimate(load, load, load), retrieve])
    full = sample.forecast(FULL)
    available = math.inf
    if settings.budget_minutes is not None:
        available = 60 * (settings.budget_minutes - settings.reserve_minutes)
    plans = usable_plans(reasoning=settings.reasoning_tokens > 0, evidence=evidence)
    fitting = [p.name for p in plans if fixed.high + sample.forecast(p).high * SAFETY <= available]
    spare = available - fixed.seconds
    most_turns = max(turns_of(question, settings) for question in sample.questions)
    return BudgetCheck(
        questions=len(sample.questions),
        sampled=sampled,
        load=load,
        retrieve=retrieve,
        answer=full,
        total=_sum([fixed, full]),
        available=available,
        plan=fitting[0] if fitting else None,
        turns=min(most_turns, spare / full.seconds) if full.seconds > 0 else float(most_turns),
        fits=FULL.name in fitting,
    )


def _time_retrieval(
    retriever: Searcher, asked: Sequence[Question], hits: list[list[Hit]], clock: Clock
) -> list[float]:
    """Search for all questions, into `hits`; returns the seconds per question of each batch."""
    rates = []
    for start in range(0, len(asked), SEARCH_BATCH):
        part = asked[start : start + SEARCH_BATCH]
        before = clock()
        hits[start : start + SEARCH_BATCH] = search_questions(retriever, part)
        rates.append((clock() - before) / len(part))
    return rates


def _sampled_batches(batches: Sequence[list[Task]]) -> list[tuple[list[Task], bool]]:
    """Return (batch, whether it only warms up): the longest question,
    then a spread of the others.
    """
    out: list[tuple[list[Task], bool]] = []
    kinds: tuple[QuestionKind, ...] = ("choice", "free")
    for kind in kinds:
        own = [batch for batch in batches if batch[0].kind == kind]
        if not own:
            continue
        rest = own[1:]
        out.append((own[0], bool(rest)))
        step = max(1.0, len(rest) / SAMPLE_BATCHES)
        indices = sorted({int(step * (i + 0.5)) for i in range(min(SAMPLE_BATCHES, len(rest)))})
        out += [(rest[min(index, len(rest) - 1)], False) for index in indices]
    return out


def _estimate(pairs: Sequence[tuple[float, float]], effort: float) -> Estimate:
    """Return the ratio estimate of the seconds for `effort` from (effort,
    seconds) of timed batches.

    A single batch tells nothing about the spread: half of the estimate is assumed on either side.
    """
    if not pairs:
        return Estimate(0.0, 0.0, 0.0)
    ratio = sum(seconds for _, seconds in pairs) / sum(units for units, _ in pairs)
    if len(pairs) == 1:
        spread = ratio / 2
    else:
        mean_effort = sum(units for units, _ in pairs) / len(pairs)
        residual = sum((seconds - ratio * units) ** 2 for units, seconds in pairs)
        spread = DEVIATIONS * math.sqrt(residual / (len(pairs) - 1) / len(pairs)) / mean_effort
    return Estimate(effort * ratio, effort * max(0.0, ratio - spread), effort * (ratio + spread))


def _sum(parts: Sequence[Estimate]) -> Estimate:
    return Estimate(
        sum(part.seconds for part in parts),
        sum(part.low for part in parts),
        sum(part.high for part in parts),
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
