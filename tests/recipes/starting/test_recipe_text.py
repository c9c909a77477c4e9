"""The text of a first recipe."""

from pathlib import Path

import pytest
import yaml

from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.contest.contest_rules import check_answering
from kofinlaw.recipes.starting.recipe_text import _answer, _head
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


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("generated", [True, False])
def test_only_large_models_see_the_options_and_the_contest_takes_what_is_generated(
    small: bool, generated: bool
) -> None:
    lines = ["answer:", *_answer(generated=generated, small=small)]
    settings = AnswerSettings.model_validate(yaml.safe_load("\n".join(lines))["answer"])
    assert (settings.decodes_by_contrast or settings.choose_by == "contrast") is small
    if generated:
        assert all(verdict.ok for verdict in check_answering("contest-2025", settings))
