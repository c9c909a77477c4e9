"""HWPX and DOCX."""

from __future__ import annotations

import zipfile

import pytest

from kofinlaw import UserError
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


def test_hwpx_tables_with_merged_cells_keep_their_columns(files, tmp_path):
    def cell(row, column, text, height=1, width=1):
        return (
            f"<hp:tc><hp:subList><hp:p><hp:run><hp:t>{text}</hp:t></hp:run></hp:p></hp:subList>"
            f'<hp:cellAddr colAddr="{column}" rowAddr="{row}"/>'
            f'<hp:cellSpan colSpan="{width}" rowSpan="{height}"/></hp:tc>'
        )

    rows = (
        f"<hp:tr>{cell(0, 0, '구분')}{cell(0, 1, '수수료', width=2)}</hp:tr>"
        f"<hp:tr>{cell(1, 0, '송금', height=2)}{cell(1, 1, '500')}{cell(1, 2, '700')}</hp:tr>"
        f"<hp:tr>{cell(2, 1, '900')}{cell(2, 2, '천원')}</hp:tr>"
    )
    section = (
        '<hs:sec xmlns:hs="s" xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph">'
        f"<hp:p><hp:run><hp:tbl>{rows}</hp:tbl></hp:run></hp:p></hs:sec>"
    )
    (document,) = read(files.make_hwpx(tmp_path / "a.hwpx", section))
    assert document.text == (
        "| 구분 | 수수료 | 수수료 |\n| --- | --- | --- |\n| 송금 | 500 | 700 |\n| 송금 | 900 | 천원 |\n"
    )
    wide = section.replace('colAddr="2"', 'colAddr="99999999"')
    with pytest.raises(UserError, match="more than 10000 columns"):
        read(files.make_hwpx(tmp_path / "b.hwpx", wide))


def test_docx_tables_with_merged_cells_keep_their_columns(tmp_path):
    docx = pytest.importorskip("docx")
    made = docx.Document()
    table = made.add_table(rows=3, cols=3)
    for index, text in enumerate(["구분", "수수료", "", "송금", "500", "700", "", "900", "천만"]):
        table.cell(index // 3, index % 3).text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(2, 2).paragraphs[0].add_run("원")  # a word in two runs
    made.save(tmp_path / "a.docx")
    (document,) = read(tmp_path / "a.docx")
    assert document.text == (
        "| 구분 | 수수료 | 수수료 |\n| --- | --- | --- |\n| 송금 | 500 | 700 |\n| 송금 | 900 | 천만원 |\n"
    )


def test_docx_content_controls_and_text_boxes_are_read_once(files, tmp_path):
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    box = "<w:txbxContent><w:p><w:r><w:t>글상자</w:t></w:r></w:p></w:txbxContent>"
    body = (
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>표지 글</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:r><w:t>본문</w:t></w:r><w:r><mc:AlternateContent>"
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    document = f"<w:document {w} {mc}><w:body>{body}</w:body></w:document>"
    path = files.make_zip(tmp_path / "a.docx", {"word/document.xml": document})
    (read_one,) = read(path)
    assert read_one.text == "표지 글\n\n본문\n글상자\n"


def test_docx_footnotes_follow_the_word_that_they_explain(files, tmp_path):
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = (
        '<w:p><w:r><w:t>한도는 1억원</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>'
        "<w:r><w:t>이다.</w:t></w:r></w:p>"
    )
    note = '<w:footnote w:id="2"><w:p><w:r><w:t>개인 기준</w:t></w:r></w:p></w:footnote>'
    empty = '<w:footnote w:id="0"><w:p/></w:footnote>'
    members = {
        "word/document.xml": f"<w:document {w}><w:body>{body}</w:body></w:document>",
        "word/footnotes.xml": f"<w:footnotes {w}>{empty}{note}</w:footnotes>",
    }
    (document,) = read(files.make_zip(tmp_path / "a.docx", members))
    assert document.text == "한도는 1억원 (개인 기준)이다.\n"


def test_an_encrypted_hwpx_file_is_refused(files, tmp_path):
    path = files.make_hwpx(tmp_path / "a.hwpx")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("META-INF/manifest.xml", "<m><odf:encryption-data/></m>")
    with pytest.raises(UserError, match="encrypted"):
        read(path)


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
