"""Both right by model, by chance and by solvers that share ties."""

import pytest

from kofinlaw.files import write_jsonl
from kofinlaw.records import Answer, TwinQuestion
from kofinlaw.scoring.twins.twin_figures import twins_record


def question(name, twin, days, answer):
    options = ("삼 개월", "육 개월", "구 개월", "십 개월")
    return TwinQuestion(
        name, "기간은?", options, (f"기간은 {days} 개월로 한다.",), answer, False, twin
    )


def test_both_right_needs_both_and_solvers_are_credited_on_each(tmp_path):
    pairs = [question("a", "b", "삼", "1"), question("b", "a", "육", "2")]
    pairs += [question("c", "d", "구", "3"), question("d", "c", "십", "4")]
    write_jsonl(tmp_path / "twins.jsonl", pairs)
    given = {"a": "1", "b": "2", "c": "3", "d": "3"}
    write_jsonl(
        tmp_path / "base" / "answers.jsonl",
        [Answer(name, label, (), 0.5, 1) for name, label in given.items()],
    )
    record = twins_record(tmp_path / "twins.jsonl", {"base": tmp_path / "base"})
    assert (record["pairs"], record["chance"]) == (2, 1 / 16)
    assert record["models"]["base"] == {"both": 0.5, "each": 0.75, "unmoved": 0.5}
    assert record["solvers"]["look_up"] == 1
    # All stems and all lengths but one option's are equal: ties are shared.
    assert record["solvers"]["stem_overlap"] == pytest.approx(1 / 16)


def test_without_pairs_there_is_no_record(tmp_path):
    write_jsonl(tmp_path / "twins.jsonl", [])
    assert twins_record(tmp_path / "twins.jsonl", {}) is None
