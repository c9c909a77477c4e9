"""HWPX: what a reader of the accepted document sees, once and in order."""

from __future__ import annotations

import re
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


P = '<hs:sec xmlns:hs="s" xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph">{}</hs:sec>'
HEAD = '<hh:head xmlns:hh="h">{}</hh:head>'


def text_of(files, tmp_path, body, header=""):
    """The text of a section with these paragraphs."""
    members = {
        "mimetype": "application/hwp+zip",
        "Contents/header.xml": HEAD.format(header),
        "Contents/section0.xml": P.format(body),
    }
    (document,) = read(files.make_zip(tmp_path / "a.hwpx", members))
    return document.text


def t(text):
    return f"<hp:run><hp:t>{text}</hp:t></hp:run>"


def par(inner, shape="0", style="0"):
    inner = inner if inner.startswith("<hp:run") else t(inner)
    return f'<hp:p paraPrIDRef="{shape}" styleIDRef="{style}">{inner}</hp:p>'


def sub(text):
    return f"<hp:subList>{par(text)}</hp:subList>"


def tc(text, column=None, row=0, width=1, height=1):
    place = f'<hp:cellAddr colAddr="{column}" rowAddr="{row}"/>' if column is not None else ""
    return f'<hp:tc>{sub(text)}{place}<hp:cellSpan colSpan="{width}" rowSpan="{height}"/></hp:tc>'


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (t("10일<hp:deleteBegin Id='1'/>3일<hp:deleteEnd Id='1'/> 이내"), "10일 이내"),
        (t("가<hp:deleteBegin Id='1'/>") + t("옛") + t("<hp:deleteEnd Id='1'/>나"), "가나"),
        (
            t("가<hp:deleteBegin Id='1'/>옛<hp:deleteBegin Id='2'/>옛<hp:deleteEnd Id='1'/>옛<hp:deleteEnd Id='2'/>나"),
            "가나",
        ),
        ("<hp:run><hp:t>식 </hp:t><hp:equation><hp:script>a over b</hp:script></hp:equation><hp:t>이다</hp:t></hp:run>", "식 a over b이다"),
        ("<hp:run><hp:compose circleType='SHAPE_CIRCLE' composeText='21'/><hp:t>항</hp:t></hp:run>", "㉑항"),
        (
            "<hp:run><hp:edit><hp:text>입력</hp:text></hp:edit><hp:checkBtn caption='동의' value='CHECKED'/>"
            "<hp:comboBox selectedValue='을'/></hp:run>",
            "입력 ☑ 동의 을",
        ),
        (t("가<hp:insertBegin Id='2'/>새<hp:insertEnd Id='2'/>나"), "가새나"),
        (t("가<hp:fwSpace/>나<hp:nbSpace/>다<hp:tab/>라<hp:hyphen/>마"), "가 나 다 라-마"),
        (t("가<hp:markpenBegin/>나<hp:markpenEnd/>다"), "가나다"),
        (t("가") + f"<hp:run><hp:ctrl><hp:footNote>{sub('주')}</hp:footNote></hp:ctrl></hp:run>", "가 (주)"),
        (t("가") + f"<hp:run><hp:ctrl><hp:endNote>{sub('주')}</hp:endNote></hp:ctrl></hp:run>", "가 (주)"),
        (t("가") + f"<hp:run><hp:ctrl><hp:hiddenComment>{sub('숨은')}</hp:hiddenComment></hp:ctrl></hp:run>", "가"),
        (t("가") + f"<hp:run><hp:ctrl><hp:header>{sub('머리')}</hp:header></hp:ctrl></hp:run>", "가"),
        (t("가") + f"<hp:run><hp:ctrl><hp:fieldBegin type='MEMO'>{sub('메모')}</hp:fieldBegin></hp:ctrl></hp:run>", "가"),
        ("<hp:run><hp:dutmal><hp:mainText>法</hp:mainText><hp:subText>법</hp:subText></hp:dutmal></hp:run>", "法(법)"),
        ("<hp:run><hp:equation><hp:script>a over b</hp:script></hp:equation></hp:run>", "a over b"),
        (
            t("표 ") + "<hp:run><hp:ctrl><hp:autoNum num='3' numType='TABLE'><hp:autoNumFormat type='DIGIT'"
            " suffixChar='.'/></hp:autoNum></hp:ctrl></hp:run>" + t(" 수수료"),
            "표 3. 수수료",
        ),
    ],
)  # fmt: skip
def test_what_a_reader_sees_of_a_paragraph(files, tmp_path, inner, expected):
    assert text_of(files, tmp_path, par(inner)).strip() == expected


