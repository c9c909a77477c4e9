"""Readers that return nothing for files that are absent, cut off or broken."""

import math

from kofinlaw.tolerant_files import (
    finite_number,
    finite_values,
    read_json,
    read_opening,
    read_rows,
    shorten,
)


def test_absent_and_broken_files_give_nothing(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text('{"a": 1}\n{"b": ')
    for path in (tmp_path / "none", broken):
        assert read_json(path) is None
        assert read_rows(path) == []
    assert read_opening(tmp_path / "none", 5) == ""
    assert read_opening(broken, 4) == '{"a"'


def test_a_json_file_that_is_no_object_gives_nothing(tmp_path):
    (tmp_path / "list.json").write_text("[1]")
    assert read_json(tmp_path / "list.json") is None


def test_numbers_that_json_does_not_have_become_none(tmp_path):
    (tmp_path / "a.json").write_text('{"a": NaN, "b": [Infinity, 2], "c": {"d": 1.5}}')
    assert read_json(tmp_path / "a.json") == {"a": None, "b": [None, 2], "c": {"d": 1.5}}
    assert finite_values({1: (math.inf, "x")}) == {"1": [None, "x"]}


def test_only_finite_numbers_are_numbers():
    assert finite_number(3) == 3.0
    assert finite_number(2**1022) == 2.0**1022
    assert finite_number(10**400) is None  # JSON may hold it; no float can
    assert [finite_number(v) for v in (True, math.nan, "1", None)] == [None] * 4


def test_a_long_text_is_cut_with_an_ellipsis():
    assert shorten("가나다라", 3) == "가나다…"
    assert shorten(None, 3) == ""
