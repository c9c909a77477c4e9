import importlib.util
import json
import lzma
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.licences import normalise, stated_in
from kofinlaw.data.readers.documents import iso_day
from kofinlaw.data.readers.formats import read_file
from kofinlaw.data.readers.frontmatter import split_front_matter
from kofinlaw.data.readers.webpage import html_to_markdown
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.decoding import decode

spec = importlib.util.spec_from_file_location("data_files", Path(__file__).with_name("conftest.py"))
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)


def read(path, **source):
    return list(read_file(path, SourceSettings(path="x", **source), LimitSettings()))


@pytest.mark.parametrize(
    "encoding, wanted",
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp949", "cp949"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_korean_text_is_read_in_every_encoding_it_comes_in(encoding, wanted):
    text = "제1조(목적) 이 법은 은행을 정한다.\n둘째 줄 1, 2, 3\n"
    assert decode(text.encode(encoding)) == (text, wanted)


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(UserError, match="no text"):
        decode(b"\xff\xff\x81\x00\xfe\xfa" * 10)


def test_a_cut_last_character_is_dropped_and_line_ends_are_made_one():
    data = "은행\r\n법률".encode()
    assert decode(data[:-1]) == ("은행\n법", "utf-8")


def test_nul_bytes_leave_the_text():
    assert decode("은행\x00법\x00".encode())[0] == "은행법"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), max_size=80))
def test_utf8_comes_back_composed(text):
    import unicodedata

    decoded, found = decode(("가" + text).encode())
    assert found == "utf-8"
    assert decoded == unicodedata.normalize("NFC", "가" + text)


def test_front_matter_gives_title_kind_date_and_licence(act):
    (document,) = read(act / "가람법.md")
    assert (document.title, document.kind, document.as_of) == ("가람법", "statute", "2024-07-01")
    assert document.license == "KR-Copyright-Act-Art7"
    assert document.text.startswith("\n# 가람법")
    assert document.id == "가람법"


def test_front_matter_with_aliases_or_broken_yaml_is_left_out_with_a_warning():
    bomb = "---\na: &a [x, x]\nb: [*a, *a]\n---\n본문\n"
    meta, rest, warning = split_front_matter(bomb)
    assert (meta, rest) == ({}, "본문\n")
    assert "aliases" in warning
    assert split_front_matter("---\n[1\n---\n본문")[2].startswith("front matter is not YAML")
    assert split_front_matter("--- 본문") == ({}, "--- 본문", "")


