"""Two processes cut passages into the same index as one."""

from pathlib import Path

import pytest
from corpora import settings

from kofinlaw.cluster.jobs import HERE
from kofinlaw.cluster.process_pool import LocalProcesses
from kofinlaw.rag.index import blocks
from kofinlaw.rag.index.build import build_index


def test_the_index_of_two_processes_is_that_of_one(
    tmp_path: Path, chunks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 2)
    for name, workers in (("one", HERE), ("two", LocalProcesses(2, offline=True))):
        build_index(chunks, tmp_path / name, settings(lexical="both"), workers=workers)
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / name).rglob("blocks/*")}
        or {p.name: p.read_bytes() for p in (tmp_path / name).rglob("lexical-*/*")}
        for name in ("one", "two")
    )
    assert one
    assert one == two