def test_a_deletion_over_paragraphs_joins_what_is_left(files, tmp_path):
    body = (
        par("10일<hp:deleteBegin Id='1'/>")
        + par("옛")
        + par("<hp:deleteEnd Id='1'/> 이내")
        + par("끝")
    )
    assert text_of(files, tmp_path, body) == "10일 이내\n\n끝\n"
    end = par("가<hp:deleteBegin Id='1' paraend='1'/>옛<hp:deleteEnd Id='1'/>") + par("나")
    assert text_of(files, tmp_path, end) == "가나\n"


def test_a_deletion_ends_with_its_cell(files, tmp_path):
    cells = tc("10일<hp:deleteBegin Id='1'/>3일", 0) + tc("나", 1)
    body = par(f"<hp:run><hp:tbl><hp:tr>{cells}</hp:tr></hp:tbl></hp:run>") + par("본문")
    members = {"mimetype": "application/hwp+zip", "Contents/section0.xml": P.format(body)}
    (document,) = read(files.make_zip(tmp_path / "a.hwpx", members))
    assert document.text == "| 10일 | 나 |\n| --- | --- |\n\n본문\n"
    assert document.warnings == ("not read: the text behind a tracked deletion that does not end",)


def test_a_deletion_without_an_end_is_reported(files, tmp_path):
    members = {"Contents/section0.xml": P.format(par("가<hp:deleteBegin Id='1'/>나"))}
    (document,) = read(files.make_zip(tmp_path / "a.hwpx", members))
    assert (document.text, document.warnings) == (
        "가\n",
        ("not read: the text behind a tracked deletion that does not end",),
    )


def numbers(kind, *heads):
    shapes = "".join(
        f'<hh:paraPr id="{n + 1}"><hp:switch xmlns:hp="p"><hp:case><hh:heading type="{kind}" idRef="4"'
        f' level="{n}"/></hp:case><hp:default><hh:heading type="{kind}" idRef="4" level="{n}"/>'
        "</hp:default></hp:switch></hh:paraPr>"
        for n in range(len(heads))
    )
    levels = "".join(
        f'<hh:paraHead level="{n + 1}" start="1" numFormat="{form}">{text}</hh:paraHead>'
        for n, (form, text) in enumerate(heads)
    )
    return f'<hh:numbering id="4" start="0">{levels}</hh:numbering>{shapes}'


@pytest.mark.parametrize("kind", ["NUMBER", "OUTLINE"])
def test_automatic_numbers_count_levels(files, tmp_path, kind):
    header = numbers(
        kind, ("DIGIT", "제^1조"), ("CIRCLED_DIGIT", "^2"), ("HANGUL_SYLLABLE", "^3."), ("DIGIT", "^n")
    )  # fmt: skip
    outline = '<hp:run><hp:secPr outlineShapeIDRef="4"/></hp:run>'
    steps = [
        (1, "(목적)"),
        (2, "가"),
        (3, "나"),
        (3, "다"),
        (4, "라"),
        (2, "마"),
        (1, "(정의)"),
        (2, "바"),
    ]
    body = par(outline) + "".join(par(text, str(n)) for n, text in steps)
    assert text_of(files, tmp_path, body, header).split("\n\n") == [
        *[
            "제1조 (목적)",
            "① 가",
            "가. 나",
            "나. 다",
            "1.①.나.1 라",
            "② 마",
            "제2조 (정의)",
            "① 바\n",
        ],
    ]


def test_bullets_and_headings_with_numbers(files, tmp_path):
    header = (
        '<hh:bullet id="2" char="□"/><hh:paraPr id="1"><hh:heading type="BULLET" idRef="2" level="0"/>'
        '</hh:paraPr><hh:style id="3" name="개요 1"/>' + numbers("OUTLINE", ("DIGIT", "^1.")).replace(
            'paraPr id="1"', 'paraPr id="5"')
    )  # fmt: skip
    body = par("총칙", "5", "3") + par("가", "1") + par("", "1") + par("보칙", "5", "3")
    assert text_of(files, tmp_path, body, header) == "## 1. 총칙\n\n□ 가\n\n## 2. 보칙\n"


