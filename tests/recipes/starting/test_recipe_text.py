"""The text of a first recipe."""

from pathlib import Path

import yaml

from kofinlaw.recipes.starting.recipe_text import _head
from kofinlaw.recipes.starting.survey import FoundDocument, LeftOut, Survey


def test_titles_and_names_stay_in_comments():
    bad = "법\noffline: false\r\nmodel: {id: x}\x85a: 1\u2028b: 2\x1b[2J"
    found = FoundDocument(bad, "statute", "2024-01-01", bad, bad, 1, 1)
    left = (LeftOut(bad, bad),)
    survey = Survey(Path("x"), 2, (found,), left, {}, (bad,), (), 1, 10, 1, "?")
    lines = _head(survey, None, "ask")
    assert all(line.startswith("#") for line in lines)
    text = "\n".join(lines)
    assert yaml.safe_load(text) is None
    assert not any(mark in text for mark in ("\r", "\x85", "\u2028", "\x1b"))
