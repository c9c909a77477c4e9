"""HWPX and DOCX."""

from __future__ import annotations

import pytest

from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_hwpx_gives_paragraphs_headings_and_rows(files, tmp_path):
    (document,) = read(files.make_hwpx(tmp_path / "편람.hwpx"))
    assert (document.title, document.as_of, document.format) == ("민원 편람", "", "hwpx")
    assert document.text == (
        "첫 문단 이다.\n\n## 접수와 분류\n\n| 등급 | 책임자 |\n| --- | --- |\n| 가 | 부장 |\n"
    )


def test_docx_written_by_another_library_is_read(tmp_path):
    docx = pytest.importorskip("docx")
    made = docx.Document()
    made.core_properties.title = "업무 매뉴얼"
    made.add_heading("접수", level=1)
    made.add_paragraph("민원을 접수한다.")
    table = made.add_table(rows=2, cols=2)
    for index, text in enumerate(["등급", "기준", "가", "천만원"]):
        table.cell(index // 2, index % 2).text = text
    made.save(tmp_path / "a.docx")
    (document,) = read(tmp_path / "a.docx")
    assert document.title == "업무 매뉴얼"
    assert document.text == (
        "# 접수\n\n민원을 접수한다.\n\n| 등급 | 기준 |\n| --- | --- |\n| 가 | 천만원 |\n"
    )


def test_an_hwpx_file_whose_relations_go_in_circles_is_read_once(files, tmp_path):
    circle = (
        '<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:manifest>'
        '<opf:item id="a" href="Contents/content.hpf"/><opf:item id="b" href="META-INF/container.xml"/>'
        '<opf:item id="s" href="Contents/section0.xml"/></opf:manifest><opf:spine>'
        '<opf:itemref idref="s"/><opf:itemref idref="a"/><opf:itemref idref="s"/></opf:spine></opf:package>'
    )
    container = (
        '<ocf:container xmlns:ocf="urn:oasis:names:tc:opendocument:xmlns:container"><ocf:rootfiles>'
        '<ocf:rootfile full-path="META-INF/container.xml"/>'
        '<ocf:rootfile full-path="Contents/content.hpf"/></ocf:rootfiles></ocf:container>'
    )
    path = files.make_zip(
        tmp_path / "a.hwpx",
        {
            "mimetype": "application/hwp+zip",
            "META-INF/container.xml": container,
            "Contents/content.hpf": circle,
            "Contents/header.xml": files.HWPX_HEADER,
            "Contents/section0.xml": files.HWPX_SECTION,
        },
    )
    (document,) = read_documents(path, SourceSettings(path="x"), LimitSettings())
    assert document.text.count("접수와 분류") == 1
