"""Estimate how many of the allowed minutes the questions of a recipe take, and say by what."""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard
from kofinlaw.models.machines import Machine
from kofinlaw.recipes.pipeline.plan_record import AnsweringTime
from kofinlaw.recipes.pipeline.planning.answering_effort import Load, effort_of
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.pipeline.planning.measured import MeasuredRate, answering_rate
from kofinlaw.recipes.pipeline.planning.serving import answering_bits
from kofinlaw.recipes.pipeline.run import Run

__all__ = [
    "CHOICE_SHARE",
    "LOAD_BYTES",
    "SEARCH_SECONDS",
    "answering_times",
    "asks_free_text",
    "minutes_line",
]

LOAD_BYTES = 1e9  # bytes of weights that a disk delivers in a second
SEARCH_SECONDS = 0.05  # of one question: 0.02 to 0.03 s were measured on two cores
CHOICE_SHARE = 0.8  # of the questions of a contest that have options, where no file says it
HIDDEN_BITS = 16  # 4-bit weights of bitsandbytes are read no faster than 16-bit ones


def answering_times(
    run: Run, card: ModelCard, machine: Machine, count: DryCount | None
) -> list[AnsweringTime]:
    """Return the minutes of each file of questions of the recipe.

    These are the questions to submit (`evaluate.submission`, else `answer.expected_questions`), and
    the test questions of one system. Questions whose file cannot be read are left out.
    """
    loads = [("submission", _submission(run)), ("test", _tests(run, count))]
    measured = answering_rate(run, machine) if any(load.questions for _, load in loads) else None
    return [
        _time(run, card, machine, file, load, measured) for file, load in loads if load.questions
    ]


def asks_free_text(run: Run) -> bool:
    """Return whether the test has, or may have, questions in free text."""
    evaluate = run.recipe.evaluate
    if evaluate.heldout and run.recipe.augment.holdout_free:
        return True
    return bool(evaluate.questions and _load_of(run.path(evaluate.questions)).free)


def _submission(run: Run) -> Load:
    name, expected = run.recipe.evaluate.submission, run.recipe.answer.expected_questions
    if name:
        return _load_of(run.path(name))
    choices = round((expected or 0) * CHOICE_SHARE)
    return Load(choices, (expected or 0) - choices)


def _tests(run: Run, count: DryCount | None) -> Load:
    evaluate, augment = run.recipe.evaluate, run.recipe.augment
    own = _load_of(run.path(evaluate.questions)) if evaluate.questions else Load(0, 0)
    if not evaluate.heldout:
        return own
    tests, free = augment.holdout_items + augment.holdout_free, augment.holdout_free
    if count is not None:
        tests, free = count.tests, count.free_tests
    return Load(own.choices + tests - free, own.free + free)


def _load_of(path: Path) -> Load:
    """Return the questions of a file by kind; none if it cannot be read, which is a problem of its
    own.
    """
    from kofinlaw.rag.questions.question_files import read_questions

    try:
        questions = read_questions(path).questions
    except UserError:
        return Load(0, 0)
    choices = sum(1 for question in questions if question.options)
    return Load(choices, len(questions) - choices)


def _time(
    run: Run,
    card: ModelCard,
    machine: Machine,
    file: str,
    load: Load,
    measured: MeasuredRate | None,
) -> AnsweringTime:
    answer = run.recipe.answer
    evidence = run.recipe.rag.evidence_tokens if run.recipe.data is not None else 0
    effort = effort_of(load, answer, evidence)
    if measured is not None:
        first = effort.first / measured.rate
        basis = "measured"
        assumes = f"the rate of the run {measured.run} on this machine, loading included"
    else:
        engine = answer.engine
        bits = answering_bits(engine, card) if engine.engine == "llamacpp" else HIDDEN_BITS
        weights = card.parameters * bits / 8
        loading = weights / LOAD_BYTES
        reading = 2 * card.layer_parameters * effort.read / machine.answering_flops
        writing = effort.steps * weights / machine.bandwidth
        first = loading + reading + writing + SEARCH_SECONDS * load.questions
        basis = "arithmetic"
        assumes = (
            f"2 × parameters of the layers × {effort.read:,.0f} tokens read and "
            f"{effort.written:,.0f} written, {machine.rates}"
        )
    total = first * effort.all / effort.first
    return {
        "file": file,
        "questions": load.questions,
        "minutes": round(first / 60, 1),
        "minutes_all": round(total / 60, 1),
        "budget_minutes": answer.budget_minutes,
        "basis": basis,
        "assumes": assumes,
    }


def minutes_line(time: AnsweringTime, systems: int) -> str:
    """Return one line: how many of the allowed minutes the questions take.

    Args:
        time: The estimate.
        systems: Systems that answer the test questions, one after another.
    """
    budget = time["budget_minutes"]
    of = f"of {budget:g} minutes" if budget else "minutes, no limit"
    what = "questions" if time["file"] == "submission" else "test questions"
    line = f"{time['questions']} {what}: about {time['minutes']:g} {of}"
    if time["minutes_all"] > time["minutes"]:
        line += f" for one answer each, {time['minutes_all']:g} for all votes, taken as time allows"
    if time["file"] == "test" and systems > 1:
        line += f"; each of {systems} systems"
    return f"{line} ({time['basis']})"
