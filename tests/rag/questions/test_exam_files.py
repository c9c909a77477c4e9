"""Exam files: columns and encodings, labels, halves by row, and what is refused."""

import json

import pytest

from kofinlaw import UserError
from kofinlaw.rag.questions.exam_files import exam_rows, read_exam

ROWS = (
    ("점검 이상을 보고하는 기한은?", "2", "1일", "3일", "7일", "10일", "점검", "2025"),
    (
        "점검표의 보관 기간으로 옳지 않은 것은?",
        "4",
        "5년",
        "60개월",
        "다섯 해",
        "3년",
        "보관",
        "2024",
    ),
    ("승인하는 부서는?", "1", "담당부서", "감사부", "영업부", "총무부", "승인", "2025"),
)


def table(rows=ROWS, header="question,answer,A,B,C,D,domain,year"):
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def written(tmp_path, text, name="exam.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_table_gives_questions_keys_rows_and_slices(tmp_path, encoding):
    exam = read_exam(written(tmp_path, table(), encoding=encoding))
    first = exam.questions[0]
    assert (first.question, first.options) == (ROWS[0][0], ("1일", "3일", "7일", "10일"))
    assert [key.answer for key in exam.keys] == ["2", "4", "1"]
    assert [question.id for question in exam.questions] == ["row-0001", "row-0002", "row-0003"]
    assert exam.keys[1].slices == ("domain:보관", "year:2024", "rows:even")
    assert exam.rows == (1, 2, 3)


def test_halves_keep_the_row_of_the_file(tmp_path):
    exam = read_exam(written(tmp_path, table()))
    assert exam_rows(exam, "odd").rows == (1, 3)
    assert exam_rows(exam, "even").rows == (2,)
    assert exam_rows(exam, "all", 2).rows == (1, 2)
    assert [q.id for q in exam_rows(exam, "odd", 1).questions] == ["row-0001"]


@pytest.mark.parametrize(
    ("header", "cells", "options"),
    [
        ("Question,Answer,A,B,C,D,E", "물음은?,5,가,나,다,라,마", ("가", "나", "다", "라", "마")),
        ("question,answer,1,2,3,4,5", "물음은?,3,가,나,다,라,", ("가", "나", "다", "라")),
        ("Category,question,answer,A,B,C", "법,물음은?,c,가,나,다", ("가", "나", "다")),
        ("Question,Answer", '"물음은?\n1 가\n2 나\n3 다",2', ("가", "나", "다")),
    ],
)
def test_options_come_from_letters_numbers_or_the_question(tmp_path, header, cells, options):
    (question,) = read_exam(written(tmp_path, f"{header}\n{cells}\n")).questions
    assert (question.question, question.options) == ("물음은?", options)


def test_json_lines_hold_a_list_of_options_the_house_records_or_lettered_fields(tmp_path):
    listed = {"id": "q1", "question": "물음은?", "options": ["가", "나"], "answer": "나"}
    listed |= {"slices": ["duty"], "as_of": "2025-01-02"}
    lettered = {"question": "다른 물음은?", "A": "가", "B": "나", "C": "다", "D": "라"}
    lettered |= {"answer": 4, "Category": "Law"}
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in (listed, lettered))
    exam = read_exam(written(tmp_path, lines, "exam.jsonl"))
    assert [(q.id, q.as_of) for q in exam.questions] == [("q1", "2025-01-02"), ("row-0002", "")]
    assert [key.answer for key in exam.keys] == ["2", "4"]
    assert exam.keys[0].slices == ("duty", "rows:odd")
    assert exam.keys[1].slices == ("category:Law", "rows:even")


def test_a_key_file_gives_the_answers(tmp_path):
    asked = written(
        tmp_path, '{"id": "q1", "question": "물음은?", "options": ["가", "나"]}', "q.jsonl"
    )
    key = written(tmp_path, '{"id": "q1", "answer": "2", "slices": ["duty"]}', "key.jsonl")
    exam = read_exam(asked, key)
    assert (exam.keys[0].answer, exam.keys[0].slices) == ("2", ("duty", "rows:odd"))
    other = written(tmp_path, '{"id": "q2", "answer": "2"}', "other.jsonl")
    with pytest.raises(UserError, match=r"q\.jsonl:1: the question `q1` has no answer"):
        read_exam(asked, other)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("question,answer,A,B,C,D\n", "the exam has no question"),
        ("stem,answer,A,B,C,D\n가,1,가,나,다,라\n", r"exam\.csv:1: no column `question`"),
        ("question,A,B,C,D\n가,가,나,다,라\n", r"exam\.csv:1: no column `answer`"),
        ("question,answer,A,B,a\n가,1,가,나,다\n", r"exam\.csv:1: more than one column `a`"),
        ("question,answer\n가는 무엇인가?,1\n", r"exam\.csv:2: the question has no options"),
        ("question,answer,A,B,C,D\n가,5,가,나,다,라\n", r"exam\.csv:2: the answer '5' names none"),
        ("question,answer,A,B,C,D\n가,0,가,나,다,라\n", "names none of the 4 options"),
        ("question,answer,A,B,C,D\n가,,가,나,다,라\n", "the answer is empty"),
        ("question,answer,A,B,C,D\n가,1,가,,다,라\n", r"exam\.csv:2: option 2 is empty"),
        ("question,answer,A,B,C,D\n가,1,가,나,다,\n", "option 4 is empty"),
        ("question,answer,A,B,C,D\n ,1,가,나,다,라\n", "the question is empty"),
        ("question,answer,A,B,C,D\n가,1,가,나\n", r"exam\.csv:2: the row has 4 cells"),
        (
            "id,question,answer,A,B\nx,가,1,가,나\nx,나,1,가,나\n",
            r"exam\.csv:3: the id `x` is used on line 2",
        ),
    ],
)
def test_a_mistake_is_one_error_with_its_line(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        read_exam(written(tmp_path, text))


def test_files_that_cannot_be_read_are_named(tmp_path):
    for name in ("none.csv", "none.jsonl"):
        with pytest.raises(UserError, match=name):
            read_exam(tmp_path / name)
    with pytest.raises(UserError, match="neither UTF-8 nor CP949"):
        read_exam(raw(tmp_path, b"question,answer\n\xff\x00\xfe"))
    with pytest.raises(UserError, match=r"exam\.jsonl:1"):
        read_exam(written(tmp_path, '{"id": "q1", "options": ["가"]}', "exam.jsonl"))


def raw(tmp_path, content):
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    return path


def test_several_right_answers_other_names_and_doubts(tmp_path):
    text = (
        '번호,문제,정답,보기①,보기②,보기③\nx,옳은 것은?,"①, ③",갑,을,병\ny,기한은?,3번,갑,을,을\n'
    )
    exam = read_exam(written(tmp_path, text, encoding="cp949"))
    assert [(key.id, key.answer, key.labels) for key in exam.keys] == [
        ("x", "1,3", ("1", "3")),
        ("y", "3", ("3",)),
    ]
    assert [(doubt.id, doubt.line) for doubt in exam.doubts] == [("y", 3)]
    with pytest.raises(UserError, match=r"exam\.csv:2: the question asks for all right options"):
        read_exam(written(tmp_path, text.replace("옳은 것은?", "모두 고르시오.")))
