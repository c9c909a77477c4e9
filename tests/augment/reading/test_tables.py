from dataclasses import replace

from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.tables import read_tables
from kofinlaw.records import Chunk


def chunk(name: str, text: str, unit: str = "감독규정 별표 7", path: str = "") -> Chunk:
    path = path or "[별표 7] 유동화 가중치(제64조제3항 관련)"
    return Chunk(
        f"감독규정/{name}", "감독규정", "감독규정", "rule", path, unit,
        f"감독규정 {path}\n{text}", "2025-01-01", "a.md", "x", "0",
    )  # fmt: skip


HEAD = "(단위 : %)\n| 자산 | 가중치 |"


def test_joins_the_parts_of_a_table():
    parts = [
        chunk("별표 7/표1", f"{HEAD}\n| 현금 | 100 |\n| 예금 | 90 |"),
        chunk("별표 7/표1~2", f"{HEAD}\n| 증권 | 50 |"),
    ]
    (table,) = read_tables(parts)["감독규정"]
    assert [row.cells for row in table.rows] == [("현금", "100"), ("예금", "90"), ("증권", "50")]
    assert table.heading == "유동화 가중치"
    assert table.captions == ("(단위 : %)",)
    assert table.name == "별표 7"
    assert table.whole
    assert table.row_text(2) == "자산: 증권, 가중치: 50"


def test_leaves_out_a_table_without_its_header_in_each_part():
    parts = [
        chunk("별표 7/표1", "| 자산 | 가중치 |\n| 현금 | 100 |"),
        chunk("별표 7/표1~2", "| 증권 | 50 |\n| 채권 | 40 |"),
    ]
    assert read_tables(parts) == {}


def test_a_table_with_a_split_or_ragged_row_is_not_whole():
    rows = f"{HEAD}\n| 현금 | 100 |\n| 예금 | 90 | 1 |\n| 증권 | 50 |"
    (table,) = read_tables([chunk("별표 7/표1", rows)])["감독규정"]
    assert not table.whole
    split = [
        chunk("별표 7/표1", f"{HEAD}\n| 현금 | 100 |"),
        chunk("별표 7/표1~2.1", f"{HEAD}\n| 예금 | 90 |"),
    ]
    (table,) = read_tables(split)["감독규정"]
    assert not table.whole


def test_forms_articles_and_replaced_texts_have_no_tables():
    text = f"{HEAD}\n| 현금 | 100 |\n| 예금 | 90 |"
    form = chunk("별지/표1", text, "감독규정 별지 제1호서식")
    article = chunk("제1조/표1", text, "감독규정 제1조")
    replaced = replace(chunk("별표 7/표1", text), until="2024-01-01")
    assert read_tables([form, article, replaced]) == {}


def test_a_law_has_the_tables_of_its_annexes(parse):
    articles = [
        *parse("감독규정", "##### 제1조 (목적)\n\n목적"),
        *parse("법", "##### 제1조 (목적)\n\n목적"),
    ]
    passages = [chunk("별표 7/표1", f"{HEAD}\n| 현금 | 100 |\n| 예금 | 90 |")]
    rule, act = read_laws(articles, passages).acts
    assert [table.unit for table in rule.tables] == ["감독규정 별표 7"]
    assert act.tables == read_laws(articles).acts[0].tables == ()
