"""Keys in other names and forms, several right answers, and what is refused with its line."""

from __future__ import annotations

import json

import pytest

from kofinlaw import UserError
from kofinlaw.rag.questions.key_files import read_keys
from kofinlaw.records import Question

ASKED = [
    Question("a", "옳은 것은?", ("갑", "을", "병", "정")),
    Question("b", "해당하는 것을 모두 고르시오.", ("갑", "을", "병", "정")),
    Question("c", "설명하시오."),
]


def written(tmp_path, *rows):
    path = tmp_path / "key.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("answer", "label"),
    [("③", "3"), ("3번", "3"), (3, "3"), ("C", "3"), ("병", "3"), ("1,3", "1,3"), ([3, 1], "1,3")],
)
def test_answers_become_labels_and_other_names_are_read(tmp_path, answer, label):
    for names in (("id", "answer"), ("번호", "정답")):
        (key,) = read_keys(written(tmp_path, dict(zip(names, ("a", answer), strict=True))), ASKED)
        assert (key.id, key.answer) == ("a", label)
    assert key.labels == tuple(label.split(","))


def test_a_reference_and_the_key_of_an_unknown_question_stay(tmp_path):
    rows = {"id": "c", "reference": "보안"}, {"id": "x", "answer": "③"}
    assert [key.answer for key in read_keys(written(tmp_path, *rows), ASKED)] == ["", "③"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": "a", "answer": "모름"}], r"key\.jsonl:1: the answer '모름' names none of the 4"),
        ([{"id": "a"}], "the answer is empty"),
        ([{"id": "c"}, {"id": "a", "answer": 9}], r"key\.jsonl:2"),
        ([{"id": "b", "answer": "1,3"}], "asks for all right options"),
        ([{"id": "a", "answer": "1"}, {"id": "a", "answer": "2"}], "used on line 1"),
        ([{"answer": "1"}], "not a Key record"),
        ([{"id": "a", "answer": "1", "hint": "x"}], "not a Key record"),
    ],
)
def test_keys_that_cannot_be_read_are_refused_with_their_line(tmp_path, rows, said):
    with pytest.raises(UserError, match=said):
        read_keys(written(tmp_path, *rows), ASKED)