def test_captions_shapes_and_inner_tables_are_read_once(files, tmp_path):
    inner = f"<hp:run><hp:tbl><hp:tr>{tc('안1')}{tc('안2')}</hp:tr></hp:tbl></hp:run>"
    cell = f"<hp:tc><hp:subList>{par(inner)}</hp:subList></hp:tc>"
    top = f'<hp:caption side="TOP">{sub("위")}</hp:caption>'
    below = f'<hp:caption side="BOTTOM">{sub("아래")}</hp:caption>'
    table = f"<hp:run><hp:tbl>{top}<hp:tr>{cell}{tc('밖')}</hp:tr></hp:tbl></hp:run>"
    picture = f"<hp:run><hp:pic>{below}</hp:pic></hp:run>"
    shape = f"<hp:drawText>{sub('글상자')}</hp:drawText>"
    group = f"<hp:run><hp:container><hp:rect>{shape}</hp:rect></hp:container></hp:run>"
    text = text_of(files, tmp_path, par(t("앞") + group + t("뒤")) + par(table) + par(picture))
    assert text == "앞뒤\n\n글상자\n\n위\n\n| 안1 안2 | 밖 |\n| --- | --- |\n\n아래\n"


@pytest.mark.parametrize("addressed", [True, False])
def test_merged_cells_keep_columns_with_and_without_addresses(files, tmp_path, addressed):
    def at(text, column, row, **spans):
        return tc(text, column if addressed else None, row, **spans)

    rows = [
        at("가", 0, 0, height=2) + at("나", 1, 0, width=2),
        at("다", 1, 1) + at("라", 2, 1, height=2),
        at("마", 0, 2) + at("바", 1, 2),
    ]
    table = "".join(f"<hp:tr>{row}</hp:tr>" for row in rows)
    text = text_of(files, tmp_path, par(f"<hp:run><hp:tbl>{table}</hp:tbl></hp:run>"))
    assert text.splitlines() == [
        *["| 가 | 나 | 나 |", "| --- | --- | --- |", "| 가 | 다 | 라 |", "| 마 | 바 | 라 |"],
    ]


WORD = st.sampled_from(["seen", "gone", "note", "comment", "box"])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.lists(WORD, min_size=1, max_size=4), min_size=1, max_size=5))
def test_each_visible_word_is_read_once(files, tmp_path_factory, paragraphs):
    seen, made, body = set(), 0, ""
    for words in paragraphs:
        inner = ""
        for how in words:
            word = f"표지{made}말"
            made += 1
            if how not in ("gone", "comment"):
                seen.add(word)
            inner += {
                "seen": t(word),
                "gone": t("<hp:deleteBegin Id='1'/>" + word) + t("<hp:deleteEnd Id='1'/>"),
                "note": f"<hp:run><hp:ctrl><hp:footNote>{sub(word)}</hp:footNote></hp:ctrl></hp:run>",
                "comment": f"<hp:run><hp:ctrl><hp:hiddenComment>{sub(word)}</hp:hiddenComment>"
                "</hp:ctrl></hp:run>",
                "box": f"<hp:run><hp:rect><hp:drawText>{sub(word)}</hp:drawText></hp:rect></hp:run>",
            }[how]
        body += par(inner)
    text = text_of(files, tmp_path_factory.mktemp("hwpx"), body + par("끝"))
    found = re.findall(r"표지\d+말", text)
    assert sorted(found) == sorted(seen)


def test_frames_and_small_text_above_the_line(files, tmp_path):
    header = '<hh:charPr id="7"><hh:supscript/></hh:charPr>'
    small = '<hp:run charPrIDRef="7"><hp:t>2</hp:t></hp:run>'
    inner = f"<hp:subList>{par('제1조(목적) 가')}{par(t('10') + small + t('㎡'))}</hp:subList>"
    body = par(f"<hp:run><hp:tbl><hp:tr><hp:tc>{inner}</hp:tc></hp:tr></hp:tbl></hp:run>")
    assert text_of(files, tmp_path, body, header) == "제1조(목적) 가\n\n10²㎡\n"
