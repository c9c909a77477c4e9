"""JSONL, CSV and Parquet: one document per record."""

from __future__ import annotations

import json
import lzma
import unicodedata
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.readers.rows import lists_files
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_records_of_tables_become_documents(tmp_path):
    rows = [
        {"제목": "가 지침", "본문": "첫째 본문", "날짜": "20240102"},
        {"제목": "나 지침", "본문": "둘째"},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
    one, two = read(path)
    assert (one.title, one.text, one.as_of, one.source) == (
        "가 지침",
        "첫째 본문",
        "2024-01-02",
        "a.jsonl#1",
    )
    assert two.as_of == ""
    csv = tmp_path / "b.csv"
    csv.write_bytes("번호,글\n1,셋째 글\n".encode("cp949"))
    (third,) = read(csv, columns={"text": "글"})
    assert (third.title, third.text) == ("b 1", "셋째 글")
    with pytest.raises(UserError, match="no column 내용"):
        read(csv, columns={"text": "내용"})
    path.write_text('{"번호": 1, "글": "셋째 글"}', encoding="utf-8")
    with pytest.raises(UserError, match="no text column; the columns are 번호, 글"):
        read(path)


def test_a_csv_file_without_texts_is_one_table(tmp_path):
    path = tmp_path / "수수료.csv"
    path.write_bytes("수수료표,\r\n구분,금액\r\n송금,500\r\n환전,700\r\n".encode("cp949"))
    (document,) = read(path)
    assert document.title == "수수료"
    assert document.text == (
        "수수료표\n\n| 구분 | 금액 |\n| --- | --- |\n| 송금 | 500 |\n| 환전 | 700 |\n"
    )


@pytest.mark.parametrize(
    ("header", "mark"),
    [("질문,답변,부서", ","), ("Question;Answer;Team", ";"), ("문의 내용\t회신 내용\t부서", "\t")],
)
def test_questions_and_answers_are_recognised_by_their_columns(tmp_path, header, mark):
    rows = [header, mark.join(["한도는?", "1억원입니다.", "여신부"]), mark.join(["", "", ""])]
    path = tmp_path / ("a.tsv" if mark == "\t" else "a.csv")
    path.write_text(unicodedata.normalize("NFD", "\n".join(rows)), encoding="utf-8-sig")
    (document,) = read(path)
    last = header.split(mark)[-1]
    assert document.text == f"## 한도는?\n\n1억원입니다.\n\n{last}: 여신부"
    assert (document.title, document.source) == ("a 1", f"{path.name}#1")


def test_a_question_column_with_a_text_and_a_record_without_an_answer(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"질문": "한도는?", "내용": "1억원"}, {"질문": "빈 답", "내용": ""}]
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
    assert [d.text for d in read(path)] == ["## 한도는?\n\n1억원", ""]


def test_an_empty_text_does_not_end_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("제목,본문\n가,\n나,둘째 글\n", encoding="utf-8")
    assert [d.text for d in read(path)] == ["", "둘째 글"]


