"""Tables drawn with box characters become Markdown tables."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from kofinlaw.data.readers.frames import drawn_tables

STYLES = {
    "light": "┌┬┐├┼┤└┴┘─│",
    "heavy": "┏┳┓┣╋┫┗┻┛━┃",
    "mixed": "┏┯┓┠┼┨┗┷┛─│",
    "double": "╔╦╗╠╬╣╚╩╝═║",
}
WORDS = st.text(alphabet="가나다라마바사은행감독규정12,%", min_size=1, max_size=12).filter(
    lambda text: text.strip(",%") != ""
)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def draw(rows: list[list[str]], style: str = "light", wide: int = 2, apart: str = "\n") -> str:
    """Draw rows as a table: each cell is one line, padded to the width of its column."""
    tl, t, tr, left, cross, right, bl, b, br, rule, bar = STYLES[style]
    columns = len(rows[0])
    widths = [max(width(row[i]) for row in rows) + 4 for i in range(columns)]
    widths = [w + w % wide for w in widths]

    def edge(first: str, middle: str, last: str) -> str:
        return first + middle.join(rule * (w // wide) for w in widths) + last

    lines = [edge(tl, t, tr)]
    for index, row in enumerate(rows):
        cells = (c + " " * (w - width(c)) for c, w in zip(row, widths, strict=True))
        lines.append(bar + bar.join(cells) + bar)
        last = index == len(rows) - 1
        lines.append(edge(bl, b, br) if last else edge(left, cross, right))
    return apart.join(lines)


def rows_of(text: str) -> list[list[str]]:
    """The cells of the Markdown rows in a text, without separators."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [
        [c.strip() for c in line.strip().strip("|").split("|")]
        for line in lines
        if "---" not in line
    ]


@st.composite
def tables(draw_one) -> list[list[str]]:
    columns = draw_one(st.integers(2, 4))
    height = draw_one(st.integers(1, 5))
    rows = draw_one(
        st.lists(
            st.lists(WORDS, min_size=columns, max_size=columns), min_size=height, max_size=height
        )
    )
    # Equal rows in succession are the traces of a spanning cell, and are shown once.
    return [row for i, row in enumerate(rows) if not i or row != rows[i - 1]]


@settings(max_examples=60, deadline=None)
@given(
    tables(), st.sampled_from(sorted(STYLES)), st.sampled_from([1, 2]), st.sampled_from([1, 2, 3])
)
def test_any_drawn_table_gives_its_cells(rows, style, wide, apart):
    text = f"앞의 문장이다.\n{draw(rows, style, wide, apart * chr(10))}\n뒤의 문장이다."
    found = drawn_tables(text)
    assert rows_of(found) == [[cell.strip() for cell in row] for row in rows]
    assert found.startswith("앞의 문장이다.\n")
    assert found.endswith("\n뒤의 문장이다.")
    assert len(re.findall(r"^\|( --- \|)+$", found, re.MULTILINE)) == 1


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_damaged_drawings_lose_no_word_and_keep_no_box_character(rows, data):
    """Lines are cut out and bars are lost, as in files that another program converted."""
    lines = draw(rows).split("\n")
    dropped = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=2))
    kept = [
        line for i, line in enumerate(lines) if i not in dropped or re.search("[가-힣0-9]", line)
    ]
    lost = data.draw(st.integers(0, len(kept) - 1))
    kept[lost] = kept[lost].replace("│", "?", 1)
    found = drawn_tables("\n".join(kept))
    assert not re.search("[│┌┬┐├┼┤└┴┘]", found)
    words = "".join(re.findall(r"[가-힣0-9]", "".join("".join(row) for row in rows)))
    shown = "".join(re.findall(r"[가-힣0-9]", found))
    assert sorted(words) == sorted(shown)


def test_text_without_drawings_is_unchanged():
    text = "# 규정\n\n제1조(목적) 이 규정은 | 다음을 | 정한다.\n\n---\n| 가 | 나 |\n| --- | --- |\n"
    assert drawn_tables(text) is text
    assert drawn_tables("2020─2024년의 통계") == "2020─2024년의 통계"


def test_a_short_cell_that_spans_rows_is_repeated_and_a_long_one_is_not():
    text = """\
┌────┬────┬─────┐
│담보    │예금    │100%      │
│        ├────┼─────┤
│        │주식    │90%       │
└────┴────┴─────┘"""
    assert rows_of(drawn_tables(text)) == [["담보", "예금", "100%"], ["담보", "주식", "90%"]]


def test_a_heading_over_two_columns_is_repeated_in_both():
    text = """\
┌────┬─────────┐
│구분    │등록하려는 자     │
│        ├────┬────┤
│        │개인    │법인    │
├────┼────┼────┤
│서류    │신분증  │정관    │
└────┴────┴────┘"""
    assert rows_of(drawn_tables(text)) == [
        ["구분", "등록하려는 자", "등록하려는 자"],
        ["구분", "개인", "법인"],
        ["서류", "신분증", "정관"],
    ]


