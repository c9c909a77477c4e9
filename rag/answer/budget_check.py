"""Whether a file of questions will fit into its budget, from a warm sample on the real path."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.batches import Task, first_batches, task_work, turns_of
from kofinlaw.rag.answer.deadline import FULL, SAFETY, Clock, Kind, Plan, usable_plans
from kofinlaw.rag.answer.engine_calls import ask_engine
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.rag.retrieve.evidence import Hit, Searcher, search_questions
from kofinlaw.records import Question

SAMPLE_BATCHES = 3  # timed batches of each kind, after one to warm up
DEVIATIONS = 2.0  # half-width of the interval, in standard errors


@dataclass(frozen=True)
class Estimate:
    """Seconds with an interval: `low` to `high` where the truth most likely lies."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True)
class BudgetCheck:
    """What a check found; times in seconds.

    `plan` is the best plan whose upper end fits, None where not even the cheapest does; `fits`
    says whether that is the full one. `turns` is the mean number of passes a question that fits.
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
        """The check in words."""
        total = self.total
        out = [
            f"{self.questions} questions, {self.sampled} timed: loading {_minutes(self.load)}, "
            f"retrieval {_minutes(self.retrieve.seconds)}, answers {_minutes(self.answer.seconds)}",
            f"in all {_minutes(total.seconds)} ({_minutes(total.low)} to {_minutes(total.high)})",
        ]
        if math.isinf(self.available):
            return [*out, "no budget is set: answer.budget_minutes"]
        out.append(f"there is {_minutes(self.available)}, the reserve taken off")
        if self.fits:
            out.append(f"fits under plan `full`, with time for {self.turns:.1f} passes a question")
        elif self.plan is not None:
            out.append(f"does not fit as set; plan `{self.plan}` would")
        else:
            out.append("does not fit under any plan: some rows would not be the model's")
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

    The sample is batches spread evenly over the file's lengths, each as the real run cuts it.
    Nothing is written. Raises UserError as `answer_questions` does.
    """
    context = context or RunContext()
    clock, seed = context.clock, context.seed
    asked = read_questions(questions).questions
    started = clock()
    with open_engine() as engine:
        load = clock() - started
        evidence = retriever.settings.evidence_tokens if retriever else 0
        hits: list[list[Hit]] = [[] for _ in asked]
        rates: list[float] = []
        if retriever is not None:
            if retriever.needs_model:
                retriever = retriever.with_model(engine, template)
            rates = _time_retrieval(retriever, asked, hits, clock)
        retrieve = _estimate([(1.0, rate) for rate in rates], float(len(asked)))
        batches = list(first_batches(asked, settings.batch_questions))
        prompter = Prompter(template, settings, evidence, engine.tokenizer.count)
        timed: dict[Kind, list[tuple[float, float]]] = {}
        sampled = 0
        for number, (batch, warm) in enumerate(_sample(batches)):
            work = _work(batch, asked, hits, FULL, settings, evidence)
            prompts = [
                prompter.build(asked[t.place], [h.chunk for h in hits[t.place]], FULL)
                for t in batch
            ]
            before = clock()
            ask_engine(
                engine,
                prompts,
                [(seed, 0)] * len(batch),
                settings,
                stop=template.stop,
                plan=FULL,
            )
            seconds = clock() - before
            context.progress("sample", number + 1)
            if not warm:
                sampled += len(batch)
                timed.setdefault(batch[0].kind, []).append((work, seconds))
    everything = [task for batch in batches for task in batch]

    def forecast(plan: Plan) -> Estimate:
        parts = []
        for kind, pairs in timed.items():
            tasks = [task for task in everything if task.kind == kind]
            parts.append(_estimate(pairs, _work(tasks, asked, hits, plan, settings, evidence)))
        return _sum(parts)

    return _verdict(
        forecast, load, retrieve, settings, asked, sampled, evidence=retriever is not None
    )


def _verdict(
    forecast: Callable[[Plan], Estimate],
    load: float,
    retrieve: Estimate,
    settings: AnswerSettings,
    asked: Sequence[Question],
    sampled: int,
    *,
    evidence: bool,
) -> BudgetCheck:
    fixed = _sum([Estimate(load, load, load), retrieve])
    full = forecast(FULL)
    total = _sum([fixed, full])
    available = math.inf
    if settings.budget_minutes is not None:
        available = 60 * (settings.budget_minutes - settings.reserve_minutes)
    plans = usable_plans(reasoning=settings.reasoning_tokens > 0, evidence=evidence)
    fitting = [p.name for p in plans if fixed.high + forecast(p).high * SAFETY <= available]
    spare = available - fixed.seconds
    most = max(turns_of(question, settings) for question in asked)
    return BudgetCheck(
        questions=len(asked),
        sampled=sampled,
        load=load,
        retrieve=retrieve,
        answer=full,
        total=total,
        available=available,
        plan=fitting[0] if fitting else None,
        turns=min(most, spare / full.seconds) if full.seconds > 0 else float(most),
        fits=FULL.name in fitting,
    )


def _time_retrieval(
    retriever: Searcher, asked: Sequence[Question], hits: list[list[Hit]], clock: Clock
) -> list[float]:
    """Search for all questions; seconds a question, by 32."""
    rates = []
    for start in range(0, len(asked), 32):
        part = asked[start : start + 32]
        before = clock()
        hits[start : start + 32] = search_questions(retriever, part)
        rates.append((clock() - before) / len(part))
    return rates


def _sample(batches: Sequence[list[Task]]) -> list[tuple[list[Task], bool]]:
    """(batch, whether it only warms up): the longest alone, then a spread of the others."""
    out: list[tuple[list[Task], bool]] = []
    kinds: tuple[Kind, ...] = ("choice", "free")
    for kind in kinds:
        own = [batch for batch in batches if batch[0].kind == kind]
        if not own:
            continue
        rest = own[1:]
        out.append((own[0], bool(rest)))
        step = max(1.0, len(rest) / SAMPLE_BATCHES)
        places = sorted({int(step * (i + 0.5)) for i in range(min(SAMPLE_BATCHES, len(rest)))})
        out += [(rest[min(place, len(rest) - 1)], False) for place in places]
    return out


def _work(
    tasks: Sequence[Task],
    asked: Sequence[Question],
    hits: Sequence[Sequence[Hit]],
    plan: Plan,
    settings: AnswerSettings,
    evidence: int,
) -> float:
    return sum(task_work(asked[t.place], hits[t.place], plan, settings, evidence) for t in tasks)


def _estimate(pairs: Sequence[tuple[float, float]], work: float) -> Estimate:
    """Ratio estimate of the seconds for `work` from (work, seconds) of timed batches.

    A single batch says nothing of the spread: half of it is taken on either side.
    """
    if not pairs:
        return Estimate(0.0, 0.0, 0.0)
    ratio = sum(seconds for _, seconds in pairs) / sum(units for units, _ in pairs)
    if len(pairs) == 1:
        spread = ratio / 2
    else:
        mean_work = sum(units for units, _ in pairs) / len(pairs)
        residual = sum((seconds - ratio * units) ** 2 for units, seconds in pairs)
        spread = DEVIATIONS * math.sqrt(residual / (len(pairs) - 1) / len(pairs)) / mean_work
    return Estimate(work * ratio, work * max(0.0, ratio - spread), work * (ratio + spread))


def _sum(parts: Sequence[Estimate]) -> Estimate:
    return Estimate(
        sum(part.seconds for part in parts),
        sum(part.low for part in parts),
        sum(part.high for part in parts),
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
