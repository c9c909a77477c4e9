"""Weights in a file: read as written, and refused with the file's name when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.preference import Weights
from kofinlaw.rag.choosing.weights_file import (
    read_weights,
    weights_of,
    weights_record,
    write_weights,
)

WEIGHTS = Weights(
    {"contrast": 1.2, "overlap": 0.5}, {"overlap": {"level": 0.2}}, {"level": (0.6, 0.2)}, 0.9
)


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "voters.json"
    write_weights(path, WEIGHTS, {"items": 300})
    assert read_weights(path) == WEIGHTS
    settings = AnswerSettings(choose_by="contrast", voters=path)
    assert weights_of(settings) == WEIGHTS
    assert json.loads(path.read_text("utf-8"))["fit"] == {"items": 300}


def test_a_table_in_the_recipe_is_taken_as_it_is() -> None:
    settings = AnswerSettings(choose_by="contrast", voters={"contrast": 1.0, "overlap": 0.4})
    assert weights_of(settings) == Weights({"contrast": 1.0, "overlap": 0.4})
    with pytest.raises(UserError, match="not fitted yet"):
        weights_of(AnswerSettings(choose_by="contrast", voters="fit"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2"),
        ({"voters": {"longest": 1.0}}, "unknown voters longest"),
        ({"voters": {"contrast": "much"}}, "not a finite number"),
        ({"voters": {"contrast": True}}, "not a finite number"),
        ({"voters": {}, "gated": {}}, "no voter has a weight"),
        ({"temperature": 0}, "not above 0"),
        ({"gates": {}}, "the gates must be of"),
        ({"gates": {"level": [0.5, 0.0]}}, "not above 0"),
        ({"gates": {"level": 1}}, "cannot be read"),
        ({"voters": []}, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_with_its_name(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "voters.json"
    path.write_text(json.dumps({**weights_record(WEIGHTS), **change}), "utf-8")
    with pytest.raises(UserError, match=message) as caught:
        read_weights(path)
    assert caught.value.where == str(path)


def test_a_missing_or_broken_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_weights(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    with pytest.raises(UserError, match="cannot be read"):
        read_weights(tmp_path / "broken.json")
