"""PPTX files, written by python-pptx during the test."""

from __future__ import annotations

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **limits):
    return list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))


@pytest.fixture
def deck(tmp_path):
    deck = Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[0])
    first.shapes.title.text = "여신 교육"
    first.placeholders[1].text = "2025년 상반기"
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "전결권"
    table = second.shapes.add_table(3, 2, 0, 0, Inches(4), Inches(2)).table
    for index, text in enumerate(["등급", "한도", "가", "5억원", "", "7억원"]):
        table.cell(index // 2, index % 2).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 1, 1).text_frame.text = "묶인 글상자"
    second.notes_slide.notes_text_frame.text = "한도는 매년 바뀝니다."
    third = deck.slides.add_slide(deck.slide_layouts[6])
    data = CategoryChartData()
    data.categories = ["1분기", "2분기"]
    data.add_series("연체율", (0.5, 0.7))
    third.shapes.add_chart(XL_CHART_TYPE.LINE, 0, 0, Inches(4), Inches(3), data)
    deck.slides.add_slide(deck.slide_layouts[6])  # without text
    hidden = deck.slides.add_slide(deck.slide_layouts[5])
    hidden.shapes.title.text = "숨긴 장"
    hidden._element.set("show", "0")
    deck.save(tmp_path / "발표.pptx")
    return tmp_path / "발표.pptx"


def test_slides_in_order_with_tables_charts_and_notes(deck):
    (document,) = read(deck)
    assert (document.title, document.format, document.as_of) == ("여신 교육", "pptx", "")
    assert document.text == (
        "## 여신 교육\n\n2025년 상반기\n\n"
        "## 전결권\n\n| 등급 | 한도 |\n| --- | --- |\n| 가 | 5억원 |\n| 가 | 7억원 |\n\n"
        "묶인 글상자\n\n발표자 노트: 한도는 매년 바뀝니다.\n\n"
        "## 슬라이드 3\n\n| 항목 | 연체율 |\n| --- | --- |\n| 1분기 | 0.5 |\n| 2분기 | 0.7 |\n"
    )
    assert document.warnings == (
        "hidden slides are not read: 5",
        "slides without text (pictures are not read): 4",
    )


def test_a_broken_deck_and_too_many_slides_are_refused(deck):
    with pytest.raises(UserError, match="5 slides, more than 2"):
        read(deck, pages=2)
    data = deck.read_bytes()
    deck.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="broken"):
        read(deck)


def test_paragraphs_have_their_automatic_numbers(tmp_path):
    deck = Presentation()
    frame = deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_textbox(0, 0, 9, 9).text_frame
    kinds = [
        (0, "arabicPeriod", 3), (1, "circleNumDbPlain", 1), (1, "circleNumDbPlain", 1),
        (0, "arabicPeriod", 3), (1, "circleNumDbPlain", 1), (0, "", 1), (0, "alphaLcParenBoth", 1),
    ]  # fmt: skip
    for number, (level, kind, start) in enumerate(kinds):
        paragraph = frame.paragraphs[0] if not number else frame.add_paragraph()
        paragraph.text, paragraph.level = f"말{number}", level
        if kind:
            own = paragraph._p.get_or_add_pPr().makeelement(
                "{http://schemas.openxmlformats.org/drawingml/2006/main}buAutoNum",
                {"type": kind, "startAt": str(start)},
            )
            paragraph._p.pPr.append(own)
    deck.save(tmp_path / "a.pptx")
    (document,) = read(tmp_path / "a.pptx")
    assert document.text.split("\n\n")[1:] == [
        *["3. 말0", "① 말1", "② 말2", "4. 말3", "① 말4", "말5", "(a) 말6\n"],
    ]
