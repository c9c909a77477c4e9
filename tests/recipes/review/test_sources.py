"""The deciding words of a text: the phrase itself, or the line that holds its letters."""

import pytest
from review_examples import LAW

from kofinlaw import UserError
from kofinlaw.recipes.review.sources import marked, read_sources


def texts(text, *focus):
    return [text[start:stop] for start, stop in marked(text, focus)]


def test_a_phrase_is_marked_where_it_is():
    assert texts(LAW, "거래기록을 5년간") == ["거래기록을 5년간"]
    assert texts(LAW, "없는 말") == []
    assert texts(LAW, "") == []


def test_a_phrase_without_its_marks_marks_the_line():
    text = "제4조(기록)\n③ 지급업자는 거래기록<개정 2024.1.1>을 5년간 보존하여야 한다.\n④ 끝"
    assert texts(text, "지급업자는 거래기록을 5년간") == [text.split("\n")[1]]
    assert texts("제4조\n③ 거래 기록을  5년간 보존", "거래기록을 5년간") == [
        "③ 거래 기록을  5년간 보존"
    ]


def test_phrases_that_overlap_are_one_mark():
    assert texts(LAW, "거래기록을 5년간", "5년간 보존하여야") == ["거래기록을 5년간 보존하여야"]


@pytest.mark.parametrize("line", ['{"id": "x"}', '{"id": "x", "units": 3, "focus": []}', "{broken"])
def test_a_broken_line_of_the_deciding_phrases_is_one_error(tmp_path, line):
    (tmp_path / "augment").mkdir()
    path = tmp_path / "augment" / "examples_focus.jsonl"
    path.write_text('{"id": "y", "units": [], "focus": []}\n' + line + "\n")
    with pytest.raises(UserError) as found:
        read_sources(tmp_path, [])
    assert found.value.where == f"{path}:2"
