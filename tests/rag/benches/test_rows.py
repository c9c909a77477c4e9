"""Texts of a row of any form."""

from kofinlaw.rag.benches.rows import row_text


def test_texts_in_lists_and_objects_are_on_lines():
    row = {"q": "가", "n": 3, "o": ["나", {"t": "다"}], "e": ""}
    assert row_text(row) == "가\n나\n다"
