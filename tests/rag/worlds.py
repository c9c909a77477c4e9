"""A simulated machine that answers a file of questions, and what it leaves behind."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import simulation

from kofinlaw.rag.answer.answer_file import answer_questions
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.questions.question_files import read_questions

RECORDS = ("answers.jsonl", "plan.jsonl", "submission.csv", "evidence.jsonl")


class World:
    """A machine: its clock, faults drawn by `seed`, searcher, engines, and what they were asked."""

    def __init__(
        self,
        *,
        faults: Any = None,
        searcher: Any = "fake",
        engine: type[simulation.FaultyEngine] = simulation.FaultyEngine,
        seed: int = 0,
        clock: Any = None,
    ) -> None:
        self.clock = clock or simulation.Clock()
        self.faults = faults or simulation.Faults()
        self.searcher = simulation.FakeSearcher(self.clock) if searcher == "fake" else searcher
        self.engine = engine
        self.engines: list[Any] = []
        self.wall = 1e9
        self.draw = random.Random(seed)

    def open_engine(self) -> Any:
        """Load an engine, which takes its time and may fail."""
        self.clock.now += self.faults.load_seconds
        if self.draw.random() < self.faults.load_crash:
            raise RuntimeError("cannot load")
        self.engines.append(self.engine(self.clock, self.faults, self.draw))
        return self.engines[-1]

    def answer(self, questions: Path, out: Path, **given: Any) -> dict[str, Any]:
        """Answer a file on the simulated clock: arguments of `answer_questions`, its context and settings."""
        own = {n: given.pop(n) for n in ("open_engine", "replay", "model") if n in given}
        around = {n: given.pop(n) for n in ("tracer", "progress", "caller") if n in given}
        context = RunContext(
            **{
                "clock": self.clock,
                "started": self.clock.now,
                "caller": simulation.SimulatedCaller(self.clock),
                "wall_clock": lambda: self.wall,
                **around,
            }
        )
        return answer_questions(
            questions,
            out,
            **{
                "open_engine": self.open_engine,
                "template": simulation.TEMPLATE,
                "retriever": self.searcher,
                "settings": AnswerSettings(**given),
                "context": context,
                **own,
            },
        ).to_record()

    @property
    def prompts(self) -> list[str]:
        """All prompts that reached an engine."""
        return [prompt for engine in self.engines for call in engine.calls for prompt in call]


def rows(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def submitted(folder: Path) -> dict[str, str]:
    """The submission's answers by id."""
    with open(folder / "submission.csv", encoding="utf-8-sig", newline="") as handle:
        return {row["ID"]: row["Answer"] for row in csv.DictReader(handle)}


def assert_complete(folder: Path, questions: Path) -> None:
    """Every question has one valid answer, in order, in the submission and in the records."""
    asked = read_questions(questions).questions
    given = submitted(folder)
    assert list(given) == [q.id for q in asked]
    for question in asked:
        answer = given[question.id]
        if question.options:
            assert answer in {str(n) for n in range(1, len(question.options) + 1)}
        else:
            assert answer.strip()
    answers = rows(folder / "answers.jsonl")
    assert [row["id"] for row in answers] == [q.id for q in asked]
    assert {row["id"]: row["answer"] for row in answers} == given


def same_bytes(one: Path, other: Path, names: tuple[str, ...] = RECORDS) -> None:
    """Two runs left the same records."""
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
