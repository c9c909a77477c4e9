"""The deciding words of a text: the phrase itself, or the line that holds its letters."""

from review_examples import LAW

from kofinlaw.recipes.review.sources import marked


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
