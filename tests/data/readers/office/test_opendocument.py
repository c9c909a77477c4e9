"""ODT files, written by odfdo during the test."""

from __future__ import annotations

import zipfile

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings

odfdo = pytest.importorskip("odfdo")


def read(path):
    return list(read_documents(path, SourceSettings(path="x"), LimitSettings()))


@pytest.fixture
def path(tmp_path):
    document = odfdo.Document("text")
    body = document.body
    body.clear()
    body.append(odfdo.Header(1, "여신 안내"))
    body.append(odfdo.Paragraph("심사는 3일 안에 마친다."))
    body.append(odfdo.List(["신분증", "소득 증빙"]))
    table = odfdo.Table("표", width=3, height=3)
    table.set_values([["등급", "한도", "비고"], ["가", "5억원", "공통"], ["나", "3억원", ""]])
    table.set_span((2, 1, 2, 2))
    body.append(table)
    document.meta.title = "제목 없음"
    document.save(tmp_path / "안내.odt")
    return tmp_path / "안내.odt"


def test_headings_lists_and_tables(path):
    (document,) = read(path)
    assert (document.title, document.format, document.as_of) == ("여신 안내", "odt", "")
    assert document.text == (
        "# 1. 여신 안내\n\n심사는 3일 안에 마친다.\n\n- 신분증\n\n- 소득 증빙\n\n"
        "| 등급 | 한도 | 비고 |\n| --- | --- | --- |\n| 가 | 5억원 | 공통 |\n| 나 | 3억원 | 공통 |\n"
    )


CONTENT = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0">'
    "<office:body><office:text>%s</office:text></office:body></office:document-content>"
)


def odt(path, body, **members):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", CONTENT % body)
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_deleted_text_and_comments_are_left_out_and_footnotes_kept(tmp_path):
    body = (
        "<text:tracked-changes><text:p>지운 글</text:p></text:tracked-changes>"
        "<text:p>한도는<text:s/>1억원<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>개인 기준</text:p></text:note-body></text:note>이다."
        "<office:annotation><text:p>메모</text:p></office:annotation></text:p>"
    )
    (document,) = read(odt(tmp_path / "a.odt", body))
    assert document.text == "한도는 1억원 (개인 기준)이다.\n"


def test_a_row_repeated_to_the_last_column_stays_small(tmp_path):
    body = (
        "<table:table><table:table-row><table:table-cell><text:p>가</text:p></table:table-cell>"
        "<table:table-cell><text:p>나</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="99999999"/></table:table-row></table:table>'
    )
    (document,) = read(odt(tmp_path / "a.odt", body))
    assert document.text == "| 가 | 나 |\n| --- | --- |\n"


def test_a_table_of_repeated_words_is_refused(tmp_path):
    cell = f'<table:table-cell table:number-columns-repeated="1000"><text:p>{"가" * 200}</text:p></table:table-cell>'
    row = f"<table:table-row>{cell * 9}</table:table-row>"
    with pytest.raises(UserError, match="a table has more than"):
        read(odt(tmp_path / "a.odt", f"<table:table>{row * 12}</table:table>"))


def test_a_cell_over_two_columns_and_rows(tmp_path):
    def row(*cells):
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    def cell(words, about=""):
        text = f"<text:p>{words}</text:p>" if words else ""
        return f"<table:table-cell {about}>{text}</table:table-cell>"

    covered = "<table:covered-table-cell/>"
    spans = 'table:number-columns-spanned="2" table:number-rows-spanned="2"'
    body = (
        row(cell("가"), cell("나"), cell(""), cell("라"))
        + row(cell("마"), cell("바", spans), covered, cell("사"))
        + row(cell("아"), '<table:covered-table-cell table:number-columns-repeated="2"/>', cell(""))
    )
    (document,) = read(odt(tmp_path / "a.odt", f"<table:table>{body}</table:table>"))
    assert document.text.splitlines()[::2] == ["| 가 | 나 |  | 라 |", "| 마 | 바 | 바 | 사 |"]
    assert document.text.splitlines()[3] == "| 아 | 바 | 바 |  |"