@pytest.mark.parametrize(
    "value, wanted",
    [
        ("2024-09-15", "2024-09-15"),
        ("20240915", "2024-09-15"),
        ("2024. 9. 5.", "2024-09-05"),
        ("2024년 9월 5일", "2024-09-05"),
        ("2026-03-01T00:00:00Z", "2026-03-01"),
        ("20249915", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_days_are_written_in_one_form(value, wanted):
    assert iso_day(value) == wanted


def test_a_page_keeps_its_text_and_table_and_loses_menus_and_scripts():
    page = (
        """<html><head><title>지침</title><meta name="date" content="2026-01-15">
    <script>var a = "스크립트";</script></head><body>
    <nav><ul><li>처음으로</li></ul></nav><div class="footer-menu">저작권</div>
    <main><h1>이용자  보호 지침</h1><p>첫 <b>문단</b>이다.<!-- 주석 --></p>
    <h2>1. 이체</h2><ul><li>하나</li><li>둘</li></ul>
    <table><tr><th>알림</th><th>때</th></tr><tr><td>보안<br>알림</td><td>즉시</td></tr></table>
    <p style="display: none">숨은 글</p><p>끝."""
        + "가" * 200
    )
    text, meta = html_to_markdown(page)
    assert meta == {"title": "이용자 보호 지침", "date": "2026-01-15"}
    assert text.replace("가" * 200, "") == (
        "# 이용자 보호 지침\n\n첫 문단이다.\n\n## 1. 이체\n\n- 하나\n- 둘\n\n"
        "| 알림 | 때 |\n| --- | --- |\n| 보안 알림 | 즉시 |\n\n끝.\n"
    )


def test_hwpx_gives_paragraphs_headings_and_rows(tmp_path):
    (document,) = read(files.make_hwpx(tmp_path / "편람.hwpx"))
    assert (document.title, document.as_of, document.format) == ("민원 편람", "2026-03-01", "hwpx")
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
    for place, text in enumerate(["등급", "기준", "가", "천만원"]):
        table.cell(place // 2, place % 2).text = text
    made.save(tmp_path / "a.docx")
    (document,) = read(tmp_path / "a.docx")
    assert document.title == "업무 매뉴얼"
    assert document.text == (
        "# 접수\n\n민원을 접수한다.\n\n| 등급 | 기준 |\n| --- | --- |\n| 가 | 천만원 |\n"
    )


def test_a_pdf_loses_its_running_heads_and_page_numbers(tmp_path):
    long = "A line that goes all the way to the right margin of the page, the"
    pages = [f"Rulebook of the bank\n- {n} -\n{long}\nbody of page {n}." for n in (1, 2, 3)]
    (document,) = read(files.make_pdf(tmp_path / "a.pdf", pages))
    assert [line for line in document.text.splitlines() if line] == [
        f"{long} body of page {n}." for n in (1, 2, 3)
    ]


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
    with pytest.raises(UserError, match="no text column"):
        read(csv)


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


PORTAL = """<?xml version="1.0" encoding="UTF-8"?><법령 법령키="1"><기본정보>
<법령ID>000001</법령ID><공포일자>20240102</공포일자><법령명_한글><![CDATA[가람법]]></법령명_한글>
<시행일자>20240701</시행일자><소관부처 소관부처코드="1">금융위원회</소관부처></기본정보><조문>
<조문단위><조문번호>1</조문번호><조문여부>전문</조문여부><조문내용><![CDATA[    제1장 총칙]]></조문내용></조문단위>
<조문단위><조문번호>1</조문번호><조문여부>조문</조문여부><조문제목>목적</조문제목>
<조문내용><![CDATA[제1조(목적) 이 법은 목적을 정한다.]]></조문내용></조문단위>
<조문단위><조문번호>2</조문번호><조문가지번호>3</조문가지번호><조문여부>조문</조문여부><조문제목>의무</조문제목>
<조문내용><![CDATA[제2조의3(의무)]]></조문내용><항><항번호>①</항번호><항내용><![CDATA[① 다음 각 호와 같다. <개정 2024.1.2>]]></항내용>
<호><호번호>1.</호번호><호내용><![CDATA[1. 첫째]]></호내용><목><목번호>가.</목번호><목내용><![CDATA[가. 하나]]></목내용></목></호>
<호><호번호>2.</호번호><호내용><![CDATA[2. 둘째]]></호내용></호></항></조문단위></조문>
<부칙><부칙단위><부칙내용><![CDATA[부칙 <제1호,2024.1.2>
공포한 날부터 시행한다.]]></부칙내용></부칙단위></부칙></법령>"""


def test_the_law_portals_xml_and_json_give_the_same_articles(tmp_path):
    from kofinlaw.data.law.statute import parse_statute
    from kofinlaw.data.readers.archives import parse_xml
    from kofinlaw.data.readers.portal import _mapping

    (tmp_path / "a.xml").write_text(PORTAL, encoding="utf-8")
    tree = {"법령": _mapping(parse_xml(PORTAL.encode(), "a.xml"))}
    tree["법령"]["기본정보"]["소관부처"] = {"content": "금융위원회", "소관부처코드": "1"}
    (tmp_path / "a.json").write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")
    (one,), (two,) = read(tmp_path / "a.xml"), read(tmp_path / "a.json")
    assert (one.title, one.kind, one.as_of) == ("가람법", "statute", "2024-07-01")
    assert one.text == two.text
    statute = parse_statute(one.text)
    assert [(a.number, a.heading, a.path, a.text) for a in statute.articles] == [
        ("제1조", "목적", ("제1장 총칙",), "이 법은 목적을 정한다."),
        ("제2조의3", "의무", ("제1장 총칙",), "① 다음 각 호와 같다.\n1. 첫째\n가. 하나\n2. 둘째"),
    ]
    assert statute.supplements[-1].text == "공포한 날부터 시행한다."
    (tmp_path / "b.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(UserError, match="no statute of the law portal"):
        read(tmp_path / "b.json")


def test_parquet_is_read(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["본문이다."], "title": ["지침"]}), tmp_path / "a.parquet")
    assert [(d.title, d.text) for d in read(tmp_path / "a.parquet")] == [("지침", "본문이다.")]


@pytest.mark.parametrize(
    "stated, wanted",
    [
        ("공공누리 제1유형", "KOGL-1"),
        ("공공누리 제 4유형: 출처표시", "KOGL-4"),
        ("KOGL Type 3", "KOGL-3"),
        ("kogl-2", "KOGL-2"),
        ("CC BY-NC 4.0", "CC-BY-NC-4.0"),
        ("cc0", "CC0"),
        ("apache 2.0", "Apache-2.0"),
        ("사내 한정", "사내 한정"),
    ],
)
def test_licences_are_spelled_in_one_way(stated, wanted):
    assert normalise(stated) == wanted


def test_a_text_may_name_its_licence():
    assert stated_in("시행일: 2026. 1. 20. · 라이선스: Apache-2.0\n\n본문") == "Apache-2.0"
    assert (
        stated_in("본문\n" * 3 + "본 저작물은 공공누리 제2유형에 따라 이용할 수 있습니다.")
        == "KOGL-2"
    )
    assert stated_in("라이선스를 지켜야 한다.") == ""


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='<>/ "=ahpdivtrl1가\n&;!-', max_size=200))
def test_any_page_is_read_without_an_error(text):
    markdown, _ = html_to_markdown(text)
    assert markdown.endswith("\n")


def test_a_ruled_table_in_a_pdf_is_kept_as_rows(tmp_path):
    rows = [["Grade", "Owner", "Days"], ["A", "Director of the desk", "3"], ["B", "", "14"]]
    path = files.make_pdf(
        tmp_path / "a.pdf",
        ["The grades of complaints are set in the table\nbelow for every branch of the bank."],
        files.ruled_table(rows),
    )
    (document,) = read(path)
    assert document.text.splitlines()[-4:] == [
        "| Grade | Owner | Days |",
        "| --- | --- | --- |",
        "| A | Director of the desk | 3 |",
        "| B |  | 14 |",
    ]
    assert "branch of the bank." in document.text.split("|")[0]


def test_frames_around_paragraphs_are_no_table(tmp_path):
    drawn = "50 300 400 500 re S\n55 700 390 90 re S\n"
    path = files.make_pdf(
        tmp_path / "a.pdf", ["The first line in a frame\nThe second line\nThe third line"], drawn
    )
    assert "|" not in read(path)[0].text


def test_hwp_5_written_by_another_library_is_read_with_its_table(tmp_path):
    pytest.importorskip("hwp_hwpx_parser")
    writer = pytest.importorskip("hwp_converter_ai")
    path = tmp_path / "민원 편람.hwp"
    text = "# 민원 편람\n\n## 접수\n\n창구에서 민원을 받아 당일에 적는다.\n\n"
    text += (
        "| 등급 | 책임자 |\n| --- | --- |\n| 가 | 부장 |\n| 나 | 과장 |\n\n처리 기한은 14일이다.\n"
    )
    writer.HwpWriter().from_markdown(text, path)
    (document,) = read(path)
    assert document.title == "민원 편람"
    assert [line for line in document.text.splitlines() if line.strip()] == [
        "민원 편람",
        "접수",
        "창구에서 민원을 받아 당일에 적는다.",
        "| 등급 | 책임자 |",
        "| --- | --- |",
        "| 가 | 부장 |",
        "| 나 | 과장 |",
        "처리 기한은 14일이다.",
    ]
