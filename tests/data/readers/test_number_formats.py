"""Numbers are shown as the sheet shows them."""

from __future__ import annotations

import datetime

import pytest

from kofinlaw.data.readers.number_formats import shown_value


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.005, "0.0%", "0.5%"),
        (0.12345, "0.00%", "12.35%"),
        (1234567, "#,##0", "1,234,567"),
        (1500, '#,##0"원"', "1,500원"),
        (1500, r"#,##0\원", "1,500원"),
        (1500, "[$₩-412]#,##0", "₩1,500"),
        (-1500, "#,##0;[Red]-#,##0", "-1,500"),
        (-1500, "#,##0;(#,##0)", "(1,500)"),
        (-1500, "#,##0;△#,##0", "△1,500"),
        (-3, "0", "-3"),
        (1500, '_-* #,##0_-;-* #,##0_-;_-* "-"_-;_-@_-', "1,500"),
        (2500000, '#,##0,"천원"', "2,500천원"),
        (1.5, "0.0#", "1.5"),
        (2.0, "General", "2"),
        (0.1 + 0.2, "General", "0.3"),
        (2, "", "2"),
        (12345.678, "0.00E+00", "12345.678"),
        (0.5, "# ?/?", "0.5"),
        (True, "General", "TRUE"),
        ("글", "@", "글"),
        (None, "General", ""),
        (datetime.datetime(2025, 3, 1), "yyyy-mm-dd", "2025-03-01"),
        (datetime.datetime(2025, 3, 1, 9, 30), "", "2025-03-01 09:30"),
        (datetime.date(2025, 3, 1), "", "2025-03-01"),
        (datetime.time(9, 5), "", "09:05"),
    ],
)
def test_a_value_is_shown_by_its_format(value, code, shown):
    assert shown_value(value, code) == shown
