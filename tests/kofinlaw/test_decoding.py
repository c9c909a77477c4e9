"""Bytes to text: encodings, truncated characters, NULs and normal form."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.decoding import clean_text, clean_value, decode, decode_name
from kofinlaw.files import read_json_lines, write_jsonl


@pytest.mark.parametrize(
    "encoding, wanted",
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp949", "cp949"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_korean_text_is_read_in_every_encoding_it_comes_in(encoding, wanted):
    text = "제1조(목적) 이 법은 은행을 정한다.\n둘째 줄 1, 2, 3\n"
    assert decode(text.encode(encoding)) == (text, wanted)


def test_bytes_that_are_not_text_are_refused():
    with pytest.raises(UserError, match="not text"):
        decode(b"\xff\xff\x81\x00\xfe\xfa" * 10)


def test_a_cut_last_character_is_dropped_and_line_ends_are_made_one():
    data = "은행\r\n법률".encode()
    assert decode(data[:-1]) == ("은행\n법", "utf-8")


def test_nul_bytes_leave_the_text():
    assert decode("은행\x00법\x00".encode())[0] == "은행법"


MARKS = "\u200b\u200c\u200e\u2060\ufeff\xad\u202d\x00\x1f\ufe0e\U000e0001"
KOREAN = st.text(
    st.one_of(
        st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
        st.sampled_from("제1조(목적)①②「」·ㆍ ,.\n第條가나다ABC漢字😀ㄱ"),
    ),
    max_size=40,
)


@st.composite
def sprinkled(draw):
    """Return (text, the same text decomposed with invisible marks between its characters)."""
    text = draw(KOREAN)
    marks = st.text(st.sampled_from(MARKS), max_size=2)
    parts = [character + draw(marks) for character in unicodedata.normalize("NFD", text)]
    return text, draw(marks) + "".join(parts)


@given(sprinkled())
def test_decomposed_text_with_invisible_marks_is_the_same_text(pair):
    text, odd = pair
    assert clean_text(odd) == text
    assert decode(odd.encode())[0] == text


@given(st.text(max_size=60))
def test_any_text_is_cleaned_once_and_can_be_written(text):
    clean = clean_text(text)
    assert clean_text(clean) == clean
    clean.encode("utf-8")
    assert unicodedata.is_normalized("NFC", clean)


@settings(max_examples=20)
@given(st.text(max_size=60))
def test_text_with_halves_of_pairs_is_written_and_read(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("surrogates") / "a.jsonl"
    odd = text + "\ud83d" + text + "\udc00\ud83d\ude00"
    write_jsonl(path, [{"a": odd}])
    assert [row["a"] for _, row in read_json_lines(path)] == [clean_text(odd)]


@pytest.mark.parametrize(
    "odd, clean",
    [
        ("제\u200b1\u200b조\xad(목적)", "제1조(목적)"),
        ("\ufeff은\ufeff행", "은행"),
        ("\ud83d\ude00 은행 \ud83d", "😀 은행 \ufffd"),
        (
            "👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥",
            "👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥",
        ),  # one emoji each
        ("가\u200d나 ①\ufe0f", "가나 ①"),
        ("가\u2028나\x85다\r\n라\x0c마", "가\n나\n다\n라\n마"),
        ("가\u3164나", "가 나"),
        ("\u202e은행\u202c", "은행"),
    ],
)
def test_what_nobody_sees_leaves_the_text(odd, clean):
    assert clean_text(odd) == clean


def test_a_name_in_cp949_is_shown_in_hangul():
    assert decode_name("규정.txt".encode("cp949").decode("utf-8", "surrogateescape")) == "규정.txt"
    assert decode_name("규\ud83d정") == "규\ufffd정"


def test_json_values_are_clean_at_every_depth():
    value = {"a\u200b": ["\u1100\u1161", {"b": "\ud800"}], "n": 1.5}
    assert clean_value(value) == {"a": ["가", {"b": "\ufffd"}], "n": 1.5}
