"""What a file of pairs may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.trainer.retriever.pair_file import numbered_pairs, read_pairs
from kofinlaw.trainer.retriever.schedule import OWN, TrainingPair


def test_pairs_are_read_with_the_columns_of_sentence_transformers(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_jsonl(path, [{"anchor": "보존기간", "positive": "5년으로 한다."}])
    assert read_pairs(path, OWN) == [
        TrainingPair("보존기간", "5년으로 한다.", "", OWN, "5년으로 한다.")
    ]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('{"anchor": "가"}', "positive must be a text that is not empty"),
        ('{"anchor": " ", "positive": "나"}', "anchor must be a text"),
        ('{"anchor": "가", "positiv": "나"}', "no key `positiv`"),
        ('{"anchor": "가", "positive": "나", "negative_1": "다"}', "no key `negative_1`"),
        ('{"anchor": "가", "positive": 3}', "positive must be a text"),
        ('{"anchor": "가", "positive": "나", "negative": ["다"]}', "negative must be a text"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, row: str, why: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"anchor": "가", "positive": "나"}\n' + row + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=why) as caught:
        read_pairs(path)
    assert caught.value.where == f"{path}:2"


def test_a_missing_file_of_pairs_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file of pairs"):
        read_pairs(tmp_path / "none.jsonl")


def test_a_unit_is_looked_up_where_the_passage_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [
        {"anchor": "가", "unit": "법 제1조"},
        {"anchor": "나", "positive": "다", "unit": "법 제2조"},
    ]
    write_jsonl(path, rows)
    asked: list[tuple[str, str, int]] = []

    def passage_of(unit: str, query: str, line: int) -> str:
        asked.append((unit, query, line))
        return "본문"

    found = [pair for _, pair in numbered_pairs(path, OWN, passage_of)]
    assert [(pair.positive, pair.unit) for pair in found] == [
        ("본문", "법 제1조"),
        ("다", "법 제2조"),
    ]
    assert asked == [("법 제1조", "가", 1), ("법 제2조", "나", 2)]
