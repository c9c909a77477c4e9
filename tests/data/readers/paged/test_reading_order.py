"""The reading order of pages: columns, titles and tables between them, pages drawn in any order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.readers.paged.reading_order import Piece, reading_order
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path):
    (document,) = read_documents(path, SourceSettings(path="x"), LimitSettings(ocr_pages=0))
    return document


def shown(x, y, text, size=10):
    return f"BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET\n"


def turned(x, y, text, quarters):
    """Text that runs upwards (1), upside down (2) or downwards (3)."""
    matrix = {0: "1 0 0 1", 1: "0 1 -1 0", 2: "-1 0 0 -1", 3: "0 -1 1 0"}[quarters]
    return f"BT /F1 10 Tf {matrix} {x} {y} Tm ({text}) Tj ET\n"


def page(files, tmp_path, drawn, rotate=0):
    path = files.make_pdf(tmp_path / "a.pdf", [""], drawn)
    data = path.read_bytes().replace(b"/MediaBox", b"/Rotate %d /MediaBox" % rotate)
    path.write_bytes(data)
    return read(path)


def words(document):
    return [word for word in document.text.split() if word[:1].isupper() and word[1:].isdigit()]


def column(letter, left, rows, top=700, step=14):
    """Lines of a column with their numbers, as (x, y, text)."""
    return [(left, top - step * n, f"{letter}{n} is a line of this column") for n in range(rows)]


def by_rows(*columns):
    return sorted((line for lines in columns for line in lines), key=lambda line: (-line[1], line))


def drawn(lines):
    return "".join(shown(*line) for line in lines)


def marks(letter, count):
    return [f"{letter}{n}" for n in range(count)]


def test_two_columns_that_are_drawn_line_by_line(files, tmp_path):
    lines = by_rows(column("L", 50, 6), column("R", 320, 5))
    document = page(files, tmp_path, drawn(lines))
    assert words(document) == marks("L", 6) + marks("R", 5)
    assert document.warnings == ()


def letters(lines, width=5.6):
    """Lines drawn character by character without blanks, as browsers write them."""
    return "".join(
        shown(x + width * n, y, letter)
        for x, y, text in lines
        for n, letter in enumerate(text)
        if letter != " "
    )


@pytest.mark.parametrize("table", [False, True])
def test_a_dense_page_that_pdfium_takes_for_vertical_writing(files, tmp_path, table):
    rows = [(x, 700 - 10 * n, f"{c}{n} no") for n in range(3) for x, c in ((50, "L"), (400, "R"))]
    lines = "" if not table else files.ruled_table([["", ""]] * 3, 40, 710)
    document = page(files, tmp_path, lines + letters(rows))
    found = " ".join(document.text.replace("|", " ").replace("---", " ").split())
    assert found == " ".join(text for _, _, text in rows)


@pytest.mark.parametrize("how", ["by column", "by line"])
def test_a_column_continues_under_the_end_of_the_other_one(files, tmp_path, how):
    left = [line for n in range(4) for line in column(f"L{n}", 50, 3, 700 - 60 * n)]
    right = [line for n in range(2) for line in column(f"R{n}", 320, 3, 700 - 60 * n)]
    document = page(
        files, tmp_path, drawn(by_rows(left, right) if how == "by line" else left + right)
    )
    found = words(document)
    assert found == [
        f"{c}{n}{k}" for c, most in (("L", 4), ("R", 2)) for n in range(most) for k in range(3)
    ]


def test_articles_say_that_a_column_continues(files, tmp_path):
    def article(number, x, y):
        return [
            (x, y, f"Article {number} holds this text"),
            (x, y - 14, "and continues in this line"),
        ]

    left = article(1, 50, 700) + article(2, 50, 672) + article(3, 50, 625)
    right = article(4, 320, 700) + article(5, 320, 672)
    found = page(files, tmp_path, drawn(by_rows(left, right))).text.split()
    assert [word for word in found if word.isdecimal()] == ["1", "2", "3", "4", "5"]


def test_rows_that_end_sentences_are_named(files, tmp_path):
    lines = [
        (x, 700 - 14 * n, f"{c}{n} ends a sentence in a row.")
        for n in range(5)
        for x, c in ((50, "Q"), (250, "A"))
    ]
    assert page(files, tmp_path, drawn(lines)).warnings
    two = [(x, y, "Two lines on each side of a page") for y in (700, 686) for x in (50, 320)]
    assert page(files, tmp_path, drawn(two)).warnings


def test_rows_of_cells_are_no_paragraph(files, tmp_path):
    lines = [(x, 700 - 14 * n, f"{c}{n}") for n in range(4) for x, c in ((50, "K"), (300, "V"))]
    document = page(files, tmp_path, drawn(lines))
    assert document.text.splitlines() == [f"K{n} V{n}" for n in range(4)]


def test_three_columns(files, tmp_path):
    lines = by_rows(*(column(letter, 40 + 180 * n, 5) for n, letter in enumerate("ABC")))
    document = page(files, tmp_path, drawn(lines))
    assert words(document) == marks("A", 5) + marks("B", 5) + marks("C", 5)


def test_columns_whose_lines_are_at_different_heights(files, tmp_path):
    lines = by_rows(column("L", 50, 6, 700, 28), column("R", 320, 6, 693, 28))
    assert words(page(files, tmp_path, drawn(lines))) == marks("L", 6) + marks("R", 6)


def test_a_title_over_the_page_ends_the_columns_above_it(files, tmp_path):
    upper = by_rows(column("A", 50, 4), column("B", 320, 4))
    lower = by_rows(column("C", 50, 4, 580), column("D", 320, 4, 580))
    title = [(50, 610, "T0 is a title that covers both of the columns of the whole page here")]
    document = page(files, tmp_path, drawn([*upper, *title, *lower]))
    assert words(document) == [
        *marks("A", 4), *marks("B", 4), "T0", *marks("C", 4), *marks("D", 4),
    ]  # fmt: skip


def test_a_ruled_table_over_the_page_ends_the_columns_above_it(files, tmp_path):
    upper = by_rows(column("A", 50, 4), column("B", 320, 4))
    lower = by_rows(column("C", 50, 4, 540), column("D", 320, 4, 540))
    table = files.ruled_table([["T0", "T1", "T2", "T3"], ["T4", "T5", "T6", "T7"]], 60, 620)
    document = page(files, tmp_path, drawn(upper) + table + drawn(lower))
    assert words(document) == [
        *marks("A", 4), *marks("B", 4), *marks("T", 8), *marks("C", 4), *marks("D", 4),
    ]  # fmt: skip


def test_numbers_of_articles_decide_between_columns_and_rows(files, tmp_path):
    columns = [(50, f"Article {n + 1}", 700 - 14 * n) for n in range(4)]
    columns += [(320, f"Article {n + 5}", 700 - 14 * n) for n in range(4)]
    lines = sorted(((x, y, text) for x, text, y in columns), key=lambda line: -line[1])
    assert page(files, tmp_path, drawn(lines)).text.split() == [
        word for n in range(1, 9) for word in ("Article", str(n))
    ]
    rows = [
        (x, 700 - 14 * (n // 2), f"Article {n + 1}") for n in range(8) for x in [50 + 270 * (n % 2)]
    ]
    assert page(files, tmp_path, drawn(rows)).text.split()[1::2] == [str(n) for n in range(1, 9)]


def test_a_table_without_lines_is_read_by_rows(files, tmp_path):
    names = ["Name", "Address", "Phone", "Mail"]
    lines = [(50, 700 - 14 * n, name) for n, name in enumerate(names)]
    lines += [(200, 700 - 14 * n, f"V{n} is the value of this row") for n in range(4)]
    document = page(files, tmp_path, drawn(by_rows(lines)))
    found = [word for word in document.text.split() if word in names or word[0] == "V"]
    assert found == ["Name", "V0", "Address", "V1", "Phone", "V2", "Mail", "V3"]
    assert document.warnings == ()


def test_a_table_with_long_labels_is_read_by_rows_and_named(files, tmp_path):
    names = ["Name of the institution", "Address of the office", "Person in charge", "Report date"]
    lines = [(50, 700 - 14 * n, name) for n, name in enumerate(names)]
    lines += [(250, 700 - 14 * n, f"V{n} is a long value for the key of the row") for n in range(4)]
    document = page(files, tmp_path, drawn(by_rows(lines)))
    found = [word for word in document.text.split() if word[0] in "NAPR" or word[1:].isdigit()]
    assert found == ["Name", "V0", "Address", "V1", "Person", "V2", "Report", "V3"]
    assert document.warnings[0].startswith("page 1: the reading order is not sure")


def test_a_ruled_table_inside_a_column_stays_there(files, tmp_path):
    left = column("L", 50, 4) + [
        (x, y, f"M{n} is") for n, (x, y, _) in enumerate(column("", 50, 3, 590))
    ]
    lines = by_rows(left, column("R", 330, 10))
    table = files.ruled_table([["T0", "T1"], ["T2", "T3"]], 60, 650)
    found = words(page(files, tmp_path, drawn(lines) + table))
    assert found == marks("L", 4) + marks("T", 4) + marks("M", 3) + marks("R", 10)


def test_an_uncertain_page_is_named_in_the_warning_the_card_and_the_terminal(
    files, tmp_path, build
):
    lines = [
        (x, 700 - 14 * n, f"{a}{n} short cell")
        for n in range(5)
        for x, a in ((50, "L"), (320, "R"))
    ]
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "가람법.md").write_text(files.ACT, encoding="utf-8")
    files.make_pdf(folder / "b.pdf", [""], drawn(lines))
    counts = build([folder], tmp_path / "out")
    warning = "docs/b.pdf: page 1: the reading order is not sure"
    assert f"warning: {warning}" in "\n".join(counts.last_lines)
    assert warning in (tmp_path / "out" / "card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_sideways_pages_are_read_in_the_direction_of_their_text(files, tmp_path, rotate, quarters):
    across, up = {0: (0, -14), 1: (14, 0), 2: (0, 14), 3: (-14, 0)}[quarters]
    lines = [
        turned(300 + across * n, 400 + up * n, f"Article {n + 1} of the rules", quarters)
        for n in range(6)
    ]
    document = page(files, tmp_path, "".join(lines), rotate)
    assert [word for word in document.text.split() if word.isdigit()] == list("123456")


def test_a_sideways_ruled_table_is_kept_as_rows(files, tmp_path):
    table = files.ruled_table([["Grade", "Owner"], ["A", "Director"], ["B", "Manager"]], 60, -60)
    document = page(files, tmp_path, f"q 0 1 -1 0 0 0 cm\n{table}Q")
    assert document.text.splitlines() == [
        *["| Grade | Owner |", "| --- | --- |", "| A | Director |", "| B | Manager |"],
    ]


def test_text_in_two_directions_is_named(files, tmp_path):
    side = turned(40, 100, "A note that runs up along the margin of this page", 1)
    lines = drawn((80, 700 - 14 * n, f"L{n} is a line of the page") for n in range(5))
    document = page(files, tmp_path, side + lines)
    assert words(document) == marks("L", 5)
    assert document.text.count("runs up along the margin") == 1
    assert document.warnings[0].startswith("page 1: the reading order is not sure")


def test_a_page_that_is_drawn_from_below(files, tmp_path):
    lines = [(50, 700 - 14 * n, f"L{n} is a line of the page") for n in range(6)]
    assert words(page(files, tmp_path, drawn(reversed(lines)))) == marks("L", 6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(2, 3),
    st.lists(st.integers(3, 12), min_size=1, max_size=3),
    st.sampled_from(["rows", "columns", "mixed"]),
    st.randoms(use_true_random=False),
)
def test_blocks_of_columns_under_titles_are_read_in_order(count, blocks, how, chance):
    """Blocks of columns, each under a title over the page, whatever order they are drawn in."""
    width = 480 / count
    expected: list[str] = []
    pieces: list[Piece] = []
    y = 800.0

    def add(text, left, right, top):
        pieces.append(Piece(text, 0, left, right, top, top + 10, 10.0))

    for number, rows in enumerate(blocks):
        expected.append(f"title {number}")
        add(f"title {number}", 50, 530, y)
        y -= 20
        for col in range(count):
            for row in range(rows if col < count - 1 else max(3, rows - 1)):
                name = f"block {number} column {col} row {row}"
                expected.append(name)
                left = 50 + col * width
                add(name, left, left + (width - 20) * chance.uniform(0.7, 1.0), y - 14 * row)
        y -= 14 * rows + 10
    order = {
        "rows": lambda p: (-p.middle, p.left),
        "columns": lambda p: 0,
        "mixed": lambda p: chance.random(),
    }[how]
    for start, piece in enumerate(sorted(pieces, key=order)):
        piece.start = start
    found = reading_order(sorted(pieces, key=lambda p: p.start))
    lines = found.lines or [[p] for p in sorted(pieces, key=lambda p: p.start)]
    assert [piece.text for line in lines for piece in line] == expected
    assert found.sure


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 3), max_size=40))
def test_every_piece_is_read_once_whatever_the_page(places):
    pieces = [
        Piece(str(n), n, 10 * x, 10 * x + 10 * (width % 30) + 4, 12 * y, 12 * y + 10, 10.0)
        for n, (x, y, width) in enumerate(places)
    ]
    random.Random(1).shuffle(pieces)
    lines = reading_order(pieces).lines
    if lines is not None:
        assert sorted(p.start for line in lines for p in line) == list(range(len(pieces)))
