"""The same file answered several times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.rag.answer.answer_book import AnsweringResult
from kofinlaw.rag.answer.repeats import repeat
from kofinlaw.records import Answer, Question

QUESTIONS = (
    Question("A", "무엇?", ("가", "나")),
    Question("B", "무엇?", ("가", "나")),
    Question("F", "설명하시오."),
)


def runner(choices: list[str], seconds: list[float]) -> Any:
    """Answers run by run: two labels each, the free text always the same."""
    done: list[Path] = []

    def answer_once(folder: Path) -> AnsweringResult:
        number = len(done)
        done.append(folder)
        folder.mkdir(parents=True)
        texts = {"A": choices[number][0], "B": choices[number][1], "F": "배상한다."}
        write_jsonl(folder / "answers.jsonl", [Answer(i, t, (), 1.0, 0) for i, t in texts.items()])
        return AnsweringResult(
            questions=3,
            choice=2,
            free=1,
            fallback=number,
            turns=3,
            tokens=0,
            seconds_used=seconds[number],
            budget_seconds=None,
            seconds_p50=0.0,
            seconds_p95=0.0,
            plans={},
            events={},
        )

    return answer_once


def test_time_accuracy_and_agreement_have_a_mean_and_a_spread(tmp_path: Path) -> None:
    found = repeat(
        runner(["11", "11", "12"], [60.0, 120.0, 180.0]),
        QUESTIONS,
        tmp_path,
        3,
        labels={"A": "1", "B": "2"},
    )
    assert (found.minutes.mean, found.minutes.deviation) == (2.0, 1.0)
    assert (found.minutes.low, found.minutes.high) == (1.0, 3.0)
    assert found.accuracy is not None
    assert found.accuracy.mean == pytest.approx((0.5 + 0.5 + 1.0) / 3)
    # Of the three pairs of runs one agrees on both questions and two on one of them.
    assert found.agreement == pytest.approx(4 / 6)
    assert found.text_similarity == 1.0
    assert json.loads((tmp_path / "repeats.json").read_text("utf-8"))["runs"] == 3
    assert "3 runs: 2 ± 1 (1 to 3) minutes" in found.lines()[0]


def test_without_a_key_there_is_no_accuracy_and_one_run_has_no_spread(tmp_path: Path) -> None:
    found = repeat(runner(["12", "12"], [1.0, 1.0]), QUESTIONS, tmp_path / "a", 2)
    assert (found.accuracy, found.agreement) == (None, 1.0)
    with pytest.raises(UserError, match="two runs or more"):
        repeat(runner(["12"], [1.0]), QUESTIONS, tmp_path / "b", 1)
