"""The signs of marks: each series in its order, and no sign in two of them."""

import re

from kofinlaw.data.korean.marks import JAMO, SIGN_SERIES, SIGNS, SYLLABLES, sign_number


def test_every_sign_has_its_place_as_number():
    for signs in (SYLLABLES, JAMO, "ABCDEFGHI", "abcdefghi", *SIGN_SERIES.values()):
        assert [*map(sign_number, signs)] == [*range(1, len(signs) + 1)]
    assert [sign_number(sign) for sign in ("12", "ii", "viii", "x")] == [12, 2, 8, 10]
    assert [sign_number(text) for text in ("", "카드", "²", "1000", "xi", "ㄲ")] == [0] * 6


def test_a_pattern_of_the_signs_finds_them_and_no_other():
    every = "".join(SIGN_SERIES.values())
    assert len(set(every)) == len(every)
    assert "".join(re.findall(SIGNS, every + "1가ㄱA㉿")) == every
