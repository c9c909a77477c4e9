"""Questions with answers are found under a header that is not the first row, in any order."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.readers.formats import read_documents

ASKED = [
    ("도장이 꼭 필요한가요?", "도장 없이 서명으로 됩니다.", "예금"),
    ("가족이 통장을 찾을 수 있나요?", "아니요, 본인만 찾을 수 있습니다.", "창구"),
]
NAMES = ("질문", "답변", "분류")


def texts(path: Path) -> list[str]:
    return [one.text for one in read_documents(path)]


def has_all_records(found: list[str]) -> bool:
    return all(
        any(f"## {question}" in text and answer in text for text in found)
        for question, answer, _ in ASKED
    )


@settings(deadline=None, max_examples=40)
@given(
    order=st.permutations(range(3)),
    mark=st.sampled_from(",;\t"),
    above=st.lists(
        st.sampled_from(
            [["자주 묻는 질문"], ["작성일", "2025-03-02"], ["고객지원부 작성", "", ""]]
        ),
        max_size=4,
    ),
)
def test_a_csv_file_of_questions_is_read_by_its_header_wherever_it_is(
    order: list[int], mark: str, above: list[list[str]]
) -> None:
    rows = [*above, *([row[column] for column in order] for row in (NAMES, *ASKED))]
    written = io.StringIO()
    csv.writer(written, delimiter=mark).writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "질문.csv"
        path.write_bytes(written.getvalue().encode("cp949"))
        found = texts(path)
    assert has_all_records(found)
    for row in above:
        assert any(row[0] in text for text in found)


def test_a_workbook_of_questions_below_a_title_and_a_day_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (("고객 질문",), ("작성일", "2025-03-02"), ("분류", "답변", "질문")):
        sheet.append(row)
    for question, answer, kind in ASKED:
        sheet.append((kind, answer, question))
    book.save(tmp_path / "질문.xlsx")
    found = texts(tmp_path / "질문.xlsx")
    assert has_all_records(found)
    assert "2025-03-02" in found[0]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_separator_is_that_of_most_lines(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "금리.csv"
    lines = ["대출 금리, 2025년", mark.join(("상품", "금리")), mark.join(("전세대출", "3.9%"))]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert "| 전세대출 | 3.9% |" in texts(path)[0].replace("｜", "|")


def test_a_table_whose_cells_mention_questions_stays_a_table(tmp_path: Path) -> None:
    path = tmp_path / "용어.csv"
    path.write_text("용어,뜻\n질문,묻는 말\n답변,대답하는 말\n", encoding="utf-8")
    (found,) = texts(path)
    assert "| 질문 | 묻는 말 |" in found
