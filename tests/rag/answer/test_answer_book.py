"""The submission keeps to the sample that was read at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import simulation
from worlds import World, submitted

from kofinlaw.rag.questions.question_files import read_questions


def test_a_sample_submission_deleted_meanwhile_is_used_as_it_was_read(
    tmp_path: Path, few: Path
) -> None:
    sample = tmp_path / "sample.csv"
    ids = [question.id for question in read_questions(few).questions][::-1]
    sample.write_text("ID,Answer\n" + "".join(f"{i},0\n" for i in ids), encoding="utf-8")
    world = World()

    class Meddling(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            sample.unlink(missing_ok=True)
            return super().search(asked)

    world.searcher = Meddling(world.clock)
    figures = world.answer(few, tmp_path / "out", sample_submission=sample)
    assert figures["fallback"] == 0
    assert list(submitted(tmp_path / "out")) == ids
