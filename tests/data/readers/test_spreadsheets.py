"""XLSX files, written by openpyxl during the test."""

from __future__ import annotations

import datetime
import re
import unicodedata
import zipfile

import pytest
from openpyxl import Workbook

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, limits=None, **source):
    settings = SourceSettings(path="x", **source)
    return list(read_documents(path, settings, LimitSettings(**(limits or {}))))


def workbook(path, **sheets):
    """A file with a sheet for each name and its rows."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def with_cached_values(path, values):
    """Write the values of formulas into a file, as a spreadsheet program does when it saves."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    text = members[name].decode()
    for formula, value in values.items():
        text = re.sub(
            rf"<f>{re.escape(formula)}</f><v\s*/>|<f>{re.escape(formula)}</f><v></v>",
            f"<f>{formula}</f><v>{value}</v>",
            text,
        )
    members[name] = text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)


FEES = [["구분", "수수료"], ["송금", 500], ["환전", 0.015]]


def test_sheets_are_sections_with_formatted_numbers(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.title = "수수료"
    for row in FEES:
        sheet.append(row)
    sheet["B2"].number_format = '#,##0"원"'
    sheet["B3"].number_format = "0.0%"
    other = book.create_sheet("한도")
    other.append(["등급", "기준일"])
    other.append(["가", datetime.date(2025, 3, 1)])
    path = tmp_path / "수수료표 2025.xlsx"
    book.save(path)
    (document,) = read(path)
    assert (document.title, document.format, document.as_of) == ("수수료표 2025", "xlsx", "")
    assert document.text == (
        "## 수수료\n\n| 구분 | 수수료 |\n| --- | --- |\n| 송금 | 500원 |\n| 환전 | 1.5% |\n\n"
        "## 한도\n\n| 등급 | 기준일 |\n| --- | --- |\n| 가 | 2025-03-01 |\n"
    )


def test_merged_cells_are_filled(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 표=[["구분", "값"], ["가", 1], [None, 2]])
    from openpyxl import load_workbook

    book = load_workbook(path)
    book["표"].merge_cells("A2:A3")
    book.save(path)
    (document,) = read(path)
    assert "| 가 | 1 |\n| 가 | 2 |" in document.text


def test_formulas_count_with_the_stored_value_and_a_missing_value_is_a_warning(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 표=[["항목", "값"], ["합계", "=1+2"], ["곱", "=2*3"]])
    (document,) = read(path)
    assert document.warnings[0].startswith("2 formulas have no stored value")
    assert "=1" not in document.text
    with_cached_values(path, {"1+2": 3})
    (document,) = read(path)
    assert "| 합계 | 3 |" in document.text
    assert document.warnings[0].startswith("1 formulas have no stored value")
    with_cached_values(path, {"2*3": 6})
    (document,) = read(path)
    assert ("| 곱 | 6 |" in document.text, document.warnings) == (True, ())


def test_hidden_sheets_are_left_out_and_named(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 표=FEES, 코드=[["비밀", "값"], ["가", 1]])
    from openpyxl import load_workbook

    book = load_workbook(path)
    book["코드"].sheet_state = "veryHidden"
    book["표"].row_dimensions[3].hidden = True
    book.save(path)
    (document,) = read(path)
    assert "비밀" not in document.text
    assert "환전" in document.text  # a filter hides rows; they are read
    assert document.warnings == ("the hidden sheet `코드` is not read; unhide it to read it",)


def test_a_sheet_of_questions_gives_one_document_a_row(tmp_path):
    rows = [
        ["전자금융 FAQ", None, None, None],
        ["번호", "질문", "답변", "부서"],
        [1, "한도는 얼마인가요?", "1회 1억원입니다.\n영업점에서 올립니다.", "디지털부"],
        [2, "수수료는?", "없습니다.", None],
        [3, "답이 없는 질문", None, "디지털부"],
    ]
    path = workbook(tmp_path / "FAQ.xlsx", 질의=rows, 표=FEES)
    table, one, two, three = read(path)
    assert (table.title, "| 송금 | 500 |" in table.text) == ("FAQ", True)
    assert "전자금융 FAQ" in table.text
    assert (one.title, one.source) == ("FAQ 1", "FAQ.xlsx#1")
    assert one.text == (
        "## 한도는 얼마인가요?\n\n1회 1억원입니다.\n영업점에서 올립니다.\n\n부서: 디지털부"
    )
    assert two.text == "## 수수료는?\n\n없습니다."
    assert three.text == ""


def test_a_sheet_of_posts_keeps_its_other_columns(tmp_path):
    path = workbook(
        tmp_path / "게시판.xlsx", 글=[["제목", "내용", "부서"], ["공지", "쉽니다.", "총무부"]]
    )
    (post,) = read(path)
    assert (post.title, post.text) == ("공지", "쉽니다.\n\n부서: 총무부")


def test_columns_of_the_source_name_the_text(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 표=[["구분", "설명"], ["가", "첫째 설명이다."]])
    (document,) = read(path, columns={"text": "설명", "title": "구분"})
    assert (document.title, document.text) == ("가", "첫째 설명이다.")
    with pytest.raises(UserError, match="no sheet has the columns 본문"):
        read(path, columns={"text": "본문"})


def test_exam_questions_are_refused(tmp_path):
    rows = [["question", "A", "B", "C", "D", "answer"], ["무엇?", "가", "나", "다", "라", 1]]
    with pytest.raises(UserError, match="exam questions"):
        read(workbook(tmp_path / "a.xlsx", 표=rows))


def test_a_stray_cell_in_the_last_row_costs_nothing(tmp_path):
    book = Workbook()
    for row in FEES:
        book.active.append(row)
    book.active["XFD1048576"] = "끝"
    book.save(tmp_path / "a.xlsx")
    (document,) = read(tmp_path / "a.xlsx")
    assert document.text.endswith("끝\n")


def test_too_many_cells_and_a_merge_over_the_whole_sheet_are_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 표=FEES)
    with pytest.raises(UserError, match="more than 3 cells"):
        read(path, {"cells": 3})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    members[name] = members[name].replace(
        b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    with pytest.raises(UserError, match="more than 1000000 cells"):
        read(path)


def test_entities_an_encrypted_file_and_a_damaged_part_are_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 표=FEES)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def rewritten(name, data):
        with zipfile.ZipFile(path, "w") as archive:
            for member, bytes_ in {**members, name: data}.items():
                archive.writestr(member, bytes_)
        return path

    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    with pytest.raises(UserError, match="document type or entities"):
        read(rewritten("xl/workbook.xml", bomb))
    with pytest.raises(UserError, match="XLSX file is damaged"):
        read(rewritten("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>"))
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    (tmp_path / "b.xlsx").write_bytes(ole + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(UserError, match="encrypted") as error:
        read(tmp_path / "b.xlsx")
    assert error.value.remedy == "save it without a password"
    (tmp_path / "c.xlsx").write_bytes(ole)
    with pytest.raises(UserError, match="older format"):
        read(tmp_path / "c.xlsx")


def test_a_name_in_decomposed_hangul_gives_a_composed_title(tmp_path):
    name = unicodedata.normalize("NFD", "수수료 기준표") + ".xlsx"
    (document,) = read(workbook(tmp_path / name, 표=FEES))
    assert document.title == "수수료 기준표"


def test_a_workbook_without_text_is_refused(tmp_path):
    with pytest.raises(UserError, match="no text in the visible sheets"):
        read(workbook(tmp_path / "a.xlsx", 표=[]))
