"""The text whose references are verified, and the lines of its verdicts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.law.verifying.checked import CheckedCitation
from kofinlaw.recipes.asking.reference_lines import reference_lines, text_to_verify


def test_a_text_a_file_and_a_sentence_that_ends_like_a_file(tmp_path):
    file = tmp_path / "답.txt"
    file.write_bytes("은행법\r\n제1조".encode("cp949"))
    assert text_to_verify(str(file)) == ("은행법\r\n제1조", str(file))
    assert text_to_verify("은행법 제1조와 답.txt") == ("은행법 제1조와 답.txt", "TEXT")
    long = "은행법 제1조 " * 200
    assert text_to_verify(long) == (long, "TEXT")
    assert text_to_verify("a\0b.md c") == ("a\0b.md c", "TEXT")


@pytest.mark.parametrize("words", ["", "없는.md", "/없는/답.pdf"])
def test_what_is_no_text_is_refused(words):
    with pytest.raises(UserError):
        text_to_verify(words)


def test_a_file_of_another_kind_is_refused(tmp_path):
    files = {
        "답.pdf": b"%PDF",
        "빈.txt": b" \n",
        "그림.dat": b"\x89PNG\r\n\x1a\n\x00\xff",
        "묶음": b"PK\x03\x04\x00",
        "답.json": json.dumps("은행법 제1조").encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError):
            text_to_verify(str(tmp_path / name))


def test_a_line_for_each_reference_and_one_of_counts():
    text = "첫 줄\n은행법 제9조는 “가나다라”라고 정한다"
    one = CheckedCitation(
        "은행법 제9조", 4, 12, "은행법 제9조", "", "differs", "", "other words",
        right="가나", quoted="가나다라", day="2024-01-01",
    )  # fmt: skip
    assert reference_lines(text, [one]) == [
        "✗ 2:1 은행법 제9조 — exists, but heading or quotation differs: other words",
        "    the corpus: 가나",
        "1 reference on 2024-01-01: 1 exists, but heading or quotation differs",
    ]
    assert reference_lines(text, []) == ["no reference to law or decisions found"]


@given(st.lists(st.text("가\n\r", max_size=4), min_size=1, max_size=8))
def test_the_line_and_the_column_are_those_of_an_editor(pieces):
    word, text, found = "제9조", "", []
    for piece in pieces:
        text += piece
        found.append(CheckedCitation(word, len(text), len(text) + 3, "", "", "unknown", "", ""))
        text += word
    lines = reference_lines(text, found)[:-1]
    places = [
        (row, before.split("\n"))
        for row, before in (
            (text.count("\n", 0, one.start) + 1, text[: one.start]) for one in found
        )
    ]
    wanted = [f"{row}:{len(before[-1]) + 1}" for row, before in places]
    assert [line.split()[1] for line in lines] == wanted
