"""Join a trained embedder with its base."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.models.embedders import open_embedder
from kofinlaw.models.embedding.joined import read_parts
from kofinlaw.trainer.retriever.joining import JOINED, join_with_base

WORDS = ["보관", "기간", "점검", "보고"]
TEXTS = [f"{first} {second}" for first in WORDS for second in WORDS]


@pytest.fixture
def project(tmp_path: Path, save_embedder) -> Path:
    """Return a project with the base in `models/base` and a training in `runs/fitted/retriever`."""
    folder = tmp_path / "project"
    save_embedder(folder / "models" / "base", WORDS)
    save_embedder(folder / "runs" / "fitted" / "retriever" / "model", WORDS[::-1])
    return folder


def test_a_project_that_is_moved_keeps_its_joined_embedder(project: Path) -> None:
    out = project / "runs" / "fitted" / "retriever"
    assert join_with_base(str(project / "models" / "base"), out, TEXTS, 0.7)
    moved = project.rename(project.with_name("moved"))
    parts = read_parts(moved / "runs" / "fitted" / "retriever" / JOINED)
    assert [part.embedder for part in parts] == [
        str(moved / "models" / "base"),
        str(moved / "runs" / "fitted" / "retriever" / "model"),
    ]


def test_a_base_outside_the_project_is_named_by_its_whole_path(project: Path, tmp_path) -> None:
    outside = tmp_path / "elsewhere" / "base"
    shutil.copytree(project / "models" / "base", outside)
    out = project / "runs" / "fitted" / "retriever"
    join_with_base(str(outside), out, TEXTS, 0.7)
    moved = project.rename(project.with_name("moved"))
    joined = moved / "runs" / "fitted" / "retriever" / JOINED
    assert read_parts(joined)[0].embedder == str(outside)
    shutil.rmtree(outside)
    with pytest.raises(UserError, match=f"needs the embedder in {outside}, which is gone"):
        open_embedder(str(joined))


def test_nothing_is_joined_for_a_share_of_0_or_for_few_passages(project: Path) -> None:
    out, base = project / "runs" / "fitted" / "retriever", str(project / "models" / "base")
    assert join_with_base(base, out, TEXTS, 0.7)
    assert not join_with_base(base, out, TEXTS, 0)
    assert not (out / JOINED).exists()
    assert not join_with_base(base, out, TEXTS[:7] * 2, 0.7)
