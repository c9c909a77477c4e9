"""The report says which questions the index refuses, and how often it is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from kofinlaw.rag.abstention.floor import Floor
from kofinlaw.scoring.report.sections.floor_section import floor_words, read_floor

FLOOR = Floor(21.3, 0.1, False, 148, 0.07, 0.38, 0.05, 0.0146, True)


def test_bound_and_measured_errors_are_in_both_languages() -> None:
    words = floor_words(FLOOR.to_record(), "free")
    assert words is not None
    for text in words:
        for figure in ("21.30", "148", "10%", "7%", "38%", "5%"):
            assert figure in text


def test_an_assumed_floor_says_so_and_has_no_bound() -> None:
    assumed = replace(FLOOR, assumed=True, rate=0.0, questions=4, refused=None, passed=None)
    words = floor_words(assumed.to_record(), "free")
    assert words is not None
    assert "가정" in words[0]
    assert "assumed" in words[1]
    assert "%" not in "".join(words)


def test_nothing_is_said_without_refusals_or_a_floor() -> None:
    assert floor_words(FLOOR.to_record(), "never") is None
    assert floor_words(None, "free") is None
    assert floor_words({**FLOOR.to_record(), "version": 0}, "free") is None


def test_the_floor_of_a_run_is_read_from_its_index(tmp_path: Path) -> None:
    assert read_floor(tmp_path) is None
    (tmp_path / "index").mkdir()
    path = tmp_path / "index" / "index.json"
    path.write_text(json.dumps({"format": 3}), encoding="utf-8")
    assert read_floor(tmp_path) is None
    path.write_text(json.dumps({"floor": FLOOR.to_record()}), encoding="utf-8")
    assert read_floor(tmp_path) == FLOOR.to_record()