def test_exam_questions_are_not_documents(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("question,answer,A,B,C,D\n무엇?,1,가,나,다,라\n", encoding="utf-8")
    with pytest.raises(UserError, match="exam questions"):
        read(path)


def test_records_of_one_title_and_day_are_kept_apart(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("제목,본문\n공지,첫째\n공지,둘째\n", encoding="utf-8")
    assert [(d.title, d.text) for d in read(path)] == [("공지", "첫째"), ("공지 2", "둘째")]


def test_a_cell_beyond_the_header_is_not_lost(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("질문,답변\n한도는?,1억원,단 개인\n", encoding="utf-8")
    assert [d.text for d in read(path)] == ["## 한도는?\n\n1억원\n\n열 3: 단 개인"]


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (
            "질문,답변,답변\n한도는?,1억원,법인은 2억원\n",
            ["## 한도는?\n\n1억원\n\n답변 3: 법인은 2억원"],
        ),
        ("제목,본문,본문\n가,첫째,둘째\n나,셋째,\n", ["첫째\n\n본문 3: 둘째", "셋째"]),
        (
            "구분,금액,금액\n송금,1,2\n",
            ["| 구분 | 금액 | 금액 |\n| --- | --- | --- |\n| 송금 | 1 | 2 |\n"],
        ),
    ],
    ids=["faq", "record", "table"],
)
def test_columns_with_one_name_all_keep_their_values(tmp_path, lines, texts):
    path = tmp_path / "a.csv"
    path.write_text(lines, encoding="utf-8")
    assert [d.text for d in read(path)] == texts


def test_a_short_row_does_not_end_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("제목,본문\n가\n나,둘째 글\n", encoding="utf-8")
    assert [d.text for d in read(path)] == ["", "둘째 글"]


def test_a_csv_file_is_read_once(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("질문,답변\n한도는?,1억원\n", encoding="utf-8")
    opened = []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: opened.append(self) or whole(self))
    assert len(read(path)) == 1
    assert opened == [path]


def test_court_decisions_are_laid_out_by_issue(tmp_path):
    row = {
        "사건번호": "2010도1",
        "법원명": "대법원",
        "선고일자": "20101209",
        "사건명": "횡령",
        "판시사항": "[1] 첫째 쟁점\n[2] 둘째 쟁점",
        "판결요지": "[1] 첫째 요지\n[2] 둘째 요지",
        "참조조문": "형법 제356조",
    }
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(lzma.compress(json.dumps(row, ensure_ascii=False).encode()))
    (document,) = read(path)
    assert (document.title, document.kind, document.as_of) == (
        "대법원 2010도1",
        "case",
        "2010-12-09",
    )
    assert "## [2]\n\n판시사항: 둘째 쟁점\n\n판결요지: 둘째 요지" in document.text
    assert "## 참조조문\n\n형법 제356조" in document.text


@pytest.mark.parametrize(
    ("cited", "first", "second", "rest"),
    [
        ("[1]형법 제355조,제356조 / [2]민법 제2조", "형법 제355조,제356조", "민법 제2조", ""),
        ("[1][2]형법 제355조", "형법 제355조", "형법 제355조", ""),
        ("[1] [2] 형법 제355조, [3]민법 제2조", "형법 제355조", "형법 제355조", "[3] 민법 제2조"),
        ("[2] 구 민법 [별표 15] 제2조", "", "구 민법 [별표 15] 제2조", ""),
        (
            "[1]형법 제1조 / [2]민법 제2조 / [1]형법 제3조",
            "형법 제1조\n형법 제3조",
            "민법 제2조",
            "",
        ),
        ("", "", "", ""),
    ],
)
def test_articles_stand_with_the_issue_that_rests_on_them(tmp_path, cited, first, second, rest):
    row = {"사건번호": "2010도1", "판시사항": "[1] 첫째\n[2] 둘째", "참조조문": cited}
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (document,) = read(tmp_path / "a.jsonl")
    parts = document.text.split("## ")[1:]
    for part, wanted in zip(parts, (first, second), strict=False):
        assert part.partition("참조조문: ")[2].strip() == wanted
    assert [part.removeprefix("참조조문").strip() for part in parts[2:]] == ([rest] if rest else [])


def test_a_single_issue_keeps_its_articles(tmp_path):
    row = {"사건번호": "2010도1", "판시사항": "어떤 쟁점", "참조조문": "형법 제356조"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (document,) = read(tmp_path / "a.jsonl")
    assert "판시사항: 어떤 쟁점\n\n참조조문: 형법 제356조" in document.text


def test_parquet_is_read(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["본문이다."], "title": ["지침"]}), tmp_path / "a.parquet")
    assert [(d.title, d.text) for d in read(tmp_path / "a.parquet")] == [("지침", "본문이다.")]


def test_a_list_of_the_files_in_its_folder_is_no_document(tmp_path):
    (tmp_path / "규정").mkdir()
    for name in ("고시.md", "별표1.md"):
        (tmp_path / "규정" / name).write_text("제1조(목적)", encoding="utf-8")
    path = tmp_path / "manifest.csv"

    path.write_text("폴더,파일,시행일\n규정,고시.md,2025-01-01\n규정,별표1.md,\n", encoding="utf-8")
    with pytest.raises(UserError, match="list of the files"):
        read(path)
    # files that are not here, and a table that only mentions files
    path.write_text("폴더,파일,시행일\n규정,없음.md,2025-01-01\n규정,별표9.md,\n", encoding="utf-8")
    assert "없음.md" in read(path)[0].text
    path.write_text("업무,양식\n접수,규정/고시.md\n심사,대장\n통지,없음\n", encoding="utf-8")
    assert "대장" in read(path)[0].text


def test_decimal_numbers_are_not_looked_up_as_files(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda path: pytest.fail(f"looked up {path}"))
    assert not lists_files([["금리", "수수료"], ["2.25", "0.5"], ["3.5", "1.25"]], tmp_path)


@pytest.mark.parametrize("asked", ["한도는?\n그리고 수수료는?", "가" * 121])
def test_a_long_question_is_not_a_heading(tmp_path, asked):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"질문": asked, "답변": "1억원"}), encoding="utf-8")
    assert [d.text for d in read(path)] == [f"질문: {asked}\n\n답변: 1억원"]
