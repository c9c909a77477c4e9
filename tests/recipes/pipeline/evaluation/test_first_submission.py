"""The submission that is written before anything heavy."""

import csv

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.evaluation.first_submission import write_first_submission

QUESTIONS = "ID,Question\nQ1,기간은?\\n1 1년\\n2 3년\nF1,설명하시오.\n"


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text(QUESTIONS.replace("\\n", "\n").replace("기간은", '"기간은', 1).replace(
        "2 3년", '2 3년"'), encoding="utf-8")  # fmt: skip
    return path


def test_it_is_complete_and_an_earlier_one_is_kept(questions, tmp_path):
    out = tmp_path / "out"
    assert write_first_submission(questions, out)
    with open(out / "submission.csv", encoding="utf-8-sig", newline="") as handle:
        rows = {row["ID"]: row["Answer"] for row in csv.DictReader(handle)}
    assert rows.keys() == {"Q1", "F1"}
    assert rows["Q1"] in ("1", "2")
    assert rows["F1"]
    (out / "submission.csv").write_text("better", encoding="utf-8")
    assert not write_first_submission(questions, out)
    assert (out / "submission.csv").read_text("utf-8") == "better"


def test_a_question_file_that_cannot_be_used_leaves_nothing(tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError):
        write_first_submission(tmp_path / "bad.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()
