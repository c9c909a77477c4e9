"""The Parquet files of a corpus have the rows of its JSON Lines files."""

from __future__ import annotations

import json

import pytest

FILES = (
    "chunks.jsonl",
    "earlier.jsonl",
    "articles.jsonl",
    "citations.jsonl",
    "edges.jsonl",
    "names.json",
    "duplicates.jsonl",
    "rejected.jsonl",
    "card.md",
    "card.json",
)


def test_jsonl_and_parquet_load_alike_with_datasets(build, act, tmp_path):
    datasets = pytest.importorskip("datasets")
    build([act], tmp_path / "out", parquet=True)
    for name, rows in (("chunks", 3), ("articles", 3), ("citations", 3)):
        load = {"cache_dir": str(tmp_path / "cache"), "split": "train"}
        path = str(tmp_path / "out" / name)
        columns = datasets.load_dataset("parquet", data_files=f"{path}.parquet", **load)
        lines = datasets.load_dataset("json", data_files=f"{path}.jsonl", **load)
        assert columns.num_rows == rows
        assert [as_text(row) for row in lines.to_list()] == columns.to_list()


def as_text(row):
    """The JSON reader of datasets takes days for times; in Parquet they are texts."""
    return {**row, "as_of": row["as_of"].date().isoformat()} if "as_of" in row else row


def test_parquet_has_the_rows_of_every_jsonl_file_and_empty_files_have_columns(
    build, act, tmp_path
):
    parquet = pytest.importorskip("pyarrow.parquet")
    build([act], tmp_path / "out", parquet=True)
    for name in ("chunks", "earlier", "articles", "citations", "edges", "duplicates", "rejected"):
        table = parquet.read_table(tmp_path / "out" / f"{name}.parquet")
        lines = (tmp_path / "out" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        assert table.to_pylist() == [json.loads(line) for line in lines]
        assert table.num_columns >= 4
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [*FILES, *(f"{n.removesuffix('.jsonl')}.parquet" for n in FILES if n.endswith("jsonl"))]
    )