def test_lines_of_one_cell_are_joined_and_items_stay_apart():
    text = """\
┏━━━┯━━━━━━━━━━━┓
┃구분  │내용                  ┃
┠───┼───────────┨
┃기준  │가. 은행이 정하는 위험┃
┃      │관리 기준             ┃
┃      │나. 내부통제          ┃
┗━━━┷━━━━━━━━━━━┛"""
    (_, row) = rows_of(drawn_tables(text))
    assert row[1].replace(" ", "") == "가.은행이정하는위험관리기준나.내부통제"
    assert " 나. 내부통제" in row[1]


def test_a_blank_line_between_entries_opens_a_row():
    text = """\
┌────┬────┐
│종류    │비율    │
├────┼────┤
│예금    │100%    │
│        │        │
│주식    │90%     │
└────┴────┘"""
    assert rows_of(drawn_tables(text))[1:] == [["예금", "100%"], ["주식", "90%"]]


def test_a_frame_around_text_and_a_table_is_removed():
    inner = draw([["성명", "직위"], ["가람", "부장"]])
    frame = "┌" + "─" * 20 + "┐\n"
    lines = ["1. 신청인", *inner.split("\n"), "2. 첨부서류"]
    frame += "\n".join("│" + line + " " * (40 - width(line)) + "│" for line in lines)
    found = drawn_tables(frame + "\n└" + "─" * 20 + "┘")
    assert rows_of(found) == [["성명", "직위"], ["가람", "부장"]]
    plain = [line.strip() for line in found.splitlines() if line.strip()]
    assert plain[0] == "1. 신청인"
    assert plain[-1] == "2. 첨부서류"


def test_a_table_without_outer_bars():
    text = """\
────┬────────
  구  분│금융상품
────┼────────
  1종   │예금
────┴────────"""
    assert rows_of(drawn_tables(text)) == [["구 분", "금융상품"], ["1종", "예금"]]


def test_two_tables_with_only_a_blank_line_between_them_are_two():
    found = drawn_tables(draw([["가나", "다라"]]) + "\n\n" + draw([["마바", "사아", "자차"]]))
    assert rows_of(found) == [["가나", "다라"], ["마바", "사아", "자차"]]
    assert len(re.findall(r"^\|( --- \|)+$", found, re.MULTILINE)) == 2


@pytest.mark.parametrize(
    "line, wanted", [("# ┌────┐", []), ("# [별표9] ┌────┐", ["# [별표9]"]), ("# ━ 가 ━", ["#  가"])]
)
def test_a_heading_keeps_no_box_characters(line, wanted):
    assert drawn_tables(f"{line}\n본문") == "\n".join([*wanted, "본문"])


def test_bars_in_cells_do_not_break_the_row():
    found = drawn_tables(draw([["가|나", "다라"], ["마바", "사아"]]))
    assert rows_of(found)[0] == ["가/나", "다라"]


JOINTS = {"ud": "│", "lr": "─", "dr": "┌", "dl": "┐", "ur": "└", "ul": "┘", "udr": "├", "udl": "┤",
          "dlr": "┬", "ulr": "┴", "udlr": "┼", "": " "}  # fmt: skip


