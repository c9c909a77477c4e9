"""Documents before any run: what is read, what is left out, first chunks."""

from __future__ import annotations

import json
import os

import pytest

from kofinlaw import UserError
from kofinlaw.data.inspection import inspect_documents
from kofinlaw.data.readers.paged.tesseract import install_command
from kofinlaw.recipes.cli.inspect_corpus import document_lines


@pytest.fixture
def folder(files, act, monkeypatch, tmp_path_factory):
    """An act with a copy, a table, a scan, a file without a reader, and no Tesseract."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
    (act / "사본.md").write_bytes((act / "가람법.md").read_bytes())
    (act / "메모.txt").write_bytes(
        "창구 메모\n\n송금 수수료는 건당 500원이며 창구에서 받는다.\n".encode("cp949")
    )
    (act / "a.xyz").write_bytes(b"x")
    files.make_scan(act / "스캔.pdf", "s")
    return act


def test_every_file_is_described_or_left_out_with_a_reason(folder):
    found = inspect_documents(folder)
    assert found.files == 5
    law, memo = found.documents
    assert (law.title, law.kind, law.as_of, law.day_from) == (
        "가람법",
        "statute",
        "2024-07-01",
        "front matter: 시행일자",
    )
    assert (law.articles, law.first_article, law.last_article) == (3, "제1조", "제3조")
    assert (memo.format, memo.encoding, memo.as_of) == ("text", "cp949", "")
    assert memo.samples[0].text.startswith("창구 메모\n")
    assert {one.name: one.reason for one in found.unread} == {
        "acts/a.xyz": "no_reader",
        "acts/스캔.pdf": "needs_ocr",
        "acts/사본.md": "duplicate",
    }
    why = next(one.detail for one in found.unread if one.reason == "needs_ocr")
    assert why == f"page 1: no text layer → Tesseract is not installed: {install_command()}"
    assert json.loads(json.dumps(found.to_record()))["documents"][0]["title"] == "가람법"


def test_the_lines_name_everything_and_show_a_chunk(folder):
    lines = document_lines(inspect_documents(folder))
    assert lines[0] == "2 of 5 files read, 1 without a reader, 1 need OCR, 1 duplicate"
    text = "\n".join(lines)
    assert (
        "가람법   acts/가람법.md\n  markdown · utf-8 · statute · in force from 2024-07-01" in text
    )
    assert "  3 articles (제1조–제3조), 3 chunks" in text
    assert "a chunk of acts/가람법.md, about" in text
    assert "  제1조(목적)\n  │ 가람법 제1조(목적)\n" in text
    assert "in total: 2 titles, 3 articles, 0 annexes, 0 tables, 4 chunks" in text


def test_words_choose_the_chunks(folder):
    lines = document_lines(inspect_documents(folder, "건당 500원"), "건당 500원")
    assert next(line for line in lines if line.startswith("a chunk of")).startswith(
        "a chunk of acts/메모.txt"
    )
    assert "no chunk contains '없는말'" in document_lines(
        inspect_documents(folder, "없는말"), "없는말"
    )


def test_one_file_and_annexes_are_described(act):
    (act / "별표1.md").write_text(
        "[별표 1] 수수료\n\n| 구분 | 금액 |\n| --- | --- |\n| 송금 | 500 |\n", encoding="utf-8"
    )
    annex = inspect_documents(act).documents[1]
    assert (annex.annex_of, annex.annexes, annex.tables) == ("가람법", 1, 1)
    (one,) = inspect_documents(act / "가람법.md").documents
    assert one.file == "가람법.md"


def test_a_folder_whose_name_is_not_utf_8_is_read(tmp_path):
    folder = tmp_path / os.fsdecode("규정".encode("cp949"))
    folder.mkdir()
    (folder / os.fsdecode("메모.txt".encode("cp949"))).write_text("수수료는 500원이다.\n", "utf-8")
    found = inspect_documents(folder)
    assert [one.file for one in found.documents] == ["규정/메모.txt"]
    assert json.dumps(found.to_record(), ensure_ascii=False).encode("utf-8")


def test_a_missing_path_and_an_empty_folder_are_one_error(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        inspect_documents(tmp_path / "없음")
    with pytest.raises(UserError, match="there is no file in this folder"):
        inspect_documents(tmp_path)


def test_a_warning_about_a_document_is_given_once(files, tmp_path):
    lines = [(50, "Name of the institution"), (250, "The long value for the key in this row")]
    drawn = "".join(
        f"BT /F1 10 Tf {x} {700 - 14 * n} Td ({text}) Tj ET\n"
        for n in range(4)
        for x, text in lines
    )
    files.make_pdf(tmp_path / "a.pdf", [""], drawn)
    found = inspect_documents(tmp_path / "a.pdf")
    assert found.warnings == ()
    (warning,) = found.documents[0].warnings
    assert warning.startswith("page 1: the reading order is not sure")
