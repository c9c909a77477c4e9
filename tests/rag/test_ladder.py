"""The steps between the best answer and none: votes, reasoning, reranker, replay, pauses."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from kofinlaw import UserError
from kofinlaw.data.prompting import NO_EVIDENCE, REASONED_CUE, REASONING_RULE
from kofinlaw.data.records import Question
from kofinlaw.models.settings import TraceSettings
from kofinlaw.models.tracing import NO_TRACE, open_tracer
from kofinlaw.rag.agreement import combine
from kofinlaw.rag.answer import answer_questions
from kofinlaw.rag.calls import ThreadCaller
from kofinlaw.rag.journal import Turn
from kofinlaw.rag.settings import AnswerSettings, RagSettings

_spec = importlib.util.spec_from_file_location(
    "simulation", Path(__file__).with_name("simulation.py")
)
assert _spec is not None
assert _spec.loader is not None
simulation = importlib.util.module_from_spec(_spec)
sys.modules["simulation"] = simulation
_spec.loader.exec_module(simulation)


class World:
    """A simulated machine: its clock, engine, searcher, and what it was asked."""

    def __init__(self, *, faults: Any = None, searcher: Any = "fake") -> None:
        self.clock = simulation.Clock()
        self.faults = faults or simulation.Faults()
        self.searcher = simulation.FakeSearcher(self.clock) if searcher == "fake" else searcher
        self.engines: list[Any] = []
        self.wall = 1e9

    def open_engine(self) -> Any:
        self.clock.now += self.faults.load_seconds
        self.engines.append(simulation.FaultyEngine(self.clock, self.faults, random.Random(0)))
        return self.engines[-1]

    def answer(self, questions: Path, out: Path, **settings: Any) -> dict[str, Any]:
        replay = settings.pop("replay", None)
        tracer = settings.pop("tracer", NO_TRACE)
        return answer_questions(
            questions,
            out,
            open_engine=self.open_engine,
            template=simulation.TEMPLATE,
            retriever=self.searcher,
            settings=AnswerSettings(**settings),
            clock=self.clock,
            caller=simulation.SimulatedCaller(self.clock),
            wall_clock=lambda: self.wall,
            replay=replay,
            tracer=tracer,
        )

    @property
    def prompts(self) -> list[str]:
        return [prompt for engine in self.engines for call in engine.calls for prompt in call]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return simulation.question_file(tmp_path, 20, 3, random.Random(3))


@pytest.mark.parametrize("choose_by", ["score", "generate"])
def test_reasoning_is_written_first_and_the_choice_follows_it(
    tmp_path: Path, questions: Path, choose_by: str
) -> None:
    world = World()
    figures = world.answer(
        questions, tmp_path / "out", reasoning_tokens=64, answer_form="label", choose_by=choose_by
    )
    assert figures["fallback"] == 0
    first, second = (
        [p for p in world.prompts if REASONING_RULE in p and p.endswith(end)]
        for end in ("<assistant>", REASONED_CUE)
    )
    assert len(first) == len(second) == 20
    assert all(any(p.startswith(q) for q in first) for p in second)
    turns = [turn for turn in rows(tmp_path / "out/plan.jsonl") if turn["scores"]]
    assert all(turn["reasoning"] for turn in turns)


def test_reasoning_goes_before_evidence_does(tmp_path: Path, questions: Path) -> None:
    settings = {"reasoning_tokens": 400, "answer_form": "label", "budget_minutes": 60}
    world = World(faults=simulation.Faults(seconds_per_token=0.0005))
    world.answer(questions, tmp_path / "free", **settings)
    spent = world.clock.now - 1000.0
    settings |= {"budget_minutes": spent / 60 * 0.9, "reserve_minutes": 0.01}
    world = World(faults=simulation.Faults(seconds_per_token=0.0005))
    figures = world.answer(questions, tmp_path / "tight", **settings)
    assert figures["plan_no-reasoning"] > 0
    assert figures["plan_half-context"] == figures["plan_label-only"] == 0
    assert figures["fallback"] == 0


def test_votes_are_spent_where_the_answer_is_least_sure(tmp_path: Path, questions: Path) -> None:
    world = World()
    figures = world.answer(
        questions, tmp_path / "out", votes=5, choose_by="generate", batch_questions=4
    )
    assert figures["turns"] == 23 * 5
    some = World()
    whole = world.clock.now - 1000.0
    figures = some.answer(
        questions, tmp_path / "some", votes=5, choose_by="generate", batch_questions=4,
        budget_minutes=whole / 60 * 0.5, reserve_minutes=0.01,
    )  # fmt: skip
    assert figures["fallback"] == 0
    assert 23 < figures["turns"] < 23 * 5
    turns = rows(tmp_path / "some/plan.jsonl")
    sure = {t["id"]: max(t["scores"]) for t in turns if t["scores"] and t["turn"] == 0}
    again = {t["id"] for t in turns if t["scores"] and t["turn"] == 1}
    if again and again != set(sure):
        assert max(sure[i] for i in again) <= min(sure[i] for i in set(sure) - again)


def test_written_choices_are_counted_and_not_averaged() -> None:
    question = Question("q", "무엇?", ("가", "나", "다"))

    def turn(number: int, scores: list[float], text: str) -> Turn:
        return Turn("q", number, "full", 0, 10, 1, scores=scores, text=text)

    turns = [
        turn(0, [0.98, 0.01, 0.01], "1"),
        turn(1, [0.3, 0.4, 0.3], "2"),
        turn(2, [0.3, 0.4, 0.3], "2"),
    ]
    answer = combine(question, turns, ())
    assert answer is not None
    assert (answer.answer, answer.confidence) == ("2", pytest.approx(2 / 3, abs=1e-6))
    scored = [turn(t.turn, t.scores, "") for t in turns]
    averaged = combine(question, scored, ())
    assert averaged is not None
    assert averaged.answer == "1"


def test_the_reranker_goes_before_labels_are_scored_without_evidence(
    tmp_path: Path, questions: Path
) -> None:
    class Reranking(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            self.clock.now += 8.0 * len(asked) if rerank else 0.0
            return super().search(asked)

    def world() -> World:
        one = World()
        one.searcher = Reranking(one.clock)
        one.searcher.settings = RagSettings(evidence_tokens=400, reranker="llm")
        return one

    plenty = world().answer(questions, tmp_path / "a", budget_minutes=60)
    assert "reranker_left_out" not in plenty
    tight = world().answer(
        questions, tmp_path / "b", budget_minutes=2, reserve_minutes=0.1, batch_questions=4
    )
    assert tight["reranker_left_out"] == 1
    assert tight["fallback"] == 0
    assert tight["plan_full"] > tight["plan_label-only"]


def test_a_replayed_plan_gives_the_same_bytes_whatever_the_clock_says(
    tmp_path: Path, questions: Path
) -> None:
    settings = {"votes": 3, "permutations": 3, "reasoning_tokens": 64, "batch_questions": 4}
    slow = World(faults=simulation.Faults(seconds_per_token=0.001, empty=0.1))
    figures = slow.answer(
        questions, tmp_path / "first", budget_minutes=3, reserve_minutes=0.1, **settings
    )
    plans = {turn["plan"] for turn in rows(tmp_path / "first/plan.jsonl")}
    assert len(plans) > 1
    plan = tmp_path / "first" / "plan.jsonl"
    world = World(searcher=slow.searcher)
    again = world.answer(questions, tmp_path / "again", replay=plan, **settings)
    for name in ("answers.jsonl", "plan.jsonl", "submission.csv", "evidence.jsonl"):
        one, other = (tmp_path / run / name for run in ("first", "again"))
        assert one.read_bytes() == other.read_bytes(), name
    assert again["turns"] == figures["turns"]


def test_a_plan_of_other_questions_is_refused(tmp_path: Path, questions: Path) -> None:
    World().answer(questions, tmp_path / "first")
    (tmp_path / "other").mkdir()
    other = simulation.question_file(tmp_path / "other", 2, 1, random.Random(9))
    with pytest.raises(UserError, match="other questions"):
        World().answer(other, tmp_path / "again", replay=tmp_path / "first" / "plan.jsonl")


def test_free_text_for_which_nothing_is_found_says_so(tmp_path: Path, questions: Path) -> None:
    world = World()
    world.searcher = simulation.FakeSearcher(world.clock, finds=False)
    figures = world.answer(questions, tmp_path / "out")
    assert (figures["nothing_found"], figures["fallback"]) == (3, 3)
    said = {row["answer"] for row in rows(tmp_path / "out/answers.jsonl") if row["id"][0] == "F"}
    assert said == {NO_EVIDENCE}
    world = World()
    world.searcher = simulation.FakeSearcher(world.clock, finds=False)
    assert world.answer(questions, tmp_path / "b", without_evidence="answer")["fallback"] == 0


def test_a_free_answer_may_open_with_the_questions_subject(tmp_path: Path, questions: Path) -> None:
    World().answer(questions, tmp_path / "out", free_opening=True)
    free = [row for row in rows(tmp_path / "out/answers.jsonl") if row["id"][0] == "F"]
    assert all(row["answer"].startswith("금융회사의 배상책임 ") for row in free)


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
    with pytest.raises(UserError, match="`as_of` is no day"):
        world.answer(path, tmp_path / "bad")


@pytest.mark.parametrize(
    ("count_pauses", "set_forward", "left_to_the_fallback"),
    [(False, 7200.0, False), (True, 7200.0, True), (True, -1e6, False), (True, 60.0, False)],
)
def test_the_time_between_a_kill_and_the_next_start_counts_when_asked(
    tmp_path: Path,
    questions: Path,
    count_pauses: bool,
    set_forward: float,
    left_to_the_fallback: bool,
) -> None:
    world = World()
    world.answer(questions, tmp_path / "out", budget_minutes=60, count_pauses=count_pauses)
    (tmp_path / "out" / "plan.jsonl").unlink()
    world.wall += set_forward
    figures = world.answer(
        questions, tmp_path / "out", budget_minutes=60, count_pauses=count_pauses
    )
    assert (figures["fallback"] == 23) == left_to_the_fallback


def test_a_question_file_that_changes_meanwhile_is_answered_as_it_was_read(
    tmp_path: Path, questions: Path
) -> None:
    world = World()

    class Meddling(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            questions.write_text("ID,Question\nA,설명하세요.\n", encoding="utf-8")
            return super().search(asked)

    world.searcher = Meddling(world.clock)
    figures = world.answer(questions, tmp_path / "out")
    assert figures["question_file_changed"] == 1
    assert (figures["questions"], figures["fallback"]) == (23, 0)
    assert len((tmp_path / "out/submission.csv").read_text("utf-8-sig").splitlines()) >= 24


def test_later_questions_are_searched_while_earlier_ones_are_answered(
    tmp_path: Path, questions: Path
) -> None:
    clock = simulation.Clock()
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

    figures = answer_questions(
        questions,
        tmp_path / "out",
        open_engine=lambda: Answering(clock, simulation.Faults(), random.Random(0)),
        template=simulation.TEMPLATE,
        retriever=Searching(clock),
        settings=AnswerSettings(),
        caller=ThreadCaller(),
    )
    assert figures["fallback"] == 0
    World().answer(questions, tmp_path / "one-by-one")
    for name in ("answers.jsonl", "evidence.jsonl", "plan.jsonl"):
        one, other = (tmp_path / run / name for run in ("out", "one-by-one"))
        assert one.read_bytes() == other.read_bytes(), name


def test_a_retriever_that_asks_the_model_is_lent_the_engine(
    tmp_path: Path, questions: Path
) -> None:
    threads: set[str] = set()

    class Asking(simulation.FakeSearcher):
        left_out = ("reranker llm",)
        engine = None

        def use_model(self, engine: Any, template: Any) -> None:
            self.engine, self.left_out = engine, ()

        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            threads.add(threading.current_thread().name)
            assert self.engine is not None
            return super().search(asked)

    class Engine(simulation.FaultyEngine):
        def score(self, prompts: Any, choices: Any) -> Any:
            threads.add(threading.current_thread().name)
            return super().score(prompts, choices)

    clock = simulation.Clock()
    figures = answer_questions(
        questions,
        tmp_path / "out",
        open_engine=lambda: Engine(clock, simulation.Faults(), random.Random(0)),
        template=simulation.TEMPLATE,
        retriever=Asking(clock),
        settings=AnswerSettings(),
    )
    assert figures["fallback"] == 0
    assert "search_failures" not in figures
    assert len(threads) == 1, "the engine is asked from one thread only"


@pytest.mark.parametrize("redact", [False, True])
def test_every_call_is_traced_with_the_questions_it_was_for(
    tmp_path: Path, questions: Path, redact: bool
) -> None:
    out = tmp_path / "out"
    world = World()
    with open_tracer(TraceSettings(redact=redact), out) as tracer:
        world.answer(questions, out, reasoning_tokens=64, votes=2, tracer=tracer)
    spans = rows(out / "traces.jsonl")
    assert {span["name"] for span in spans} == {"retrieval", "generate"}
    asked = {
        (item["id"], item["turn"]) for s in spans if s["name"] == "generate" for item in s["items"]
    }
    assert asked == {(turn["id"], turn["turn"]) for turn in rows(out / "plan.jsonl")}
    searched = [i["id"] for s in spans if s["name"] == "retrieval" for i in s["items"]]
    assert len(searched) == len(set(searched)) == 23
    assert ("손해를" in (out / "traces.jsonl").read_text("utf-8")) != redact
