"""Question files as people really send them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.rag.questions.option_marks import split_options
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


def test_cp949_gives_the_same_questions(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(CONTEST.encode("cp949"))
    assert read_questions(path).questions[1].question == "전자금융사고의 책임을 설명하세요."


@pytest.mark.parametrize(
    "text",
    [
        "옳은 것은?\n1 이용자\n2 금융회사\n3 가맹점",
        "옳은 것은?\n1. 이용자\n2. 금융회사\n3. 가맹점",
        "옳은 것은?\n1) 이용자\n2) 금융회사\n3) 가맹점",
        "옳은 것은?\n① 이용자\n② 금융회사\n③ 가맹점",
        "옳은 것은?\n(1) 이용자\n(2) 금융회사\n(3) 가맹점",
        "옳은 것은?\n가. 이용자\n나. 금융회사\n다. 가맹점",
        "옳은 것은?\n(가) 이용자\n(나) 금융회사\n(다) 가맹점",
        "옳은 것은?\nA. 이용자\nB. 금융회사\nC. 가맹점",
        "옳은 것은?\n\n  1 이용자\n\n  2 금융회사  \n  3 가맹점\n",
        "옳은 것은? ① 이용자 ② 금융회사 ③ 가맹점",
        "다음 중 옳은 것은?\n이용자\n금융회사\n가맹점",
        "옳은 것은?\r\n1 이용자\r\n2 금융회사\r\n3 가맹점",
    ],
)
def test_every_mark_is_recognised(text: str) -> None:
    assert split_options(text)[1] == ("이용자", "금융회사", "가맹점")


def test_numbers_that_open_an_option_stay_in_it() -> None:
    stem, options = split_options("기한은?\n1 10일 이내\n2 20일 이내\n3 1개월\n4 3 영업일")
    assert (stem, options) == ("기한은?", ("10일 이내", "20일 이내", "1개월", "3 영업일"))


def test_a_numbered_list_in_the_stem_is_not_the_options() -> None:
    stem, options = split_options(
        "다음 사례를 읽고 답하시오.\n1. 갑은 카드를 잃었다.\n2. 을이 그것을 썼다.\n옳은 것은?\n① 갑의 책임\n② 을의 책임"
    )
    assert options == ("갑의 책임", "을의 책임")
    assert stem.endswith("옳은 것은?")
    assert "1. 갑은 카드를 잃었다." in stem


def test_a_list_inside_an_option_belongs_to_it() -> None:
    _, options = split_options("옳은 것은?\n① 다음 각 호\n1. 카드\n2. 번호\n② 없음")
    assert options == ("다음 각 호 1. 카드 2. 번호", "없음")


def test_an_option_over_two_lines_is_joined() -> None:
    assert split_options("옳은 것은?\n1 금융회사는\n배상한다\n2 면책된다")[1] == (
        "금융회사는 배상한다",
        "면책된다",
    )


def test_a_sentence_that_cites_paragraphs_is_free_text() -> None:
    text = "제9조 ①항과 ②항의 차이를 설명하세요."
    assert split_options(text) == (text, ())


@given(
    st.lists(
        st.text(alphabet="가나다라마바사 ", min_size=1, max_size=8)
        .map(lambda t: " ".join(t.split()))
        .filter(bool),
        min_size=2,
        max_size=9,
    ),
    st.sampled_from(["{n} {t}", "{n}. {t}", "({n}) {t}", "{c} {t}"]),
)
def test_options_written_out_are_read_back(options: list[str], form: str) -> None:
    lines = [form.format(n=n, c="①②③④⑤⑥⑦⑧⑨"[n - 1], t=t) for n, t in enumerate(options, 1)]
    assert split_options("질문입니까?\n" + "\n".join(lines)) == ("질문입니까?", tuple(options))


@pytest.mark.parametrize(
    "content, message, where",
    [
        ("", "empty", ""),
        ("ID,Question\n", "no questions", ""),
        ("ID,Text\nA,가\n", "no column `Question`", ":1"),
        ("ID,Question\nA,가\nA,나\n", "stands on line 2", ":3"),
        ("ID,Question\nA,가\n\nB,나\n", "a blank row", ":3"),
        ("ID,Question\nA,가\n,\n", "a blank row", ":3"),
        ("ID,Question\nA,\n", "`A` is empty", ":2"),
        ("ID,Question\n,가\n", "without an id", ":2"),
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


def test_options_without_numbers_are_options_where_the_stem_asks_for_one() -> None:
    asked = "다음 중 전자금융업자가 아닌 것은?\n은행\n카드회사\n전자지급결제대행업자"
    assert split_options(asked)[1] == ("은행", "카드회사", "전자지급결제대행업자")
    told = "갑은 을에게 돈을 빌렸다.\n을은 갚으라고 했다.\n병은 보증을 섰다."
    assert split_options(told)[1] == ()


def test_binary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(UserError, match="neither UTF-8 nor CP949"):
        read_questions(path)


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
