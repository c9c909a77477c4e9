"""The stage runner: skip, continue, and never leave half a result."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from counts import Counts

from kofinlaw import UserError
from kofinlaw.files import JsonlAppender
from kofinlaw.recipes.pipeline.integrity.checks import accept_stage
from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage, inputs_sha256, is_complete
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.runner import StageFailed, run_stages


def lines_stage(name: str, count: int = 3, **fields) -> Stage:
    def work(out, progress):
        with JsonlAppender(out / "records.jsonl") as appender:
            for number in range(count):
                appender.append({"number": number})
                progress("writing", number + 1, count)
        return Counts(records=count)

    return Stage(name, work, **fields)


def failing(error: BaseException) -> Stage:
    def work(out, progress):
        (out / "half.jsonl").write_text("{}\n")
        raise error

    return Stage("bad", work)


def test_a_complete_stage_is_skipped_and_its_record_has_the_figures(tmp_path):
    first = run_stages([lines_stage("a")], tmp_path)
    again = run_stages([lines_stage("a")], tmp_path)
    assert [first[0].how, again[0].how] == ["ran", "skipped"]
    record = read_record(tmp_path / "a")
    assert record["status"] == "complete"
    assert record["counts"] == {"records": 3}
    assert record["peak_memory_gib"] > 0


def test_a_changed_setting_runs_the_stage_and_those_after_it_again(tmp_path):
    def stages(value):
        return [
            lines_stage("a", settings={"value": value}),
            lines_stage("b", after=("a",)),
            lines_stage("c"),
        ]

    run_stages(stages(1), tmp_path)
    outcome = run_stages(stages(2), tmp_path)
    assert [o.how for o in outcome] == ["ran", "ran", "skipped"]


def test_a_changed_input_file_runs_the_stage_again(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("하나")
    stage = lines_stage("a", inputs=(source,))
    run_stages([stage], tmp_path / "run")
    source.write_text("둘")
    assert run_stages([stage], tmp_path / "run")[0].how == "ran"


def test_a_fault_of_kofinlaw_leaves_a_log_and_no_result(tmp_path):
    with pytest.raises(StageFailed) as caught:
        run_stages([failing(ValueError("boom"))], tmp_path)
    assert "boom" in caught.value.log_path.read_text()
    assert not (tmp_path / "bad").exists()


def test_a_full_disk_is_a_user_error_and_finished_records_are_kept(tmp_path):
    with pytest.raises(UserError, match="no space left"):
        run_stages([failing(OSError(errno.ENOSPC, "full"))], tmp_path)
    assert (tmp_path / ".bad.partial" / "half.jsonl").exists()


def test_a_full_disk_in_a_librarys_words_is_a_user_error_too(tmp_path, small_files):
    def work(out, progress):
        import numpy as np

        with small_files(1_000):
            np.save(out / "half.npy", np.zeros(10_000))

    with pytest.raises(UserError, match="no space left"):
        run_stages([Stage("bad", work)], tmp_path)
    assert "requested and" in (tmp_path / ".bad.partial" / "log.txt").read_text()


def test_a_finished_stage_is_not_done_again_because_its_record_could_not_be_opened(
    tmp_path, no_more_files
):
    runs = []

    def work(out, progress):
        runs.append(1)
        return Counts()

    run_stages([Stage("a", work)], tmp_path)
    with no_more_files(), pytest.raises(UserError, match="too many open files"):
        run_stages([Stage("a", work)], tmp_path)
    assert run_stages([Stage("a", work)], tmp_path)[0].how == "skipped"
    assert runs == [1]


def test_an_interrupted_stage_continues(tmp_path):
    seen = []

    def work(out, progress):
        seen.append((out / "half.jsonl").exists())
        (out / "half.jsonl").write_text("{}\n")
        if len(seen) == 1:
            raise KeyboardInterrupt
        return Counts()

    with pytest.raises(KeyboardInterrupt):
        run_stages([Stage("a", work)], tmp_path)
    assert run_stages([Stage("a", work)], tmp_path)[0].how == "resumed"
    assert seen == [False, True]


def test_resume_never_starts_again_and_always_refuses_other_settings(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_stages([failing(KeyboardInterrupt())], tmp_path)
    other = Stage("bad", lambda out, progress: Counts(), settings={"changed": True})
    with pytest.raises(UserError, match="other settings"):
        run_stages([other], tmp_path, resume="always")
    run_stages([lines_stage("a")], tmp_path)
    assert run_stages([lines_stage("a")], tmp_path, resume="never")[0].how == "ran"


def test_a_stage_with_warnings_names_their_file(tmp_path):
    said: list[str] = []
    warned = Stage("data", lambda out, progress: Counts(card_warnings=2))
    run_stages([warned, lines_stage("a")], tmp_path, say=said.append)
    assert [line for line in said if "warning" in line] == ["data: 2 warnings, in card.md"]


def test_the_last_lines_of_a_stage_are_shown_and_their_first_one_again_later(tmp_path):
    lines = ["1 of 2 files read, 1 no reader", "no reader: 옛 규정.doc: save it as DOCX"]
    stage = Stage("data", lambda out, progress: Counts(last_lines=lines))
    said: list[str] = []
    run_stages([stage], tmp_path, say=said.append)
    assert said[-2:] == [f"data: {line}" for line in lines]
    said.clear()
    run_stages([stage], tmp_path, say=said.append)
    assert said == ["data: already done, nothing changed", f"data: {lines[0]}"]


def test_a_single_stage_needs_the_stages_before_it(tmp_path):
    stages = [lines_stage("data"), lines_stage("train", after=("data",))]
    with pytest.raises(UserError, match="is not complete"):
        run_stages(stages, tmp_path, only=["train"])
    run_stages(stages, tmp_path, only=["data"])
    assert run_stages(stages, tmp_path, only=["train"])[0].how == "ran"


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path):
    run_stages([lines_stage("a")], tmp_path)
    (tmp_path / "a").rename(tmp_path / ".a.partial")
    assert run_stages([lines_stage("a")], tmp_path)[0].how == "skipped"
    (tmp_path / "a").rename(tmp_path / ".a.old")
    assert run_stages([lines_stage("a")], tmp_path)[0].how == "skipped"


WRITER = """
import sys, time
from pathlib import Path
from kofinlaw.files import JsonlAppender, read_json_lines
from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
from kofinlaw.recipes.pipeline.runner import run_stages

