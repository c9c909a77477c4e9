"""Runs that were killed are resumed and end with the same bytes."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import simulation
from corpora import settings
from worlds import World, assert_complete, rows, same_bytes, submitted

from kofinlaw import UserError
from kofinlaw.rag.answer.journal import Journal, Turn
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever

CHILD = Path(__file__).parents[1] / "answering_child.py"


def start(questions: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(questions), str(out)], stdout=subprocess.PIPE, text=True
    )


def test_killed_processes_end_with_the_bytes_of_an_unbroken_one(tmp_path: Path) -> None:
    questions = simulation.question_file(tmp_path, 20, 4, random.Random(5))
    whole = start(questions, tmp_path / "whole")
    batches = len(whole.communicate()[0].splitlines())
    assert whole.returncode == 0
    used = 0.0
    for batch in random.Random(7).sample(range(1, batches // 2), 3):
        child = start(questions, tmp_path / "cut")
        assert child.stdout is not None
        for _ in range(batch):
            child.stdout.readline()
        child.kill()
        child.wait()
        with open(tmp_path / "cut" / "submission.csv", encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert len(rows) == 24
        assert all(row["Answer"] for row in rows)
        before, used = (
            used,
            json.loads((tmp_path / "cut" / "clock.json").read_text())["seconds_used"],
        )
        assert used > before
    last = start(questions, tmp_path / "cut")
    last.communicate()
    assert last.returncode == 0
    for name in ("answers.jsonl", "plan.jsonl", "submission.csv", "evidence.jsonl"):
        one, other = (tmp_path / folder / name for folder in ("whole", "cut"))
        assert one.read_bytes() == other.read_bytes(), name


class Killed(BaseException):
    """Simulates a kill: nothing after it runs."""


@pytest.mark.parametrize("choose_by", ["score", "contrast"])
@pytest.mark.parametrize("seed", range(12))
def test_killed_anywhere_and_run_again_gives_the_same_bytes(
    tmp_path: Path, seed: int, choose_by: str
) -> None:
    questions = simulation.question_file(tmp_path, 25, 4, random.Random(seed))
    options: dict[str, Any] = {
        "choose_by": choose_by,
        "permutations": 3 if choose_by == "score" else 1,
        "votes": 3,
        "batch_questions": 4,
        "budget_minutes": 600,
        "free_by": "choose" if choose_by == "contrast" else "generate",
        "free_voters": {"nearest": 1.0, "question": 0.5, "evidence": 0.5},
    }
    World().answer(questions, tmp_path / "whole", **options)
    draw = random.Random(seed)
    prompts: list[str] = []
    for _ in range(6):
        after = draw.randint(1, 9)

        def progress(phase: str, done: int, total: int | None = None, **info: object) -> None:
            nonlocal after
            after -= 1
            if after < 0:
                raise Killed

        world = World(clock=simulation.Clock(draw.random() * 1e6))
        try:
            world.answer(questions, tmp_path / "cut", progress=progress, **options)
            break
        except Killed:
            for name in ("plan.jsonl", *(["bare.jsonl"] if choose_by == "contrast" else [])):
                with open(tmp_path / "cut" / name, "a", encoding="utf-8") as handle:
                    handle.write('{"id": "torn')
            assert len(submitted(tmp_path / "cut")) == 29
        finally:
            prompts += world.prompts
    World().answer(questions, tmp_path / "cut", **options)
    same_bytes(tmp_path / "cut", tmp_path / "whole")
    if choose_by == "contrast":
        same_bytes(tmp_path / "cut", tmp_path / "whole", ("bare.jsonl",))
        return
    assert len(prompts) <= len(set(prompts)) + 2 * 4 * 6


def test_a_resumed_run_counts_the_time_already_used(tmp_path: Path, questions: Path) -> None:
    out = tmp_path / "out"
    World().answer(questions, out, budget_minutes=60)
    (out / "clock.json").write_text('{"seconds_used": 3590}')
    (out / "plan.jsonl").unlink()
    figures = World().answer(questions, out, budget_minutes=60)
    assert figures["fallback"] == 45
    assert_complete(out, questions)


@pytest.mark.parametrize(
    ("count_pauses", "set_forward", "left_to_the_fallback"),
    [(False, 7200.0, False), (True, 7200.0, True), (True, -1e6, False), (True, 60.0, False)],
)
def test_the_time_between_a_kill_and_the_next_start_counts_when_asked(
    tmp_path: Path,
    few: Path,
    count_pauses: bool,
    set_forward: float,
    left_to_the_fallback: bool,
) -> None:
    world = World()
    world.answer(few, tmp_path / "out", budget_minutes=60, count_pauses=count_pauses)
    (tmp_path / "out" / "plan.jsonl").unlink()
    world.wall += set_forward
    figures = world.answer(few, tmp_path / "out", budget_minutes=60, count_pauses=count_pauses)
    assert (figures["fallback"] == 23) == left_to_the_fallback


def test_other_questions_in_the_same_folder_are_refused(tmp_path: Path, questions: Path) -> None:
    World().answer(questions, tmp_path / "out")
    questions.write_text("ID,Question\nA,설명하세요.\n", encoding="utf-8")
    with pytest.raises(UserError, match="questions changed since it started"):
        World().answer(questions, tmp_path / "out")


def turn(number: int, **values: object) -> Turn:
    return Turn("q", number, "full", 1, 10, 2, **values)  # type: ignore[arg-type]


def test_the_journal_keeps_whole_lines_and_the_first_of_two(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"seed": 1})
    assert journal.record_turn(turn(0, text="답"))
    assert not journal.record_turn(turn(0, text="다른 답"))
    with open(tmp_path / "plan.jsonl", "a", encoding="utf-8") as handle:
        handle.write('{"id": "q", "tu')
    again = Journal(tmp_path, {"seed": 1})
    assert [t.text for t in again.turns.values()] == ["답"]
    with pytest.raises(UserError, match="seed changed"):
        Journal(tmp_path, {"seed": 2})


def test_evidence_that_is_written_down_names_its_version(index: Index, tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text(
        '{"id": "A", "question": "알리지 아니한 자의 과태료는?", "as_of": "2023-01-01"}\n',
        encoding="utf-8",
    )
    World(searcher=Retriever(index, settings(k=1))).answer(questions, tmp_path / "out")
    (row,) = rows(tmp_path / "out" / "evidence.jsonl")
    (hit,) = row["hits"]
    named = (hit["chunk"], hit["unit"], hit["version"])
    assert named == ("가람법@2022-06-10/제2조", "가람법 제2조", "시행 2022-06-10 ~ 2024-09-14")


def test_the_journal_records_exactly_the_evidence_in_each_prompt(tmp_path: Path, few: Path) -> None:
    world = World()
    world.answer(few, tmp_path / "out", permutations=3, votes=3, budget_minutes=600)
    turns = rows(tmp_path / "out" / "plan.jsonl")
    first = {turn["id"]: turn for turn in turns if turn["turn"] == 0}
    assert any(turn["shown"] > 0 for turn in first.values())
    assert any(turn["turn"] > 0 for turn in turns)
    for turn in turns:
        texts = turn["texts"] or first[turn["id"]]["texts"]
        assert len(texts) == turn["shown"]
        assert any(all(text in prompt for text in texts) for prompt in world.prompts)


def test_later_turns_record_their_texts_where_they_differ(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"seed": 1})
    journal.record_turn(turn(0, texts=["가"]))
    journal.record_turn(turn(1, texts=["가"]))
    journal.record_turn(turn(2, texts=["나"]))
    assert [t.texts for t in journal.turns.values()] == [["가"], [], ["나"]]
    again = Journal(tmp_path, {"seed": 1})
    assert again.turns == journal.turns


def test_a_folder_of_an_older_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"version": 2, "seed": 1}', encoding="utf-8")
    with pytest.raises(UserError, match="version changed"):
        Journal(tmp_path, {"seed": 1})


FILES = ("plan.jsonl", "evidence.jsonl", "timings.jsonl", "answers.jsonl", "state.json")


def unfinished(few: Path, out: Path) -> None:
    """Leave the folder of a run that was killed after its third batch."""
    batches = 0

    def progress(phase: str, done: int, total: int | None = None, **info: object) -> None:
        nonlocal batches
        batches += phase == "answer"
        if batches == 3:
            raise Killed

    with pytest.raises(Killed):
        World().answer(few, out, budget_minutes=600, batch_questions=4, progress=progress)


def resumed(few: Path, out: Path) -> list[str]:
    """Continue the run; return the notes that a user sees."""
    notes: list[str] = []

    def progress(phase: str, done: int, total: int | None = None, **info: object) -> None:
        if phase == "journal":
            notes.append(str(info["note"]))

    World().answer(few, out, budget_minutes=600, batch_questions=4, progress=progress)
    return notes


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, content) for name in FILES[:3] for content in (b"[1]\n", b'{"id": "x"}\n')),
        ("plan.jsonl", b"\xff\xfe\x00\n" * 3),
        ("state.json", b""),
        ("state.json", b"[" * 5000),
        ("clock.json", b"{"),
        ("clock.json", b'{"seconds_used": "3"}'),
        ("clock.json", b'{"seconds_used": -1, "written_at": 5}'),
    ],
)
def test_a_journal_that_cannot_be_read_is_set_aside_and_the_run_ends_as_ever(
    tmp_path: Path, few: Path, name: str, content: bytes
) -> None:
    World().answer(few, tmp_path / "whole", budget_minutes=600, batch_questions=4)
    unfinished(few, tmp_path / "cut")
    (tmp_path / "cut" / name).write_bytes(content)
    (note,) = resumed(few, tmp_path / "cut")
    assert name in note
    assert_complete(tmp_path / "cut", few)
    same_bytes(tmp_path / "cut", tmp_path / "whole")
    if name != "clock.json":
        assert (tmp_path / "cut" / f"{name}.set-aside-1").read_bytes() == content


def test_an_unreadable_clock_counts_the_time_between_the_files(tmp_path: Path) -> None:
    Journal(tmp_path, {"seed": 1})
    (tmp_path / "clock.json").write_text("{", encoding="utf-8")
    for name, at in (("state.json", 1000.0), ("plan.jsonl", 1600.0), ("clock.json", 1500.0)):
        os.utime(tmp_path / name, (at, at))
    for name in ("timings.jsonl", "evidence.jsonl"):
        os.utime(tmp_path / name, (1200.0, 1200.0))
    journal = Journal(tmp_path, {"seed": 1}, lambda: 1700.0)
    assert (journal.used_before, journal.pause_before) == (600.0, 100.0)


def test_any_byte_of_a_journal_may_change(tmp_path: Path, few: Path) -> None:
    """Thirty damaged journals: no crash, and every question is answered."""
    unfinished(few, tmp_path / "cut")
    kept = {name: (tmp_path / "cut" / name).read_bytes() for name in FILES}
    draw = random.Random(17)
    for number in range(30):
        out = tmp_path / str(number)
        out.mkdir()
        for name, data in kept.items():
            (out / name).write_bytes(data)
        name = draw.choice([name for name in FILES if kept[name]])
        damaged = bytearray(kept[name])
        for _ in range(1 if name == "state.json" else draw.choice((1, 1, 30))):
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        (out / name).write_bytes(damaged)
        resumed(few, out)
        assert_complete(out, few)
