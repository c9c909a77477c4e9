"""DOCX: what a reader of the accepted document sees, once and in order."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


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


W = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)


def text_of(files, tmp_path, body, **parts):
    """The text of a document with this body and these parts."""
    members = {"word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>"}
    members |= {
        f"word/{name}.xml": f"<w:{name} {W}>{inner}</w:{name}>" for name, inner in parts.items()
    }
    (document,) = read(files.make_zip(tmp_path / "a.docx", members))
    return document.text


def run(text, properties=""):
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def par(inner, properties="", end=""):
    inner = run(inner) if "<" not in inner else inner
    return f"<w:p><w:pPr>{properties}<w:rPr>{end}</w:rPr></w:pPr>{inner}</w:p>"


def numbered(inner, level=0, list_id=1, end=""):
    numbers = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return par(inner, numbers, end)


def level(number, form, text, more=""):
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def lists(*levels, more=""):
    """A numbering part with one list of these levels, which `w:num` 1 and 2 share."""
    start = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    return (
        f'<w:abstractNum w:abstractNumId="3">{"".join(levels)}</w:abstractNum>{more}'
        '<w:num w:numId="1"><w:abstractNumId w:val="3"/></w:num>'
        f'<w:num w:numId="2"><w:abstractNumId w:val="3"/>{start}</w:num>'
    )


ARTICLES = [
    level(0, "decimal", "제%1조", '<w:suff w:val="nothing"/>'),
    level(1, "decimalEnclosedCircle", "%2"),
    level(2, "decimal", "%3."),
    level(3, "ganada", "%4."),
]


def test_automatic_numbers_count_levels_and_lists(files, tmp_path):
    body = [
        numbered("(목적) 가"), numbered("나", 1), numbered("다", 2), numbered("라", 3),
        numbered("마", 3), numbered("바", 2), numbered("사", 1), numbered("아", 2),
        numbered("(정의) 자"), numbered("차", 1), numbered("(시행) 카", 0, 2), numbered("타"),
        numbered("없음", 0, 0), par("맨글"),
    ]  # fmt: skip
    text = text_of(files, tmp_path, "".join(body), numbering=lists(*ARTICLES))
    assert text.split("\n\n") == [
        *["제1조(목적) 가", "① 나", "1. 다", "가. 라", "나. 마", "2. 바", "② 사", "1. 아"],
        *["제2조(정의) 자", "① 차", "제7조(시행) 카", "제8조타", "없음", "맨글\n"],
    ]


@pytest.mark.parametrize(
    ("form", "marks"),
    [
        ("upperRoman", ["I.", "II.", "III."]),
        ("lowerLetter", ["a.", "b.", "c."]),
        ("chosung", ["ㄱ.", "ㄴ.", "ㄷ."]),
        ("koreanDigital", ["일.", "이.", "삼."]),
        ("koreanCounting", ["일.", "이.", "삼."]),
        ("koreanLegal", ["하나.", "둘.", "셋."]),
        ("ideographTraditional", ["甲.", "乙.", "丙."]),
        ("decimalZero", ["01.", "02.", "03."]),
        ("bullet", ["□.", "□.", "□."]),
        ("none", [".", ".", "."]),
    ],
)
def test_formats_of_numbers(files, tmp_path, form, marks):
    shape = level(0, form, "\uf0a8." if form == "bullet" else "%1.")
    body = "".join(numbered("가") for _ in marks)
    text = text_of(files, tmp_path, body, numbering=lists(shape))
    assert text.split() == [word for mark in marks for word in (mark, "가")]


def test_levels_in_one_number_and_levels_that_never_restart(files, tmp_path):
    shapes = [
        level(0, "upperRoman", "%1"),
        level(1, "decimal", "%1-%2", "<w:isLgl/>"),
        level(2, "ganada", "%3)", '<w:lvlRestart w:val="0"/>'),
    ]
    steps = [0, 1, 2, 0, 1, 2]
    text = text_of(
        files, tmp_path, "".join(numbered("말", n) for n in steps), numbering=lists(*shapes)
    )
    assert text.split("\n\n") == ["I 말", "1-1 말", "가) 말", "II 말", "2-1 말", "나) 말\n"]


def test_lists_of_styles_and_of_linked_list_styles(files, tmp_path):
    shapes = [
        level(0, "decimal", "제%1장"),
        level(1, "decimal", "제%2조", '<w:pStyle w:val="조"/>'),
    ]
    link = (
        '<w:abstractNum w:abstractNumId="9"><w:numStyleLink w:val="목록"/></w:abstractNum>'
        '<w:num w:numId="9"><w:abstractNumId w:val="9"/></w:num>'
    )
    number = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = (
        f'<w:style w:styleId="장"><w:name w:val="heading 1"/>{number}</w:style>'
        f'<w:style w:styleId="조"><w:name w:val="x"/>{number}</w:style>'
        '<w:style w:styleId="조2"><w:name w:val="y"/><w:basedOn w:val="조"/></w:style>'
        f'<w:style w:styleId="목록" w:type="numbering"><w:name w:val="z"/>{number}</w:style>'
    )
    body = (
        par("총칙", '<w:pStyle w:val="장"/>') + par("가", '<w:pStyle w:val="조"/>')
        + par("나", '<w:pStyle w:val="조2"/>') + numbered("보칙", 0, 9)
    )  # fmt: skip
    text = text_of(files, tmp_path, body, styles=styles, numbering=lists(*shapes, more=link))
    assert text.split("\n\n") == ["# 제1장 총칙", "제1조 가", "제2조 나", "제2장 보칙\n"]


def test_deleted_paragraphs_are_not_counted_and_join_the_next(files, tmp_path):
    gone = "<w:del><w:r><w:delText>옛</w:delText></w:r></w:del>"
    body = (
        numbered("하나") + numbered(gone, end="<w:del/>") + numbered(run("둘 ") + gone, end="<w:del/>")
        + numbered("이어짐") + numbered("셋")
    )  # fmt: skip
    text = text_of(files, tmp_path, body, numbering=lists(level(0, "decimal", "%1.")))
    assert text.split("\n\n") == ["1. 하나", "2. 둘 이어짐", "3. 셋\n"]


def test_numbers_in_cells_without_text_are_shown(files, tmp_path):
    row = (
        "<w:tr>" + "".join(f"<w:tc>{one}</w:tc>" for one in (numbered(" "), par("가"))) + "</w:tr>"
    )
    table = f"<w:tbl>{row * 3}</w:tbl>"
    text = text_of(files, tmp_path, table, numbering=lists(level(0, "decimal", "%1")))
    assert text == "| 1 | 가 |\n| --- | --- |\n| 2 | 가 |\n| 3 | 가 |\n"


MERGED = '<w:hMerge w:val="restart"/>'


def test_the_text_of_a_deletion_in_cells_and_rows_is_left_out(files, tmp_path):
    def cell(text, properties=""):
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{par(text)}</w:tc>"

    rows = (
        f"<w:tr>{cell('가')}{cell('나')}</w:tr>"
        f"<w:tr><w:trPr><w:del/></w:trPr>{cell('옛')}{cell('줄')}</w:tr>"
        f"<w:tr>{cell('다')}{cell('옛칸', '<w:cellDel/>')}{cell('라')}</w:tr>"
        f'<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>{cell("마")}</w:tr>'
        f"<w:sdt><w:sdtContent><w:tr>{cell('바', MERGED)}"
        f"<w:sdt><w:sdtContent>{cell('', '<w:hMerge/>')}</w:sdtContent></w:sdt></w:tr>"
        "</w:sdtContent></w:sdt>"
    )
    text = text_of(files, tmp_path, f"<w:tbl>{rows}</w:tbl>")
    assert text == "| 가 | 나 |\n| --- | --- |\n| 다 | 라 |\n|  | 마 |\n| 바 | 바 |\n"


FIELD = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
BEGIN, MIDDLE, END = (FIELD.format(kind) for kind in ("begin", "separate", "end"))


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (f"{BEGIN}<w:r><w:instrText>REF</w:instrText></w:r>{MIDDLE}{run('값')}{END}", "값"),
        (
            f"{BEGIN}{run('숨은')}{BEGIN}{run('안')}{MIDDLE}{run('둘')}{END}{MIDDLE}{run('값')}{END}",
            "값",
        ),
        (f"<w:fldSimple>{run('3')}</w:fldSimple>쪽", "3"),
        (f"<w:moveFrom>{run('옛')}</w:moveFrom><w:moveTo>{run('새')}</w:moveTo>", "새"),
        (f"<w:del>{run('옛')}</w:del><w:ins>{run('새')}</w:ins>", "새"),
        (run("숨음", "<w:vanish/>") + run("보임", '<w:vanish w:val="0"/>'), "보임"),
        (run("가") + "<w:r><w:noBreakHyphen/><w:ptab/></w:r>" + run("나"), "가- 나"),
        ('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>', "✓"),
        (f"<w:hyperlink>{run('고리')}</w:hyperlink><w:smartTag>{run('표')}</w:smartTag>", "고리표"),
        (
            f"<w:sdt><w:sdtPr><w:alias/></w:sdtPr><w:sdtContent>{run('칸')}</w:sdtContent></w:sdt>",
            "칸",
        ),
        (
            f"<w:ruby><w:rt>{run('법')}</w:rt><w:rubyBase>{run('法')}</w:rubyBase></w:ruby>",
            "法(법)",
        ),
        (run("10") + run("2", '<w:vertAlign w:val="superscript"/>') + run("㎡"), "10²㎡"),
        (run("가") + '<w:r><w:commentReference w:id="1"/></w:r>', "가"),
    ],
)
def test_what_a_reader_sees_of_a_paragraph(files, tmp_path, inner, expected):
    assert text_of(files, tmp_path, par(inner)).strip() == expected


@pytest.mark.parametrize(
    ("instruction", "shown"),
    [
        (r"eq \o\ac(○,21)", "㉑"),
        (r"EQ \* jc2 \* hps10 \o\ad(\s\up 9(법),法)", "法(법)"),
        (r"EQ \f(1,2)", "1/2"),
        ("MACROBUTTON NoMacro [성명 입력]", "[성명 입력]"),
        ("TC 목차", ""),
    ],
)
def test_fields_that_show_their_instruction(files, tmp_path, instruction, shown):
    inner = "".join(f"<w:r><w:instrText>{part}</w:instrText></w:r>" for part in instruction)
    assert text_of(files, tmp_path, par(f"{BEGIN}{inner}{END}{run('글')}")).strip() == f"{shown}글"


def test_the_selected_entry_of_a_drop_down_is_shown(files, tmp_path):
    data = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="갑"/><w:listEntry w:val="을"/></w:ddList>'
    begin = f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>'
    assert text_of(files, tmp_path, par(f"{begin}{END}{run('은')}")).strip() == "을은"


def test_formulas_keep_their_fractions_and_powers(files, tmp_path):
    def m(name, text):
        return f"<m:{name}><m:r><m:t>{text}</m:t></m:r></m:{name}>"

    inner = (
        f"<m:f>{m('num', 'B')}{m('den', '12')}</m:f><m:sSup>{m('e', 'x')}{m('sup', '2')}</m:sSup>"
        f"<m:rad>{m('e', 'z')}</m:rad><m:d>{m('e', 'q')}{m('e', 'r')}</m:d>"
        f"<m:nary>{m('sub', 'i=1')}{m('sup', 'n')}{m('e', 'a')}</m:nary>{m('del', '옛')}"
    )
    text = text_of(files, tmp_path, par(f"<m:oMath xmlns:m='m'>{inner}</m:oMath>"))
    assert text == "B/12x^2√(z)(q|r)∫_(i=1)^n a\n"


def test_parts_are_found_by_their_relations(files, tmp_path):
    note = '<w:footnote w:id="2">' + par("주") + "</w:footnote>"
    body = par(run("가") + '<w:r><w:footnoteReference w:id="2"/></w:r>')
    path = files.make_zip(
        tmp_path / "a.docx",
        {
            "_rels/.rels": '<R><r Type="x/officeDocument" Target="word/document2.xml"/></R>',
            "word/document2.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
            "word/_rels/document2.xml.rels": '<R><r Type="x/footnotes" Target="/word/notes2.xml"/></R>',
            "word/notes2.xml": f"<w:footnotes {W}>{note}</w:footnotes>",
        },
    )
    assert read(path)[0].text == "가 (주)\n"


def test_hidden_styles_and_heads_that_run_into_the_next_paragraph(files, tmp_path):
    styles = (
        '<w:style w:styleId="숨김"><w:name w:val="s"/><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="자식"><w:name w:val="t"/><w:basedOn w:val="숨김"/></w:style>'
    )
    body = (
        par("안 보임", '<w:pStyle w:val="자식"/>')
        + par(run("안 보임", '<w:rStyle w:val="숨김"/>') + run("보임"))
        + par("제1조(목적)", end="<w:vanish/><w:specVanish/>") + par(" 정한다.")
    )  # fmt: skip
    assert text_of(files, tmp_path, body, styles=styles) == "보임\n\n제1조(목적) 정한다.\n"


def test_text_boxes_do_not_cut_the_sentence_around_them(files, tmp_path):
    box = "<w:r><w:pict><w:txbxContent>" + par("상자") + "</w:txbxContent></w:pict></w:r>"
    assert text_of(files, tmp_path, par(box + run("앞 뒤"))) == "상자\n\n앞 뒤\n"
    assert text_of(files, tmp_path, par(run("앞 ") + box + run("뒤"))) == "앞 뒤\n상자\n"


def test_notes_follow_the_same_rules_as_the_text(files, tmp_path):
    note = (
        '<w:footnote w:id="2">' + par(f"{run('주석')}<w:del>{run('옛')}</w:del>") + "</w:footnote>"
    )
    end = '<w:endnote w:id="2">' + par("미주") + "</w:endnote>"
    body = par(
        run("가") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run("나")
        + '<w:r><w:endnoteReference w:id="2"/></w:r>'
    )  # fmt: skip
    text = text_of(files, tmp_path, body, footnotes=note, endnotes=end)
    assert text == "가 (주석)나 (미주)\n"


def test_what_is_not_read_is_counted(files, tmp_path):
    body = (
        par("가")
        + '<w:altChunk r:id="x" xmlns:r="r"/>'
        + par("<w:drawing><c:chart xmlns:c='c'/></w:drawing>")
    )
    document = f"<w:document {W}><w:body>{body}{par(BEGIN)}</w:body></w:document>"
    (read_one,) = read(files.make_zip(tmp_path / "a.docx", {"word/document.xml": document}))
    assert read_one.warnings == (
        "not read: embedded documents (altChunk) (1), charts (1), "
        "the text behind a field that does not end (1)",
    )


def test_the_words_of_a_diagram_are_read(files, tmp_path):
    point = "<d:pt><a:t>접수</a:t></d:pt><d:pt><a:t>심사</a:t></d:pt>"
    body = par("<w:r><w:drawing><d:relIds xmlns:d='d' xmlns:r='r' r:dm='rId7'/></w:drawing></w:r>")
    members = {
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": '<R><r Id="rId7" Target="diagrams/data1.xml"/></R>',
        "word/diagrams/data1.xml": f"<d:m xmlns:d='d' xmlns:a='a'>{point}</d:m>",
    }
    (document,) = read(files.make_zip(tmp_path / "a.docx", members))
    assert document.text == "접수\n심사\n"


def wrapped(inner, how):
    """Runs inside one of the wrappers of a paragraph; a `-` wrapper hides them."""
    return {
        "plain": inner,
        "ins": f"<w:ins>{inner}</w:ins>",
        "moveTo": f"<w:moveTo>{inner}</w:moveTo>",
        "sdt": f"<w:sdt><w:sdtContent>{inner}</w:sdtContent></w:sdt>",
        "link": f"<w:hyperlink>{inner}</w:hyperlink>",
        "result": BEGIN + run("-말") + MIDDLE + inner + END,
        "choice": f"<mc:AlternateContent><mc:Choice>{inner}</mc:Choice><mc:Fallback>{inner}"
        "</mc:Fallback></mc:AlternateContent>",
        "-del": f"<w:del>{inner}</w:del>",
        "-moveFrom": f"<w:moveFrom>{inner}</w:moveFrom>",
        "-code": BEGIN + inner + MIDDLE + END,
        "-vanish": inner.replace("<w:rPr>", "<w:rPr><w:vanish/>"),
    }[how]


HOWS = ["plain", "ins", "moveTo", "sdt", "link", "result", "choice"]
HOWS += ["-del", "-moveFrom", "-code", "-vanish"]
INLINE = st.lists(st.lists(st.sampled_from(HOWS), max_size=3), min_size=1, max_size=3)
CONTENT = st.lists(
    st.one_of(
        INLINE.map(lambda runs: ("p", runs)),
        st.lists(st.lists(INLINE, min_size=1, max_size=2), min_size=1, max_size=2).map(
            lambda rows: ("tbl", rows)
        ),
    ),
    min_size=1,
    max_size=4,
)


def marked(runs, seen, made):
    out = ""
    for hows in runs:
        word = f"표지{made[0]}말"
        made[0] += 1
        inner = run(word)
        for how in hows:
            inner = wrapped(inner, how)
        if not any(how.startswith("-") for how in hows):
            seen.append(word)
        out += inner
    return f"<w:p>{out}</w:p>"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(CONTENT)
def test_each_visible_word_is_read_once_and_in_order(files, tmp_path_factory, blocks):
    seen, made, body = [], [0], ""
    for kind, inner in blocks:
        if kind == "p":
            body += marked(inner, seen, made)
        else:
            cells = (
                "".join(f"<w:tc>{marked(runs, seen, made)}</w:tc>" for runs in row) for row in inner
            )
            body += "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"
    visible = par("끝말")
    text = text_of(files, tmp_path_factory.mktemp("docx"), body + visible)
    assert re.findall(r"표지\d+말", text) == seen


def test_a_table_of_one_cell_is_a_frame_around_paragraphs(files, tmp_path):
    inner = par("제1조(목적) 가") + par("제2조(뜻) 나")
    body = f"<w:tbl><w:tr><w:tc><w:tcPr/>{inner}</w:tc></w:tr></w:tbl>"
    assert text_of(files, tmp_path, body) == "제1조(목적) 가\n\n제2조(뜻) 나\n"


def test_cells_that_a_tracked_change_merges_repeat_their_text(files, tmp_path):
    rows = "".join(
        f"<w:tr><w:tc><w:tcPr><w:cellMerge w:vMerge='{how}'/></w:tcPr>{par(text)}</w:tc>"
        f"<w:tc><w:tcPr/>{par(other)}</w:tc></w:tr>"
        for how, text, other in (("rest", "가", "나"), ("cont", "", "다"))
    )
    text = text_of(files, tmp_path, f"<w:tbl>{rows}</w:tbl>")
    assert text == "| 가 | 나 |\n| --- | --- |\n| 가 | 다 |\n"
