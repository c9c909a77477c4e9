"""Fields of rows: lists in JSON text, options in letters, ids of passages."""

import pytest

from kofinlaw.rag.benches.forms import json_objects, letter_options, list_of, passage_id


def test_a_list_may_be_json_text():
    assert list_of('["가", "나"]', "x") == ["가", "나"]
    assert list_of(None, "x") == []
    with pytest.raises(ValueError, match="not a JSON list"):
        list_of("[가", "x")
    assert json_objects(['{"a": "가"}', {"b": "나"}], "x") == [{"a": "가"}, {"b": "나"}]


def test_letters_without_text_end_the_options():
    row = {"a": "가", "b": "나", "c": None, "d": ""}
    assert letter_options(row, "abcd") == ["가", "나"]
    with pytest.raises(ValueError, match="fewer than two"):
        letter_options({"a": "가"}, "abcd")


def test_blanks_do_not_change_the_id_of_a_passage():
    assert passage_id("제1조", "가 나\n다") == passage_id("제1조", "가나 다")
    assert passage_id("제1조", "가") != passage_id("제1조", "나")
