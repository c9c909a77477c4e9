"""An engine that hangs is abandoned, and a new one answers in its place."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import simulation

from kofinlaw import UserError
from kofinlaw.models.engines.shared_models import lease_engine, shared_engine_count
from kofinlaw.rag.answer.answer_file import answer_questions
from kofinlaw.rag.answer_settings import AnswerSettings


class Engine(simulation.FaultyEngine):  # type: ignore[misc]
    """Hangs in its first call until `end` is set; with None it does not hang."""

    def __init__(self, end: threading.Event | None) -> None:
        super().__init__(simulation.Clock(), simulation.Faults(), random.Random(0))
        self.end = end

    def score(self, prompts: Any, choices: Any) -> Any:
        if self.end is not None:
            self.end.wait(60)
        return super().score(prompts, choices)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_shared_model_is_loaded_again_after_a_stall(tmp_path: Path, end: threading.Event) -> None:
    questions = simulation.question_file(tmp_path, 6, 0, random.Random(1))
    before = shared_engine_count()
    loaded: list[Engine] = []

    def load() -> Engine:
        loaded.append(Engine(None if loaded else end))
        return loaded[-1]

    figures = answer_questions(
        questions,
        tmp_path / "out",
        open_engine=lambda: lease_engine("model", load),
        template=simulation.TEMPLATE,
        retriever=None,
        settings=AnswerSettings(stall_seconds=1.0),
    )
    assert (figures.events["stalls"], figures.events["restarts"], len(loaded)) == (1, 1, 2)
    assert figures.fallback == 0
    assert shared_engine_count() == before


def test_an_opener_that_returns_nothing_is_an_error_and_not_an_endless_loop(tmp_path: Path) -> None:
    questions = simulation.question_file(tmp_path, 2, 0, random.Random(1))
    with pytest.raises(UserError, match="returned no engine"):
        answer_questions(
            questions,
            tmp_path / "out",
            open_engine=lambda: None,  # type: ignore[arg-type, return-value]
            template=simulation.TEMPLATE,
        )