class Counts:
    def to_record(self):
        return {"records": 400}

def work(out, progress):
    path = out / "records.jsonl"
    with JsonlAppender(path) as appender:
        done = sum(1 for _ in read_json_lines(path))
        for number in range(done, 400):
            appender.append({"number": number, "text": "제" + str(number) + "조 " * 40})
            time.sleep(0.001)
    return Counts()

run_stages([Stage("a", work)], Path(sys.argv[1]))
"""


def test_killed_at_any_moment_the_records_end_up_identical(tmp_path):
    whole = tmp_path / "whole"
    subprocess.run([sys.executable, "-c", WRITER, str(whole)], check=True)
    cut = tmp_path / "cut"
    for milliseconds in (150, 300, 450, 250):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(cut)])
        time.sleep(milliseconds / 1000)
        process.kill()
        process.wait()
    subprocess.run([sys.executable, "-c", WRITER, str(cut)], check=True)
    expected = (whole / "a" / "records.jsonl").read_bytes()
    assert (cut / "a" / "records.jsonl").read_bytes() == expected
    assert json.loads((cut / "a" / "stage.json").read_text())["status"] == "complete"
    assert os.listdir(cut) == ["a"]


def test_the_record_keeps_korean_readable(tmp_path: Path):
    run_stages([lines_stage("a", settings={"질문": "한글"})], tmp_path)
    assert "한글" in (tmp_path / "a" / "stage.json").read_text(encoding="utf-8")


def test_a_link_that_leads_outside_counts_with_its_target_and_is_not_read(tmp_path):
    folder, other = tmp_path / "in", tmp_path / "out.md"
    folder.mkdir()
    other.write_text("a")
    (folder / "link.md").symlink_to(other)
    before = inputs_sha256([folder])
    other.write_text("b")
    assert inputs_sha256([folder]) == before
    assert inputs_sha256([folder, folder / "link.md"]) != before  # as with `follow_links`
    (folder / "link.md").unlink()
    (folder / "link.md").symlink_to(tmp_path / "elsewhere.md")
    assert inputs_sha256([folder]) != before


def test_inputs_are_told_apart_by_folder_and_hidden_files_do_not_count(tmp_path):
    (tmp_path / "법").mkdir()
    (tmp_path / "규정").mkdir()
    file = tmp_path / "법" / "가.md"
    file.write_text("제1조", encoding="utf-8")
    before = inputs_sha256([tmp_path])
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("")
    assert inputs_sha256([tmp_path]) == before
    file.rename(tmp_path / "규정" / "가.md")
    assert inputs_sha256([tmp_path]) != before
    hidden = tmp_path / ".examples.jsonl"  # named by the recipe, so it counts
    hidden.write_text("a")
    named = inputs_sha256([hidden])
    hidden.write_text("b")
    assert inputs_sha256([hidden]) != named


def chain(count=12, seen=None, **settings) -> list[Stage]:
    """Two stages, the second of which reads what the first wrote."""

    def make(out, progress):
        (out / "examples.jsonl").write_text("{}\n" * count)
        return Counts()

    def train(out, progress):
        text = (out.parent / "augment" / "examples.jsonl").read_text()
        if seen is not None:
            seen.append(text.count("\n"))
        (out / "adapter.safetensors").write_bytes(bytes([text.count("\n")]))
        return Counts()

    return [
        Stage("augment", make, settings={"count": count}),
        Stage("train", train, settings=settings, after=("augment",)),
    ]


def test_a_changed_file_stops_the_run_before_already_done_is_said(tmp_path):
    run_stages(chain(), tmp_path)
    (tmp_path / "augment" / "examples.jsonl").write_text("{}\n" * 6)
    said: list[str] = []
    with pytest.raises(UserError, match=r"1 file changed after the stage augment was finished"):
        run_stages(chain(), tmp_path, say=said.append)
    assert said == []
    outcomes = run_stages(chain(), tmp_path, trust=True)
    assert [one.how for one in outcomes] == ["skipped", "skipped"]


def test_a_changed_file_stops_the_run_before_a_later_stage_reads_it(tmp_path):
    seen: list[int] = []
    run_stages(chain(seen=seen), tmp_path)
    (tmp_path / "augment" / "examples.jsonl").write_text("{}\n" * 6)
    with pytest.raises(UserError, match=r"examples.jsonl"):
        run_stages(chain(seen=seen, epochs=2), tmp_path, only=["train"])
    assert seen == [12]


def test_a_file_that_changes_while_the_run_works_is_noticed_by_the_next_stage(tmp_path):
    def damage(out, progress):
        (tmp_path / "augment" / "examples.jsonl").write_text("{}\n" * 6)
        return Counts()

    first, last = chain()
    with pytest.raises(UserError, match=r"examples.jsonl"):
        run_stages([first, Stage("index", damage), last], tmp_path)
    assert not (tmp_path / "train").exists()


def test_one_stage_is_started_again_and_its_changed_folder_is_kept(tmp_path):
    run_stages(chain(), tmp_path)
    path = tmp_path / "augment" / "examples.jsonl"
    path.write_text("{}\n" * 6)
    said: list[str] = []
    outcomes = run_stages(chain(), tmp_path, again=["augment"], say=said.append)
    assert [one.how for one in outcomes] == ["ran", "skipped"]
    assert path.read_text().count("\n") == 12
    assert (tmp_path / "augment.set-aside-1" / "examples.jsonl").read_text().count("\n") == 6
    assert any("augment.set-aside-1" in line for line in said)


def test_a_stage_that_was_started_again_and_interrupted_continues(tmp_path):
    run_stages(chain(), tmp_path)

    def stopped(out, progress):
        raise KeyboardInterrupt

    first = chain()[0]
    with pytest.raises(KeyboardInterrupt):
        run_stages([Stage("augment", stopped, first.settings)], tmp_path, again=["augment"])
    assert run_stages([first], tmp_path)[0].how == "resumed"


def test_what_a_user_changed_and_accepted_is_used_by_the_stages_after_it(tmp_path):
    seen: list[int] = []
    run_stages(chain(seen=seen), tmp_path)
    (tmp_path / "augment" / "examples.jsonl").write_text("{}\n" * 6)
    accept_stage(tmp_path / "augment")
    assert is_complete(chain(), "augment", tmp_path)
    assert not is_complete(chain(), "train", tmp_path)
    outcomes = run_stages(chain(seen=seen), tmp_path)
    assert [one.how for one in outcomes] == ["skipped", "ran"]
    assert seen == [12, 6]
    assert [one.how for one in run_stages(chain(), tmp_path)] == ["skipped", "skipped"]
    said: list[str] = []
    run_stages(chain(count=13, seen=seen), tmp_path, say=said.append)  # the edit is not lost
    assert seen == [12, 6, 13]
    assert (tmp_path / "augment.set-aside-1" / "examples.jsonl").read_text().count("\n") == 6


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        ({"count": 13}, "setting count (12 → 13)"),
        ({"epochs": 2}, "setting epochs (none → 2)"),
    ],
)
def test_always_replaces_no_finished_work_and_names_what_differs(tmp_path, other, cause):
    run_stages(chain(), tmp_path)
    before = (tmp_path / "train" / "adapter.safetensors").read_bytes()
    with pytest.raises(UserError, match="replaces no work") as caught:
        run_stages(chain(**other), tmp_path, resume="always")
    assert cause in caught.value.message
    for word in ("undo", "--runs DIR", "--resume if-possible"):
        assert word in caught.value.remedy
    assert (tmp_path / "train" / "adapter.safetensors").read_bytes() == before
    assert [one.how for one in run_stages(chain(), tmp_path, resume="always")] == ["skipped"] * 2


def test_always_refuses_a_stage_whose_earlier_stage_was_made_again(tmp_path):
    """Only the stage that trains is asked for; the documents changed before."""
    run_stages(chain(), tmp_path)
    run_stages(chain(count=13), tmp_path, only=["augment"])
    with pytest.raises(UserError, match="stage augment before it"):
        run_stages(chain(count=13), tmp_path, resume="always")
    assert (tmp_path / "train" / "adapter.safetensors").read_bytes() == bytes([12])
    said: list[str] = []
    run_stages(chain(count=13), tmp_path, say=said.append)
    assert any("running again: stage augment before it" in line for line in said)


@pytest.mark.parametrize("mode", ["always", "if-possible"])
def test_unfinished_work_without_a_readable_record_is_never_deleted(tmp_path, mode):
    partial = tmp_path / ".a.partial"
    partial.mkdir()
    (partial / "records.jsonl").write_text("{}\n" * 9)
    (partial / "stage.json").write_text('{"stage": "a", "fingerp')
    if mode == "always":
        with pytest.raises(UserError, match="its record cannot be read"):
            run_stages([lines_stage("a")], tmp_path, resume="always")
        assert (partial / "records.jsonl").exists()
        return
    said: list[str] = []
    assert run_stages([lines_stage("a")], tmp_path, say=said.append)[0].how == "ran"
    assert (tmp_path / "a.partial.set-aside-1" / "records.jsonl").exists()
    assert "a.partial.set-aside-1" in said[0]
