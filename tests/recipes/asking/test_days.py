"""The day that a user types."""

from datetime import date

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.asking.days import typed_day


@pytest.mark.parametrize(
    "text",
    ["2026-01-02", "2026-1-2", "2026.01.02", "2026. 1. 2.", " 2026. 1. 2 ", "2026년 1월 2일"],
)
def test_the_usual_forms_are_read(text):
    assert typed_day(text) == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("2026/01/02", "write 2026-01-02"),
        ("20260102", "write 2026-01-02"),
        ("2026-02-30", "a day that exists"),
        ("next Monday", "as 2026-01-01"),
        ("", "as 2026-01-01"),
    ],
)
def test_other_forms_are_one_error_with_the_form_to_write(text, remedy):
    with pytest.raises(UserError, match=remedy):
        typed_day(text)
