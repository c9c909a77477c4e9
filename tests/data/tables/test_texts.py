"""Rows of tables: labels, columns and values."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, seed, settings

from kofinlaw.data.tables.texts import cells_of, header_above, table_rows

TABLE = [
    "위험값은 다음과 같다.",
    "| 구 분 | 구 분 | 위험값 |",
    "| --- | --- | --- |",
    "| 투자중개업 | 위탁매매 | 12% |",
    "| 투자매매업 | 주식1) | 18% |",
    "비고",
]


def test_a_row_names_its_label_and_its_columns():
    found = list(table_rows(TABLE))
    assert [row.label for row in found] == ["투자중개업 위탁매매", "투자매매업 주식1)"]
    assert [row.columns[-1] for row in found] == ["위험값", "위험값"]
    assert [row.cells[-1] for row in found] == ["12%", "18%"]


def test_a_heading_of_two_rows_is_one_header():
    lines = ["| 구분 | 한도 | 한도 |", "| 구분 | 1회 | 1일 |", "| 개인 | 50만원 | 200만원 |"]
    (row,) = table_rows(lines)
    assert (row.header, row.columns) == ((0, 1), ("구분", "한도 1회", "한도 1일"))
    assert row.cells == ("개인", "50만원", "200만원")


def test_columns_are_labels_until_they_tell_the_rows_apart():
    lines = ["| 부문 | 항목 | 값 |", "| 자산 | 현금 | 1배 |", "| 자산 | 주식 | 2배 |"]
    assert [row.label for row in table_rows(lines)] == ["자산 현금", "자산 주식"]


def test_each_row_knows_the_lines_of_its_header():
    assert header_above(TABLE) == {3: (1,), 4: (1,)}


def test_rows_with_other_columns_and_text_are_left_out():
    lines = ["| 구분 | 값 |", "| 주석 |", "| 예금 | 100% |", "가 | 나"]
    assert [row.cells for row in table_rows(lines)] == [("예금", "100%")]


WORD = st.text("가나다라마바사아자차1234567890%배", min_size=1, max_size=6)


@seed(18)
@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(WORD, min_size=3, max_size=3), min_size=1, max_size=6))
def test_values_are_kept_as_they_are(rows):
    lines = ["| 항목 | 비율 | 한도 |", *("| " + " | ".join(row) + " |" for row in rows)]
    found = list(table_rows(lines))
    assert all(row.cells == cells_of(lines[row.line]) for row in found)
