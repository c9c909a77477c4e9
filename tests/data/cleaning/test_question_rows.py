"""Rows of Parquet tables and JSON lists: equal to what was written, or one clear error."""

import json

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.cleaning.contamination import read_protected
from kofinlaw.data.cleaning.question_rows import question_rows
from kofinlaw.rag.questions.exam_files import read_exam

TEXTS = st.text("가나다라마바사 제조항호", min_size=1, max_size=12).map(str.strip).filter(bool)
ITEMS = st.lists(
    st.tuples(TEXTS, st.lists(TEXTS, min_size=2, max_size=5, unique=True)), min_size=1, max_size=4
)


def rows_of(items):
    return [
        {"id": f"q{n}", "question": stem, "options": options, "answer": n % len(options) + 1}
        for n, (stem, options) in enumerate(items)
    ]


def write(folder, rows, form):
    path = folder / f"exam.{form}"
    if form == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif form == "json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    else:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
    return path


@seed(18)
@settings(max_examples=15, deadline=None)
@given(items=ITEMS)
def test_every_form_gives_the_same_exam_and_the_same_protected_texts(items, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    rows = rows_of(items)
    paths = [write(folder, rows, form) for form in ("jsonl", "ndjson", "json", "parquet")]
    exams = [read_exam(path) for path in paths]
    assert [q.options for q in exams[0].questions] == [tuple(row["options"]) for row in rows]
    assert [key.answer for key in exams[0].keys] == [str(row["answer"]) for row in rows]
    for path, exam in zip(paths, exams, strict=True):
        assert (exam.questions, exam.keys) == (exams[0].questions, exams[0].keys)
        assert read_protected(path) == ["\n".join([r["question"], *r["options"]]) for r in rows]


def test_a_truncated_table_is_one_error_with_the_file(tmp_path):
    path = write(tmp_path, rows_of([("물음은?", ["가", "나"])]), "parquet")
    path.write_bytes(path.read_bytes()[:-40])
    for read in (read_exam, read_protected):
        with pytest.raises(UserError, match=r"exam\.parquet: the Parquet file cannot be read"):
            read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "broken JSON"),
        ("[", "broken JSON"),
        ('{"question": "가"}', "the JSON file is not a list"),
        ('[{"question": "가"}, 3]', r"exam\.json:2: the item is not an object"),
        ("[]", "the exam has no question"),
        ('[{"stem": "가", "answer": 1}]', r"exam\.json:1: this line has no `question`"),
        ('[{"question": "가", "options": ["나", "다"], "answer": 3}]', "names none"),
    ],
)
def test_wrong_json_is_one_error(tmp_path, text, said):
    path = tmp_path / "exam.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        read_exam(path)


def test_bytes_that_are_not_text_and_missing_files_are_named(tmp_path):
    path = tmp_path / "exam.json"
    path.write_bytes(b"[\xff\x00\xfe")
    with pytest.raises(UserError, match=r"exam\.json"):
        list(question_rows(path))
    with pytest.raises(UserError, match=r"none\.parquet: no such file"):
        question_rows(tmp_path / "none.parquet")
