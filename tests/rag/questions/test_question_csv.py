"""CSV encodings: CP949 is read, binary files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.rag.questions.question_csv import converted_form, decoded
from kofinlaw.rag.questions.question_files import read_questions

CONTEST = (
    "ID,Question\r\n"
    'TEST_000,"전자금융거래법상 접근매체에 해당하지 않는 것은?\r\n1 전자식 카드\r\n2 비밀번호\r\n'
    '3 전화번호\r\n4 인증서"\r\n'
    "TEST_001,전자금융사고의 책임을 설명하세요.\r\n"
)


def test_cp949_gives_the_same_questions(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(CONTEST.encode("cp949"))
    assert read_questions(path).questions[1].question == "전자금융사고의 책임을 설명하세요."


def test_binary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(UserError, match="neither UTF-8 nor CP949"):
        read_questions(path)


@pytest.mark.parametrize(
    ("encoding", "form"),
    [("cp949", "CP949"), ("utf-16", "UTF-16"), ("utf-8-sig", ""), ("utf-8", "")],
)
def test_a_submission_in_another_form_than_its_questions_is_named(tmp_path, encoding, form):
    path = tmp_path / "test.csv"
    path.write_bytes(CONTEST.encode(encoding))
    assert converted_form(path) == form
    assert bool(form) == (decoded(path)[1] != encoding)
