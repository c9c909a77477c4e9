"""Bytes to text: encodings, truncated characters, NULs and normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.decoding import decode


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


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), max_size=80))
def test_utf8_comes_back_composed(text):
    import unicodedata

    decoded, found = decode(("가" + text).encode())
    assert found == "utf-8"
    assert decoded == unicodedata.normalize("NFC", "가" + text)
