"""Plans step down so that every answer is ready in time."""

from __future__ import annotations

import math
import os
import random
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import simulation
from worlds import World, assert_complete

from kofinlaw.rag.answer.answer_file import answer_questions
from kofinlaw.rag.answer.deadline import FULL, PLANS, Costs, TimeBudget, choose_plan
from kofinlaw.rag.answer_settings import AnswerSettings


def test_without_a_deadline_nothing_steps_down(tmp_path: Path, questions: Path) -> None:
    world = World(faults=simulation.Faults(seconds_per_token=5.0))
    figures = world.answer(questions, tmp_path / "out", stall_seconds=1e9)
    assert (figures["fallback"], figures["plan_full"]) == (0, 45)


def test_an_engine_twenty_times_too_slow_still_finishes_in_time(
    tmp_path: Path, questions: Path
) -> None:
    world = World()
    assert world.answer(questions, tmp_path / "a", budget_minutes=5)["fallback"] == 0
    minutes = (world.clock.now - 1000.0) / 60 * 1.5 + 1
    slow = World(faults=simulation.Faults(seconds_per_token=0.0001 * 20))
    figures = slow.answer(questions, tmp_path / "b", budget_minutes=minutes)
    assert slow.clock.now - 1000.0 <= minutes * 60
    assert_complete(tmp_path / "b", questions)
    assert figures["plan_full"] < 45


def test_a_tight_budget_steps_down_before_it_gives_up(tmp_path: Path, questions: Path) -> None:
    world = World(faults=simulation.Faults(seconds_per_token=0.01))
    figures = world.answer(questions, tmp_path / "out", budget_minutes=6)
    assert figures["fallback"] == 0
    assert figures["plan_full"] < 45
    assert (
        figures["plan_half-context"] + figures["plan_quarter-context"] + figures["plan_label-only"]
        > 0
    )


def test_reasoning_goes_before_evidence_does(tmp_path: Path, few: Path) -> None:
    settings = {"reasoning_tokens": 400, "answer_form": "label", "budget_minutes": 60}
    world = World(faults=simulation.Faults(seconds_per_token=0.0005))
    world.answer(few, tmp_path / "free", **settings)
    spent = world.clock.now - 1000.0
    settings |= {"budget_minutes": spent / 60 * 0.9, "reserve_minutes": 0.01}
    world = World(faults=simulation.Faults(seconds_per_token=0.0005))
    figures = world.answer(few, tmp_path / "tight", **settings)
    assert figures["plan_no-reasoning"] > 0
    assert figures["plan_half-context"] == figures["plan_label-only"] == 0
    assert figures["fallback"] == 0


@pytest.mark.parametrize("block", range(10))
def test_random_schedules_end_complete_valid_and_in_time(
    tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # thousands of them, on a busy disk
    # As many collections, each a second in a process that holds what other tests imported.
    monkeypatch.setattr("kofinlaw.rag.answer.attempts._free_memory", lambda: None)
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
        world = World(faults=faults, seed=seed, clock=clock, searcher=searcher)
        figures = world.answer(
            questions, folder / "out",
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
    assert figures.fallback == 45
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

    figures = World(clock=Jumping(2e6)).answer(questions, tmp_path / "out", budget_minutes=60)
    assert_complete(tmp_path / "out", questions)
    assert (figures["fallback"] == 0) == answered
    assert (figures["seconds_used"] < 3600) == answered


def test_budget_counts_from_the_start_and_ignores_a_clock_that_runs_back() -> None:
    now = SimpleNamespace(t=100.0)
    budget = TimeBudget(60, 10, lambda: now.t, started=95.0, used_before=5.0)
    assert budget.left() == 60 - 10 - 5 - 5
    now.t = 50.0
    assert budget.left() == 40
    now.t = 52.0
    assert budget.left() == 38
    assert TimeBudget(None, 10, lambda: now.t).left() == math.inf


def test_the_best_plan_that_fits_is_chosen() -> None:
    costs = Costs()
    assert choose_plan(costs, 10.0, lambda plan: {"choice": 100.0}, plans=PLANS) is FULL
    costs.observe("choice", 100.0, 10.0)
    chosen = choose_plan(
        costs, 60.0, lambda plan: {"choice": 100 + 900 * plan.evidence_share}, plans=PLANS
    )
    assert chosen is not None
    assert chosen.name == "quarter-context"
    assert choose_plan(costs, 1.0, lambda plan: {"choice": 100.0}, plans=PLANS) is PLANS[-1]
    assert choose_plan(costs, 0.0, lambda plan: {"choice": 100.0}, plans=PLANS) is None


def test_a_machine_that_slows_down_is_noticed_at_once_and_warming_up_forgotten() -> None:
    costs = Costs()
    for seconds in (100.0, 1.0, 1.0):
        costs.observe("free", 10.0, seconds)
    assert costs.forecast("free", 10.0) == 1.0
    costs.observe("free", 10.0, 3.0)
    assert costs.forecast("free", 10.0) == 3.0
    assert costs.forecast("choice", 10.0) == 3.0
