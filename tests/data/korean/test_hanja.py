from __future__ import annotations

import unicodedata

import pytest

from kofinlaw.data.korean import hanja
from kofinlaw.data.korean.hanja import hanja_readings, has_hanja, read_hanja


@pytest.mark.parametrize(
    ("word", "reading"),
    [
        ("民法", "민법"),
        ("商法", "상법"),
        ("銀行法", "은행법"),
        ("勞動法", "노동법"),
        ("旅客自動車", "여객자동차"),
        ("女性", "여성"),
        ("男女雇用", "남녀고용"),
        ("不動産登記法", "부동산등기법"),
        ("不公正去來", "불공정거래"),
        ("比率", "비율"),
        ("法律", "법률"),
        ("規律", "규율"),
        ("陳列", "진열"),
        ("金融實名", "금융실명"),
        ("与信", "여신"),
        ("證券", "증권"),
        ("証券", "증권"),
        ("은행法", "은행법"),
        ("abc", "abc"),
    ],
)
def test_a_word_is_read_as_it_is_written_in_hangul(word: str, reading: str) -> None:
    assert read_hanja(word) == reading


@pytest.mark.parametrize(
    ("character", "readings"),
    [
        ("更", {"경", "갱"}),
        ("降", {"강", "항"}),
        ("勞", {"로", "노"}),
        ("龍", {"룡", "용"}),
        ("金", {"금", "김"}),
        ("樂", {"악", "락", "낙", "요"}),
        ("\uf90a", {"금", "김"}),  # a compatibility ideograph
        ("가", set()),
        ("a", set()),
    ],
)
def test_a_character_has_all_its_readings(character: str, readings: set[str]) -> None:
    assert set(hanja_readings(character)) == readings


def test_every_character_of_the_standard_has_a_reading() -> None:
    characters = [
        bytes([row, cell]).decode("euc_kr")
        for row in range(0xCA, 0xFE)
        for cell in range(0xA1, 0xFF)
    ]
    assert len(characters) == 4888
    assert all(hanja_readings(character) for character in characters)
    assert all(
        hanja_readings(one) == hanja_readings(unicodedata.normalize("NFC", one))
        for one in characters
    )


def test_the_readings_and_their_first_characters_are_in_the_order_of_the_standard() -> None:
    readings, first = hanja._FIRST[::2], hanja._FIRST[1::2]
    assert list(readings) == sorted(set(readings))
    places = [one.encode("euc_kr") for one in first]
    assert places == sorted(set(places))


def test_chinese_characters_are_noticed() -> None:
    assert has_hanja("은행法")
    assert has_hanja("\uf90a")
    assert not has_hanja("은행법 제3조 ABC 「」①")
