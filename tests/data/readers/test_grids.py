"""Sheets are laid out as paragraphs and tables."""

from __future__ import annotations

from kofinlaw.data.readers.grids import Grid, Table, grid_of_rows, lay_out, layout_lines


def grid(rows, merges=()):
    made = grid_of_rows(rows)
    made.merges.extend(merges)
    return made


def test_title_unit_and_notes_are_paragraphs_around_one_table():
    parts = lay_out(
        grid(
            [
                ["수수료표", "", ""],
                ["", "", "(단위: 원)"],
                ["구분", "창구", "인터넷"],
                ["송금", "1,000", "500"],
                ["※ 면제 고객은 제외", "", ""],
            ]
        )
    )
    table = Table(("구분", "창구", "인터넷"), (("송금", "1,000", "500"),))
    assert parts == ["수수료표", "(단위: 원)", table, "※ 면제 고객은 제외"]


def test_merged_cells_are_filled_and_two_header_rows_become_one():
    rows = [
        ["구분", "수수료", ""],
        ["", "창구", "인터넷"],
        ["송금", "1000", "500"],
        ["", "2000", "700"],
    ]
    (table,) = lay_out(grid(rows, [(1, 1, 2, 1), (1, 2, 1, 3), (3, 1, 4, 1)]))
    assert table.header == ("구분", "수수료 창구", "수수료 인터넷")
    assert table.rows == (("송금", "1000", "500"), ("송금", "2000", "700"))


def test_a_sub_header_without_a_vertical_merge_is_found_by_its_words():
    rows = [["", "수수료", ""], ["구분", "창구", "인터넷"], ["송금", "1000", "500"]]
    (table,) = lay_out(grid(rows, [(1, 2, 1, 3)]))
    assert table.header == ("구분", "수수료 창구", "수수료 인터넷")


def test_a_cell_merged_over_a_whole_row_is_not_repeated():
    rows = [["구분", "금액"], ["외환", ""], ["송금", "1000"], ["비고", "없음"]]
    (table,) = lay_out(grid(rows, [(2, 1, 2, 2)]))
    assert table.rows[0] == ("외환", "")


def test_a_blank_row_inside_a_table_does_not_lose_the_header():
    rows = [["구분", "금액"], ["송금", "1000"], [], ["환전", "2000"]]
    (table,) = lay_out(grid(rows))
    assert table.rows == (("송금", "1000"), ("환전", "2000"))


def test_a_second_table_keeps_its_own_header():
    rows = [["구분", "금액"], ["송금", "1000"], [], ["부서", "담당"], ["여신부", "과장"]]
    first, second = lay_out(grid(rows))
    assert (first.header, second.header) == (("구분", "금액"), ("부서", "담당"))


def test_lines_are_markdown_and_bars_inside_cells_do_not_make_cells():
    parts = lay_out(grid([["구분", "값"], ["가|나", "여러\n줄"]]))
    assert list(layout_lines(parts)) == [
        "| 구분 | 값 |",
        "| --- | --- |",
        "| 가/나 | 여러 줄 |",
        "",
    ]


def test_records_have_unique_column_names():
    table = Table(("질문", "", "질문"), (("가", "나", "다"),))
    assert list(table.records()) == [{"질문": "가", "열 2": "나", "질문 3": "다"}]


def test_an_empty_grid_has_no_parts():
    assert lay_out(Grid()) == []
