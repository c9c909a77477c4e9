"""The submission keeps columns, order and encoding of the question file or the sample."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.rag.questions.submission import read_sheet, write_submission


def test_submission_keeps_columns_order_and_encoding(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + "Answer,Question,ID,Note\r\n0,설명하세요.,A,메모\r\n".encode()
    )
    file = read_questions(path)
    write_submission(tmp_path / "s.csv", read_sheet(file), {"A": "답"})
    assert (tmp_path / "s.csv").read_bytes() == (
        b"\xef\xbb\xbf" + "Answer,Question,ID,Note\r\n답,설명하세요.,A,메모\r\n".encode()
    )


def test_sample_submission_decides_columns_and_rows(tmp_path: Path) -> None:
    path, sample = tmp_path / "test.csv", tmp_path / "sample.csv"
    path.write_text("ID,Question\nA,가?\nB,나?\n", encoding="utf-8")
    sample.write_text("ID,Answer\nB,0\nA,0\n", encoding="utf-8")
    file = read_questions(path)
    write_submission(tmp_path / "s.csv", read_sheet(file, sample), {"A": "답가", "B": "답나"})
    rows = list(csv.reader(io.StringIO((tmp_path / "s.csv").read_text(encoding="utf-8"))))
    assert rows == [["ID", "Answer"], ["B", "답나"], ["A", "답가"]]
    sample.write_text("ID,Answer\nB,0\n", encoding="utf-8")
    with pytest.raises(UserError, match="no row for `A`"):
        read_sheet(file, sample)


def test_a_sample_with_other_column_names_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("ID,Question\na,설명하시오.\n", encoding="utf-8")
    (tmp_path / "sample.csv").write_text("번호,답\na,\n", encoding="utf-8")
    file = read_questions(tmp_path / "q.csv")
    write_submission(tmp_path / "s.csv", read_sheet(file, tmp_path / "sample.csv"), {"a": "끝"})
    assert (tmp_path / "s.csv").read_text(encoding="utf-8") == "번호,답\na,끝\n"
