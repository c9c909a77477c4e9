"""Question files as people send them: CSV, JSON Lines and mistakes in them."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.rag.questions.submission import read_sheet, write_submission
from kofinlaw.records import Question

CONTEST = (
    "ID,Question\r\n"
    'TEST_000,"전자금융거래법상 접근매체에 해당하지 않는 것은?\r\n1 전자식 카드\r\n2 비밀번호\r\n'
    '3 전화번호\r\n4 인증서"\r\n'
    "TEST_001,전자금융사고의 책임을 설명하세요.\r\n"
)


def test_contest_file_with_mark_and_windows_newlines_is_read(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(b"\xef\xbb\xbf" + CONTEST.encode())
    file = read_questions(path)
    assert file.questions == (
        Question(
            "TEST_000",
            "전자금융거래법상 접근매체에 해당하지 않는 것은?",
            ("전자식 카드", "비밀번호", "전화번호", "인증서"),
        ),
        Question("TEST_001", "전자금융사고의 책임을 설명하세요."),
    )
    assert (file.columns, file.encoding, file.newline) == (
        ("ID", "Question"),
        "utf-8-sig",
        "\r\n",
    )


@pytest.mark.parametrize(
    "content, message, where",
    [
        ("", "empty", ""),
        ("ID,Question\n", "no questions", ""),
        ("ID,Text\nA,가\n", "no column `Question`", ":1"),
        ("ID,Question\nA,가\nA,나\n", "used on line 2", ":3"),
        ("ID,Question\nA,가\n\nB,나\n", "row is blank", ":3"),
        ("ID,Question\nA,가\n,\n", "row is blank", ":3"),
        ("ID,Question\nA,\n", "`A` is empty", ":2"),
        ("ID,Question\n,가\n", "has no id", ":2"),
        ("ID,Question\nA,가,나\n", "3 cells", ":2"),
        ('ID,Question\nA,"가\n', "not CSV", ":"),
        (
            'ID,Question\nA,"뭘까?\n' + "\n".join(f"{n} 답" for n in range(1, 13)) + '"\n',
            "12 options",
            ":2",
        ),
        ('ID,Question\nA,"뭘까?\n1 답\n2 "\n', "option 2 is empty", ":2"),
    ],
)
def test_each_mistake_names_its_line(
    tmp_path: Path, content: str, message: str, where: str
) -> None:
    path = tmp_path / "q.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_questions(path)
    assert message in str(caught.value)
    assert where in caught.value.where


def test_json_lines_with_and_without_options(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    lines = [
        {"id": "a", "question": "옳은 것은?", "options": ["가", "나"]},
        {"ID": "b", "Question": "옳은 것은?\n1 가\n2 나"},
        {"id": "c", "question": "설명하세요.", "options": []},
    ]
    path.write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), encoding="utf-8")
    file = read_questions(path)
    assert [q.options for q in file.questions] == [("가", "나"), ("가", "나"), ()]
    write_submission(tmp_path / "s.csv", read_sheet(file), {"a": "1", "b": "2", "c": "답, 끝"})
    assert (tmp_path / "s.csv").read_text(encoding="utf-8") == 'ID,Answer\na,1\nb,2\nc,"답, 끝"\n'


def test_decomposed_korean_of_a_mac_is_composed(tmp_path: Path) -> None:
    questions = []
    for form in ("NFC", "NFD"):
        row = {"id": "1", "question": "기한은?", "options": ["사흘", "열흘"]}
        text = unicodedata.normalize(form, CONTEST)
        (tmp_path / "q.csv").write_text(text, encoding="utf-8")
        line = unicodedata.normalize(form, json.dumps(row, ensure_ascii=False))
        (tmp_path / "q.jsonl").write_text(line, encoding="utf-8")
        names = ("q.csv", "q.jsonl")
        questions.append([read_questions(tmp_path / name).questions for name in names])
    assert questions[0] == questions[1]


@pytest.mark.parametrize("name", ["q.csv", "q.jsonl"])
def test_decomposed_questions_with_marks_are_the_same_questions(tmp_path, name):
    stem, options = "은행법 第三條에 따른 것은?", ("은행은 쓴다", "은행은 안 쓴다")
    odd = "\u200b".join(unicodedata.normalize("NFD", stem))
    listed = [unicodedata.normalize("NFD", f"{o}\u2060") for o in options]
    path = tmp_path / name
    if name == "q.csv":
        lines = "\n".join(f"{n} {option}" for n, option in enumerate(listed, 1))
        path.write_text(f'\ufeffID,Question\n\ufeffT1,"{odd}\n{lines}\x00"\n', encoding="utf-8")
    else:
        rows = json.dumps({"id": "T1", "question": odd + "\ud83d", "options": listed})
        path.write_text("\ufeff" + rows + "\n", encoding="utf-8")
    (question,) = read_questions(path).questions
    assert (question.id, question.options) == ("T1", options)
    assert question.question.rstrip("\ufffd") == "은행법 제3조에 따른 것은?"


def test_doubtful_questions_and_notes_are_listed_with_line_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(
        'ID,Question\na,"옳은 것은?\n1) 갑\n2) 을\n정답: 1"\nb,다음 중 옳은 것은?\n'
        'c,"다음 중 옳은 것은?\n1) 갑\n2) 을\n4) 병"\nd,의무를 설명하시오.\n',
        encoding="utf-8",
    )
    file = read_questions(path)
    assert [(doubt.id, doubt.line) for doubt in file.doubts] == [("b", 6), ("c", 7)]
    lines = file.doubt_lines()
    assert len(lines) == 3
    assert "1 of 4 questions are doubtful" in lines[0]
    assert "b (line 6)" in lines[0]
    assert "of 1 questions" in lines[2]
    assert all("정답" not in question.question for question in file.questions)


def test_other_column_names_and_option_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    text = "번호,질문,보기1,보기2,보기3,비고\n1,옳은 것은?,갑,을,병,x\n2,의무를 설명하시오.,,,,y\n"
    path.write_bytes(text.encode("cp949"))
    file = read_questions(path)
    assert [(q.id, q.options) for q in file.questions] == [("1", ("갑", "을", "병")), ("2", ())]
    write_submission(tmp_path / "s.csv", read_sheet(file), {"1": "2", "2": "답"})
    written = (tmp_path / "s.csv").read_text(encoding="utf-8-sig").splitlines()
    assert written[1] == "1,옳은 것은?,갑,을,병,x,2"


def test_what_was_read_is_read_the_same_again(tmp_path: Path) -> None:
    from kofinlaw.files import write_jsonl

    texts = [
        "옳은 것은? ① 갑 ② 을",
        "1) 정의\n2) 요건\n위를 설명하시오.",
        "기한은?\n1 10일\n2 20일",
    ]
    path = tmp_path / "q.jsonl"
    rows = [{"id": str(n), "question": text} for n, text in enumerate(texts)]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    first = read_questions(path).questions
    write_jsonl(tmp_path / "again.jsonl", first)
    assert read_questions(tmp_path / "again.jsonl").questions == first
