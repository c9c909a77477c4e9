"""Answering under a deadline, on a simulated clock."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kofinlaw import UserError
from kofinlaw.rag.answer import answer_questions
from kofinlaw.rag.settings import AnswerSettings

_spec = importlib.util.spec_from_file_location(
    "simulation", Path(__file__).with_name("simulation.py")
)
assert _spec is not None
assert _spec.loader is not None
simulation = importlib.util.module_from_spec(_spec)
sys.modules["simulation"] = simulation
_spec.loader.exec_module(simulation)

RECORDS = ("answers.jsonl", "plan.jsonl", "submission.csv", "evidence.jsonl")


def run(
    folder: Path,
    questions: Path,
    *,
    faults: Any = None,
    seed: int = 0,
    clock: Any = None,
    searcher: Any = "fake",
    engines: list[Any] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    clock = clock or simulation.Clock()
    faults = faults or simulation.Faults()
    draw = random.Random(seed)
    made = engines if engines is not None else []

    def open_engine() -> Any:
        clock.now += faults.load_seconds
        if draw.random() < faults.load_crash:
            raise RuntimeError("cannot load")
        made.append(simulation.FaultyEngine(clock, faults, draw))
        return made[-1]

    return answer_questions(
        questions,
        folder,
        open_engine=open_engine,
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(clock) if searcher == "fake" else searcher,
        settings=AnswerSettings(**settings),
        clock=clock,
        started=clock.now,
        caller=simulation.SimulatedCaller(clock),
    )


def submitted(folder: Path) -> dict[str, str]:
    with open(folder / "submission.csv", encoding="utf-8-sig", newline="") as handle:
        return {row["ID"]: row["Answer"] for row in csv.DictReader(handle)}


def assert_complete(folder: Path, questions: Path) -> None:
    from kofinlaw.rag.questions import read_questions

    asked = read_questions(questions).questions
    given = submitted(folder)
    assert list(given) == [q.id for q in asked]
    for question in asked:
        answer = given[question.id]
        if question.options:
            assert answer in {str(n) for n in range(1, len(question.options) + 1)}
        else:
            assert answer.strip()
    rows = [json.loads(line) for line in (folder / "answers.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == [q.id for q in asked]
    assert {row["id"]: row["answer"] for row in rows} == given


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return simulation.question_file(tmp_path, 40, 5, random.Random(1))


def test_with_time_enough_every_answer_is_the_models(tmp_path: Path, questions: Path) -> None:
    figures = run(tmp_path / "out", questions, budget_minutes=60, permutations=3, votes=3)
    assert_complete(tmp_path / "out", questions)
    assert figures["fallback"] == 0
    assert figures["plan_full"] == 45
    assert figures["turns"] == 45 * 3


def test_without_a_deadline_nothing_steps_down(tmp_path: Path, questions: Path) -> None:
    figures = run(
        tmp_path / "out",
        questions,
        faults=simulation.Faults(seconds_per_token=5.0),
        stall_seconds=1e9,
    )
    assert (figures["fallback"], figures["plan_full"]) == (0, 45)


def test_an_engine_twenty_times_too_slow_still_finishes_in_time(
    tmp_path: Path, questions: Path
) -> None:
    clock = simulation.Clock()
    started = clock.now
    fits = run(tmp_path / "a", questions, clock=clock, budget_minutes=5)
    needed = clock.now - started
    clock = simulation.Clock()
    slow = simulation.Faults(seconds_per_token=0.0001 * 20)
    minutes = needed / 60 * 1.5 + 1
    figures = run(tmp_path / "b", questions, clock=clock, faults=slow, budget_minutes=minutes)
    assert fits["fallback"] == 0
    assert clock.now - 1000.0 <= minutes * 60
    assert_complete(tmp_path / "b", questions)
    assert figures["plan_full"] < 45


def test_a_tight_budget_steps_down_before_it_gives_up(tmp_path: Path, questions: Path) -> None:
    figures = run(
        tmp_path / "out",
        questions,
        faults=simulation.Faults(seconds_per_token=0.01),
        budget_minutes=6,
    )
    assert figures["fallback"] == 0
    assert figures["plan_full"] < 45
    assert (
        figures["plan_half-context"] + figures["plan_quarter-context"] + figures["plan_label-only"]
        > 0
    )


def test_a_dead_engine_leaves_marked_fallbacks(tmp_path: Path, questions: Path) -> None:
    figures = run(
        tmp_path / "out", questions, faults=simulation.Faults(crash=1.0), budget_minutes=60
    )
    assert figures["fallback"] == 45
    assert_complete(tmp_path / "out", questions)
    rows = [
        json.loads(line)
        for line in (tmp_path / "out/answers.jsonl").read_text("utf-8").splitlines()
    ]
    assert {row["origin"] for row in rows} == {"fallback"}
    assert all(row["evidence"] for row in rows)


def test_one_poisonous_question_does_not_cost_the_others(tmp_path: Path, questions: Path) -> None:
    class Poisoned(simulation.FaultyEngine):
        def _trouble(self, prompts: Any, tokens: float) -> None:
            if any("배상책임 3을" in p for p in prompts):
                raise RuntimeError("bad token")
            super()._trouble(prompts, tokens)

    clock = simulation.Clock()
    figures = answer_questions(
        questions,
        tmp_path / "out",
        open_engine=lambda: Poisoned(clock, simulation.Faults(), random.Random(0)),
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(clock),
        settings=AnswerSettings(),
        clock=clock,
        caller=simulation.SimulatedCaller(clock),
    )
    assert figures["fallback"] == 1


def test_memory_errors_halve_the_batch_then_the_context(tmp_path: Path, questions: Path) -> None:
    engines: list[Any] = []
    faults = simulation.Faults(memory_limit=900)
    figures = run(tmp_path / "out", questions, faults=faults, engines=engines)
    assert figures["fallback"] == 0
    assert figures["out_of_memory"] > 0
    assert len(engines) == 1


def test_a_model_that_is_not_there_is_the_persons_mistake(tmp_path: Path, questions: Path) -> None:
    def nothing() -> Any:
        raise UserError("no such model")

    clock = simulation.Clock()
    with pytest.raises(UserError, match="no such model"):
        answer_questions(
            questions,
            tmp_path / "out",
            open_engine=nothing,
            template=simulation.TEMPLATE,
            retriever=None,
            settings=AnswerSettings(),
            clock=clock,
            caller=simulation.SimulatedCaller(clock),
        )
    assert len(submitted(tmp_path / "out")) == 45


@pytest.mark.parametrize("form", ["label", "text"])
@pytest.mark.parametrize("choose_by", ["score", "generate"])
def test_every_way_to_choose_gives_valid_answers(
    tmp_path: Path, questions: Path, form: str, choose_by: str
) -> None:
    figures = run(
        tmp_path / "out",
        questions,
        searcher=None,
        answer_form=form,
        choose_by=choose_by,
        permutations=2,
    )
    assert figures["fallback"] == 0
    assert_complete(tmp_path / "out", questions)


class Killed(BaseException):
    """What a kill is to a test: nothing after it runs."""


@pytest.mark.parametrize("seed", range(12))
def test_killed_anywhere_and_run_again_gives_the_same_bytes(tmp_path: Path, seed: int) -> None:
    questions = simulation.question_file(tmp_path, 25, 4, random.Random(seed))
    options: dict[str, Any] = {
        "permutations": 3,
        "votes": 3,
        "batch_questions": 4,
        "budget_minutes": 600,
    }
    run(tmp_path / "whole", questions, **options)
    draw = random.Random(seed)
    engines: list[Any] = []
    for _ in range(6):
        after = draw.randint(1, 9)

        def progress(phase: str, done: int, total: int | None = None, **info: object) -> None:
            nonlocal after
            after -= 1
            if after < 0:
                raise Killed

        clock = simulation.Clock(draw.random() * 1e6)

        def open_engine(clock: Any = clock) -> Any:
            engines.append(simulation.FaultyEngine(clock, simulation.Faults(), random.Random(0)))
            return engines[-1]

        try:
            answer_questions(
                questions,
                tmp_path / "cut",
                open_engine=open_engine,
                template=simulation.TEMPLATE,
                retriever=simulation.FakeSearcher(clock),
                settings=AnswerSettings(**options),
                clock=clock,
                caller=simulation.SimulatedCaller(clock),
                progress=progress,
            )
            break
        except Killed:
            with open(tmp_path / "cut" / "plan.jsonl", "a", encoding="utf-8") as handle:
                handle.write('{"id": "torn')
            assert len(submitted(tmp_path / "cut")) == 29
    run(tmp_path / "cut", questions, **options)
    for name in RECORDS:
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), (
            name
        )
    prompts = [p for engine in engines for call in engine.calls for p in call]
    assert len(prompts) <= len(set(prompts)) + 2 * 4 * 6


def test_a_resumed_run_counts_the_time_already_used(tmp_path: Path, questions: Path) -> None:
    out = tmp_path / "out"
    run(out, questions, budget_minutes=60)
    (out / "clock.json").write_text('{"seconds_used": 3590}')
    (out / "plan.jsonl").unlink()
    figures = run(out, questions, budget_minutes=60)
    assert figures["fallback"] == 45
    assert_complete(out, questions)


def test_other_questions_in_the_same_folder_are_refused(tmp_path: Path, questions: Path) -> None:
    run(tmp_path / "out", questions)
    questions.write_text("ID,Question\nA,설명하세요.\n", encoding="utf-8")
    with pytest.raises(UserError, match="questions changed since it began"):
        run(tmp_path / "out", questions)


def test_retrieval_that_hangs_or_fails_leaves_the_model_alone(
    tmp_path: Path, questions: Path
) -> None:
    clock = simulation.Clock()
    searcher = simulation.FakeSearcher(clock, seconds=1e6)
    figures = run(tmp_path / "a", questions, clock=clock, searcher=searcher, budget_minutes=30)
    assert (figures["fallback"], figures["search_stalls"]) == (0, 1)
    clock = simulation.Clock()
    searcher = simulation.FakeSearcher(clock, fails=True)
    figures = run(tmp_path / "b", questions, clock=clock, searcher=searcher, budget_minutes=30)
    assert (figures["fallback"], figures["search_failures"]) == (0, 6)


@pytest.mark.parametrize("block", range(10))
def test_random_schedules_end_complete_valid_and_in_time(
    tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # thousands of them, on a busy disk
    for seed in range(block * 50, block * 50 + 50):
        draw = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        questions = simulation.question_file(folder, draw.randint(1, 30), draw.randint(0, 4), draw)
        clock = simulation.Clock(draw.random() * 1e6)

        def chance(draw: random.Random = draw) -> float:
            return draw.choice([0.0, 0.0, 0.02, 0.3, 1.0])

        faults = simulation.Faults(
            seconds_per_token=10 ** draw.uniform(-5, 0),
            crash=chance(), memory=chance(), stall=chance(), empty=chance(), short=chance(),
            load_seconds=draw.choice([1.0, 60.0, 1e5]), load_crash=chance(),
            slows=draw.choice([1.0, 1.0, 1.1, 2.0]), memory_limit=draw.choice([10**9, 2000, 300]),
        )  # fmt: skip
        searcher = draw.choice(
            [
                None,
                simulation.FakeSearcher(clock, seconds=10 ** draw.uniform(-3, 3)),
                simulation.FakeSearcher(clock, fails=True),
            ]
        )
        minutes = draw.choice([0.5, 2.0, 10.0])
        started = clock.now
        figures = run(
            folder / "out", questions, faults=faults, seed=seed, clock=clock, searcher=searcher,
            budget_minutes=minutes, reserve_minutes=0.1, permutations=draw.choice([1, 5]),
            votes=draw.choice([1, 3]), stall_seconds=draw.choice([5.0, 100.0]),
            answer_form=draw.choice(["label", "text"]), choose_by=draw.choice(["score", "generate"]),
            batch_questions=draw.choice([1, 8]), reasoning_tokens=draw.choice([0, 0, 64]),
            free_opening=draw.choice([False, True]),
        )  # fmt: skip
        assert clock.now - started <= minutes * 60, seed
        assert_complete(folder / "out", questions)
        assert figures["fallback"] <= figures["questions"]


def test_a_real_engine_that_hangs_is_left_at_the_deadline(tmp_path: Path, questions: Path) -> None:
    class Hanging(simulation.FaultyEngine):
        def score(self, prompts: Any, choices: Any) -> Any:
            time.sleep(30)

    started = time.monotonic()
    figures = answer_questions(
        questions,
        tmp_path / "out",
        open_engine=lambda: Hanging(simulation.Clock(), simulation.Faults(), random.Random(0)),
        template=simulation.TEMPLATE,
        retriever=None,
        settings=AnswerSettings(budget_minutes=0.05, reserve_minutes=0.01),
    )
    assert time.monotonic() - started < 3.5
    assert figures["fallback"] == 45
    assert_complete(tmp_path / "out", questions)


@pytest.mark.parametrize(("jump", "answered"), [(-1e6, True), (1e6, False)])
def test_a_clock_that_jumps_back_adds_nothing_and_forward_ends_the_run(
    tmp_path: Path, questions: Path, jump: float, answered: bool
) -> None:
    class Jumping(simulation.Clock):
        calls = 0

        def __call__(self) -> float:
            self.calls += 1
            if self.calls == 40:
                self.now += jump
            return self.now

    figures = run(tmp_path / "out", questions, clock=Jumping(2e6), budget_minutes=60)
    assert_complete(tmp_path / "out", questions)
    assert (figures["fallback"] == 0) == answered
    assert (figures["seconds_used"] < 3600) == answered
