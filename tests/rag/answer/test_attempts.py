"""Batches that fail are split and step down."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import simulation
from worlds import World, assert_complete, rows


def test_a_dead_engine_leaves_marked_fallbacks(tmp_path: Path, questions: Path) -> None:
    world = World(faults=simulation.Faults(crash=1.0))
    figures = world.answer(questions, tmp_path / "out", budget_minutes=60)
    assert figures["fallback"] == 45
    assert_complete(tmp_path / "out", questions)
    answers = rows(tmp_path / "out/answers.jsonl")
    assert {row["origin"] for row in answers} == {"fallback"}
    assert all(row["evidence"] for row in answers)


def test_one_poisonous_question_does_not_cost_the_others(tmp_path: Path, questions: Path) -> None:
    class Poisoned(simulation.FaultyEngine):
        def _trouble(self, prompts: Any, tokens: float) -> None:
            if any("배상책임 3을" in p for p in prompts):
                raise RuntimeError("bad token")
            super()._trouble(prompts, tokens)

    world = World()
    poisoned = Poisoned(world.clock, simulation.Faults(), random.Random(0))
    figures = world.answer(questions, tmp_path / "out", open_engine=lambda: poisoned)
    assert figures["fallback"] == 1


def test_memory_errors_halve_the_batch_then_the_context(tmp_path: Path, questions: Path) -> None:
    world = World(faults=simulation.Faults(memory_limit=900))
    figures = world.answer(questions, tmp_path / "out")
    assert figures["fallback"] == 0
    assert figures["out_of_memory"] > 0
    assert len(world.engines) == 1