def draw_spans(cells: list[list[int]], words: dict[int, str], size: int = 14) -> str:
    """Draw a grid: equal numbers are one cell, whose words are in its first line."""
    height, breadth = len(cells), len(cells[0])

    def at(row: int, column: int) -> int:
        inside = 0 <= row < height and 0 <= column < breadth
        return cells[row][column] if inside else -1

    lines, shown = [], set()
    for row in range(height + 1):
        line = ""
        for column in range(breadth + 1):
            arms = "u" * (at(row - 1, column - 1) != at(row - 1, column))
            arms += "d" * (at(row, column - 1) != at(row, column))
            arms += "l" * (at(row - 1, column - 1) != at(row, column - 1))
            arms += "r" * (at(row - 1, column) != at(row, column))
            blank = "  " if not arms else JOINTS[arms]
            line += blank
            if column < breadth:
                line += "─" * (size // 2) if "r" in arms else " " * size
        lines.append(line)
        if row == height:
            break
        line, column = "", 0
        while column < breadth:
            until = column
            while until < breadth and at(row, until) == at(row, column):
                until += 1
            text = "" if at(row, column) in shown else words[at(row, column)]
            shown.add(at(row, column))
            room = size * (until - column) + 2 * (until - column - 1)
            line += "│" + text + " " * (room - width(text))
            column = until
        lines.append(line + "│")
    return "\n".join(lines)


@st.composite
def grids(draw_one) -> tuple[list[list[int]], dict[int, str]]:
    """A header with a heading over two columns, and labels and values that span rows or columns."""
    height = draw_one(st.integers(2, 5))
    cells, number = [[0, 1, 2, 2], [0, 1, 3, 4]], 5
    label = value = -1
    for row in range(height):
        label = label if row and draw_one(st.booleans()) else number
        value = value if row and value >= 0 and draw_one(st.booleans()) else number + 1
        last = number + 3 if draw_one(st.booleans()) else number + 4
        cells.append([label, number + 2, value, value if draw_one(st.booleans()) else last])
        number += 5
        # A cell is a rectangle: a value that spans columns does not span rows.
        if cells[-1][2] == cells[-1][3]:
            cells[-1][2] = cells[-1][3] = number + 1
            value, number = -1, number + 5
    names = sorted({cell for row in cells for cell in row})
    found = draw_one(st.lists(WORDS.filter(lambda w: width(w) <= 13), min_size=len(names),
                              max_size=len(names), unique=True))  # fmt: skip
    return cells, dict(zip(names, found, strict=True))


@seed(18)
@settings(max_examples=60, deadline=None)
@given(grids())
def test_a_drawn_grid_with_spans_is_read_back_cell_by_cell(grid):
    cells, words = grid
    wanted = [[" ".join(words[cell].split()) for cell in row] for row in cells]
    # Two equal rows in a row are shown once; names of cells are unique, so there are none.
    used = [c for c in range(4) if any(r[c] != r[c - 1] for r in cells) or c == 0]
    assert rows_of(drawn_tables(draw_spans(cells, words))) == [
        [row[c] for c in used] for row in wanted
    ]


def test_the_caption_in_the_upper_edge_is_a_line_of_its_own():
    text = """\
<평가 기준 >──┬────
구분            │점수
────────┼────
가              │3점
────────┴────"""
    found = drawn_tables(text)
    assert found.split("\n")[0] == "<평가 기준 >"
    assert rows_of(found) == [["구분", "점수"], ["가", "3점"]]


def test_a_text_next_to_each_row_is_split_by_rows():
    text = """\
┌────┬────┐
│대분류  │소분류  │
├────┼────┤
│난내    │대출금  │
│(대출)  │가지급금│
│        ├────┤
│(기타)  │미수금  │
│        │예치금  │
│        ├────┤
│난외    │약정    │
└────┴────┘"""
    rows = rows_of(drawn_tables(text))
    assert [row[0] for row in rows] == ["대분류", "난내 (대출)", "(기타)", "난외"]


def test_a_frame_inside_a_cell_is_removed():
    text = """\
┌────┬────────┐
│구분    │요건            │
├────┼────────┤
│법인    │1. 자본         │
│        │┌─────┐  │
│        ││2. 인력   │  │
│        │└─────┘  │
│개인    │없음            │
└────┴────────┘"""
    assert "┌" not in drawn_tables(text)
    assert ["구분", "요건"] in rows_of(drawn_tables(text))


def test_frames_in_two_cells_of_a_row_open_no_row_and_a_lost_letter_moves_no_frame():
    text = """\
┌────┬────────┐
│구분    │요건            │
├────┼────────┤
│법인    │가. 자본        │
│회사?등│┌─────┐  │
│┌──┐││나. 인력  │  │
││조합│││다. 설비  │  │
│└──┘│└─────┘  │
│개인    │라. 계획        │
└────┴────────┘"""
    assert rows_of(drawn_tables(text)) == [
        ["구분", "요건"],
        ["법인 회사?등 조합 개인", "가. 자본 나. 인력 다. 설비 라. 계획"],
    ]


def test_labels_in_brackets_next_to_each_row_are_split():
    drawing = """
┌────┬────────┬────────┐
│계정│대분류  │소분류  │
├────┼────────┼────────┤
│신탁│난내    │대출금  │
│    │(대출)  │        │
│    │        ├────────┤
│    │(증권)  │어음    │
│    │        ├────────┤
│    │(기타)  │예치금  │
└────┴────────┴────────┘
"""
    rows = [line for line in drawn_tables(drawing).split("\n") if line.startswith("|")]
    assert [row.split(" | ")[1] for row in rows if "---" not in row] == [
        "대분류",
        "난내 (대출)",
        "(증권)",
        "(기타)",
    ]


def test_an_item_over_the_columns_of_one_heading_counts_once_and_a_value_over_two_is_repeated():
    drawing = """
┌────┬─────────┬────┬────┐
│구분│평가항목 │기준│비고│
├────┼────┬────┼────┼────┤
│자산│주식│상장│시가│    │
│    ├────┴────┼────┼────┤
│    │매수옵션 │시가│    │
│    ├────┬────┴────┼────┤
│    │채권│총액     │    │
└────┴────┴─────────┴────┘
"""
    rows = [line for line in drawn_tables(drawing).split("\n") if line.startswith("|")]
    rows = [[c.strip() for c in row.strip("|").split("|")] for row in rows if "---" not in row]
    assert ["자산", "매수옵션", "", "시가", ""] in rows
    assert ["자산", "채권", "총액", "총액", ""] in rows
