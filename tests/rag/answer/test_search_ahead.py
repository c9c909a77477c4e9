"""Evidence searched for while the engine answers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import simulation
from worlds import World, same_bytes

from kofinlaw import UserError
from kofinlaw.rag.answer.watchdog import ThreadCaller
from kofinlaw.rag.search_limits import current_limits


def test_later_questions_are_searched_while_earlier_ones_are_answered(
    tmp_path: Path, few: Path
) -> None:
    searched, answering = threading.Event(), threading.Event()

    class Searching(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            if self.searched > 0:
                assert answering.wait(20), "the search waited for the engine to be done"
            found = super().search(asked)
            if self.searched == 23:
                searched.set()
            return found

    class Answering(simulation.FaultyEngine):
        def score(self, prompts: Any, choices: Any) -> Any:
            answering.set()
            assert searched.wait(20), "the engine waited for the search to be done"
            return super().score(prompts, choices)

    world = World(engine=Answering)
    world.searcher = Searching(world.clock)
    figures = world.answer(few, tmp_path / "out", caller=ThreadCaller())
    assert figures["fallback"] == 0
    World().answer(few, tmp_path / "one-by-one")
    records = ("answers.jsonl", "evidence.jsonl", "plan.jsonl")
    same_bytes(tmp_path / "out", tmp_path / "one-by-one", records)


def test_a_retriever_that_asks_the_model_gets_the_engine(tmp_path: Path, few: Path) -> None:
    threads: set[str] = set()

    class Asking(simulation.FakeSearcher):
        needs_model = ("reranker llm",)
        engine = None

        def with_model(self, engine: Any, template: Any) -> Any:
            lent = Asking(self.clock)
            lent.engine, lent.needs_model = engine, ()
            return lent

        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            threads.add(threading.current_thread().name)
            assert self.engine is not None
            return super().search(asked)

    class Engine(simulation.FaultyEngine):
        def score(self, prompts: Any, choices: Any) -> Any:
            threads.add(threading.current_thread().name)
            return super().score(prompts, choices)

    world = World(engine=Engine)
    world.searcher = Asking(world.clock)
    figures = world.answer(few, tmp_path / "out", caller=ThreadCaller())
    assert figures["fallback"] == 0
    assert "search_failures" not in figures
    assert len(threads) == 1, "the engine is asked from one thread only"


def test_retrieval_that_hangs_or_fails_leaves_the_model_alone(
    tmp_path: Path, questions: Path
) -> None:
    world = World()
    world.searcher = simulation.FakeSearcher(world.clock, seconds=1e6)
    figures = world.answer(questions, tmp_path / "a", budget_minutes=30)
    assert (figures["fallback"], figures["search_stalls"]) == (0, 1)
    world = World()
    world.searcher = simulation.FakeSearcher(world.clock, fails=True)
    figures = world.answer(questions, tmp_path / "b", budget_minutes=30)
    assert (figures["fallback"], figures["search_failures"]) == (0, 6)


def test_each_question_is_searched_on_its_own_day(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"id": "A", "question": "배상책임을 설명하시오.", "as_of": "2020-03-01"}\n'
        '{"id": "B", "question": "책임을 설명하시오."}\n',
        encoding="utf-8",
    )
    world = World()
    days: list[Any] = []

    class Dated(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            days.append(as_of)
            return super().search(asked)

    world.searcher = Dated(world.clock)
    world.answer(path, tmp_path / "out")
    assert [str(day[0]) if day else None for day in days] == ["2020-03-01", None]
    path.write_text('{"id": "A", "question": "책임?", "as_of": "어제"}\n', encoding="utf-8")
    with pytest.raises(UserError, match="`as_of` is not a date"):
        world.answer(path, tmp_path / "bad")


def test_a_search_knows_the_time_that_answering_has_left_and_counts_what_the_folder_answered(
    tmp_path: Path, few: Path
) -> None:
    world = World()
    left: list[float] = []

    class Limited(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            limits = current_limits()
            assert limits is not None
            left.append(limits.seconds_left())
            limits.searched_locally = len(left) == 1
            return super().search(asked, as_of=as_of, rerank=rerank)

    world.searcher = Limited(world.clock)
    figures = world.answer(few, tmp_path / "a", budget_minutes=30, stall_seconds=1e9)
    assert 0 < figures["searched_locally"] < 23
    assert left == sorted(left, reverse=True)
    assert 0 < left[-1] <= left[0] <= 30 * 60
    left.clear()
    world.answer(few, tmp_path / "b", budget_minutes=30, stall_seconds=7)
    assert left == [7] * len(left), "a search that stalls has no more time than that"
    assert current_limits() is None
