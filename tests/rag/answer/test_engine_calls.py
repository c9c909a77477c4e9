"""Requests to the engine: reasoning before a choice, log-probabilities only where needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import simulation
from worlds import World, rows

from kofinlaw.data.prompting.wording import REASONED_CUE, REASONING_RULE
from kofinlaw.models.engines.base import Generation, Request
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.answer.single_question import ask_question
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.retrieve.query_forms import generate_with


@pytest.mark.parametrize("choose_by", ["score", "generate"])
def test_reasoning_is_written_first_and_the_choice_follows_it(
    tmp_path: Path, few: Path, choose_by: str
) -> None:
    world = World()
    figures = world.answer(
        few, tmp_path / "out", reasoning_tokens=64, answer_form="label", choose_by=choose_by
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


def test_log_probabilities_are_asked_for_only_where_they_are_read() -> None:
    wanted: dict[str, set[bool]] = {}

    class Noting(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            kind = "choice" if requests[0].choices else "reasons"
            wanted.setdefault(kind, set()).update(request.logprob for request in requests)
            return super().generate(requests)

    asked = {"engine": Noting(), "template": simulation.TEMPLATE, "retriever": None}
    reasoned = AnswerSettings(reasoning_tokens=32, choose_by="generate")
    ask_question("기한은?\n1 3일\n2 10일", settings=reasoned, **asked)
    assert wanted == {"reasons": {False}, "choice": {True}}

    wanted.clear()
    generate_with(Noting(), simulation.TEMPLATE)(["검색문을 쓰십시오.", "조문을 쓰십시오."])
    assert wanted == {"reasons": {False}}
