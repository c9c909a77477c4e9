import json
import unicodedata

import pytest

from kofinlaw import UserError
from kofinlaw.scoring.answers import read_answers, read_timings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_the_contests_csv_is_read_in_its_encodings(tmp_path, encoding):
    path = tmp_path / "submission.csv"
    path.write_bytes(
        'ID,Question,Answer\nT1,"줄\n바꿈",3\nT2,질문,"쉼표, 따옴표 ""인용"""\n'.encode(encoding)
    )
    found = read_answers(path).answers
    assert {name: a.answer for name, a in found.items()} == {"T1": "3", "T2": '쉼표, 따옴표 "인용"'}


def test_answers_without_an_id_or_a_column_are_refused_with_their_place(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a", "answer": "1"}\n{"answer": "2"}\n')
    with pytest.raises(UserError, match=r"a\.jsonl:2"):
        read_answers(tmp_path / "a.jsonl")
    (tmp_path / "a.csv").write_text("ID,Response\n1,2\n")
    with pytest.raises(UserError, match="no answer column"):
        read_answers(tmp_path / "a.csv")
    with pytest.raises(UserError, match="no such file"):
        read_answers(tmp_path / "none.jsonl")


def test_timings_are_summed_from_parts_or_taken_whole(tmp_path):
    path = tmp_path / "timings.jsonl"
    path.write_text(
        '{"id": "a", "retrieve": 0.5, "prefill": 1, "decode": 0, "total": 1.5, "turns": 1}\n{"id": "b", "seconds": {"prefill": 1, "decode": 2}}\n{"id": "a", "total": 0.5}\n{"id": "c", "total": NaN}\n'
    )
    seconds, rows = read_timings(path)
    assert seconds == {"a": 2.0, "b": 3.0, "c": 0.0}
    assert len(rows) == 4
    assert read_timings(tmp_path / "none") == ({}, [])


def write(path, text, encoding="utf-8-sig"):
    path.write_bytes(text.encode(encoding))
    return path


def test_answers_without_ids_that_are_not_as_many_are_refused(tmp_path):
    with pytest.raises(UserError, match="2 answers without ids for 3 questions"):
        read_answers(write(tmp_path / "a.csv", "Answer\n1\n2\n"), ["a", "b", "c"])


def test_decomposed_answers_with_marks_are_composed(tmp_path):
    odd = "\u200b".join(unicodedata.normalize("NFD", "은행법"))
    (tmp_path / "a.csv").write_text(f'ID,Answer\n\ufeffT1,"{odd}\u2028x"\n', encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "T1", "answer": odd + "\nx\ud83d"}) + "\n")
    assert read_answers(tmp_path / "a.csv").answers["T1"].answer == "은행법\nx"
    assert read_answers(tmp_path / "a.jsonl").answers["T1"].answer == "은행법\nx\ufffd"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize(
    "header", ["ID,Answer", "id,answer", "번호,답", "문항번호,정답", "question_id,prediction"]
)
def test_submissions_with_other_column_names_and_encodings_are_read(tmp_path, header, encoding):
    path = tmp_path / "submission.csv"
    path.write_bytes(f"{header}\nq1,③\nq2,3번\n".encode(encoding))
    found = read_answers(path).answers
    assert {name: one.answer for name, one in found.items()} == {"q1": "③", "q2": "3번"}