def test_encrypted_damaged_and_other_files_are_refused(tmp_path, path):
    manifest = "<manifest><manifest:encryption-data/></manifest>"
    with pytest.raises(UserError, match="encrypted"):
        read(odt(tmp_path / "a.odt", "", **{"META-INF/manifest.xml": manifest}))
    with zipfile.ZipFile(tmp_path / "b.odt", "w") as archive:
        archive.writestr("x.xml", "<a/>")
    with pytest.raises(UserError, match=r"no content\.xml"):
        read(tmp_path / "b.odt")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError, match="broken"):
        read(path)


LISTS = (
    '<office:automatic-styles><text:list-style style:name="L">'
    '<text:list-level-style-number text:level="1" style:num-format="1" style:num-prefix="제"'
    ' style:num-suffix="조"/><text:list-level-style-number text:level="2" style:num-format="①, ②, ③, ..."/>'
    '<text:list-level-style-number text:level="3" style:num-format="가, 나, 다, ..." style:num-suffix="."'
    ' text:start-value="2"/></text:list-style>'
    '<style:style style:name="H"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="S"><style:text-properties style:text-position="super 58%"/></style:style>'
    '<style:style style:name="HC" style:parent-style-name="H"/></office:automatic-styles>'
)


def text_of(path, body):
    content = (CONTENT % body).replace("<office:body>", LISTS + "<office:body>").replace(
        "<office:document-content ",
        '<office:document-content xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" ',
    )  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", content)
    return read(path)[0].text


def items(*inner, more=""):
    listed = "".join(f"<text:list-item>{one}</text:list-item>" for one in inner)
    return f'<text:list text:style-name="L"{more}>{listed}</text:list>'


def p(text, style=""):
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def test_lists_have_their_numbers(tmp_path):
    inner = "<text:list>{}</text:list>"
    deep = "".join(f"<text:list-item>{p(t)}</text:list-item>" for t in ("나", "다"))
    two = f"<text:list-item>{p('가')}{inner.format(deep)}</text:list-item>"
    body = items(p("(목적)") + p("이어지는 문단") + inner.format(two), p("(정의)"))
    body += p("사이") + items(p("(시행)"), more=' text:continue-numbering="true"') + items(p("새"))
    assert text_of(tmp_path / "a.odt", body).split("\n\n") == [
        *["제1조 (목적)", "이어지는 문단", "① 가", "나. 나", "다. 다", "제2조 (정의)", "사이"],
        *["제3조 (시행)", "제1조 새\n"],
    ]


def test_hidden_text_and_deletions_are_left_out(tmp_path):
    body = (
        p("가<text:span text:style-name='HC'>숨음</text:span>나") + p("숨음", "H")
        + "<text:section text:display='none'>" + p("숨음") + "</text:section>"
        + "<text:section>" + p("보임<text:hidden-text text:is-hidden='true'>숨음</text:hidden-text>")
        + "</text:section><text:tracked-changes><text:changed-region><text:deletion>" + p("옛")
        + "</text:deletion></text:changed-region></text:tracked-changes>"
        + p("다<text:change/>라<text:note><text:note-citation>1</text:note-citation><text:note-body>"
            + p("주석") + "</text:note-body></text:note>마")
    )  # fmt: skip
    assert text_of(tmp_path / "a.odt", body) == "가나\n\n보임\n\n다라 (주석)마\n"


def test_a_table_of_one_cell_is_a_frame_around_paragraphs(tmp_path):
    cell = f"<table:table-cell>{p('제1조(목적) 가')}{p('제2조(뜻) 나')}</table:table-cell>"
    body = f"<table:table><table:table-row>{cell}</table:table-row></table:table>"
    assert text_of(tmp_path / "a.odt", body) == "제1조(목적) 가\n\n제2조(뜻) 나\n"


def test_numbers_above_the_line_and_shapes(tmp_path):
    small = '<text:span text:style-name="S">2</text:span>'
    shape = f'<draw:custom-shape xmlns:draw="d">{p("도형")}</draw:custom-shape>'
    body = f"<text:p>10{small}㎡{shape} 이상</text:p>"
    assert text_of(tmp_path / "a.odt", body) == "10²㎡ 이상\n\n도형\n"
