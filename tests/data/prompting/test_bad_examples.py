"""Broken lines of example files, next to lines in forms that are not read."""

import pytest

from kofinlaw.data.prompting.bad_examples import malformed


@pytest.mark.parametrize(
    "value, why",
    [
        ({}, "no fields"),
        ({"id": None, "text": "가"}, "`id` is not a text"),
        ({"messages": None}, "`messages` is not a list"),
        ({"conversations": ["가"]}, "`conversations` is not a list"),
        ({"prompt": 7, "completion": "가"}, "`prompt` is not a text"),
    ],
)
def test_a_broken_line_is_named_by_its_field(value, why):
    assert why in malformed(value)


def test_a_whole_line_is_not_broken():
    assert not malformed({"id": 3, "text": "가"})
    assert not malformed({"messages": [], "weight": 0.5})  # refused where fields are read
