"""Finished stages are checked as a whole: records, files, what a user accepts, what is ignored."""

import json

import pytest
from counts import Counts

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.integrity import checks
from kofinlaw.recipes.pipeline.integrity.checks import (
    Checks,
    accept_stage,
    require_path,
    require_stages,
    rerecord,
    stage_of,
    stages_in,
)
from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.runner import run_stages


@pytest.fixture
def run(tmp_path):
    """A run's folder with the finished stage `augment`."""

    def work(out, progress):
        (out / "examples.jsonl").write_text("{}\n" * 12)
        return Counts(examples=12)

    (tmp_path / "recipe.yaml").write_text("name: x\n")
    run_stages([Stage("augment", work)], tmp_path)
    return tmp_path


def edit_record(run, change):
    path = run / "augment" / "stage.json"
    record = json.loads(path.read_text("utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def test_the_error_names_file_command_and_the_ways_out(run):
    require_stages(run, ["augment", "no such stage"])
    (run / "augment" / "examples.jsonl").write_text("{}\n" * 6)
    with pytest.raises(UserError, match=r"examples.jsonl .36 → 18 bytes.") as caught:
        require_stages(run, ["augment"])
    for word in ("--until augment --again augment", "--accept augment", "--trust"):
        assert word in caught.value.remedy
    require_stages(run, ["augment"], trust=True)


def test_a_path_belongs_to_its_stage(run, tmp_path):
    path = run / "augment" / "examples.jsonl"
    assert stage_of(path) == stage_of(run / "augment") == run / "augment"
    assert stage_of(run) is None
    path.write_text("")
    with pytest.raises(UserError, match=r"examples.jsonl"):
        require_path(path)
    require_path(path, trust=True)
    (run / "other").mkdir()
    require_path(run / "other")


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["counts"].update(examples=13),
        lambda record: record["outputs"]["examples.jsonl"].update(sha256="0" * 64),
        lambda record: record["outputs"].clear(),
        lambda record: record.update(fingerprint="0" * 64),
        lambda record: record.update(seconds=1),
    ],
)
def test_an_altered_record_is_refused(run, change):
    edit_record(run, change)
    with pytest.raises(UserError, match=r"stage.json changed"):
        require_stages(run, ["augment"])


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"status": "running"}', b"\xff"])
def test_an_unreadable_record_is_refused(run, content):
    path = run / "augment" / "stage.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
        with pytest.raises(UserError, match="not known what the folder holds"):
            require_stages(run, ["augment"])
    else:
        said: list[str] = []
        require_stages(run, ["augment"], say=said.append)
        assert said == ["augment: stage.json is missing, so its files cannot be checked"]
    stage = Stage("augment", lambda out, progress: Counts())
    with pytest.raises(UserError, match="not known what the folder holds"):
        run_stages([stage], run, resume="always")
    if content is None:
        assert run_stages([stage], run)[0].how == "ran"
        assert (run / "augment.set-aside-1" / "examples.jsonl").exists()
        return
    with pytest.raises(UserError, match="not known what the folder holds"):
        run_stages([stage], run)
    assert run_stages([stage], run, again=["augment"])[0].how == "ran"


def test_a_run_of_an_earlier_version_cannot_be_checked_and_says_so(run):
    def strip(record):
        for key in ("outputs", "record_sha256", "made_from"):
            del record[key]

    edit_record(run, strip)
    said: list[str] = []
    require_stages(run, ["augment"], say=said.append)
    assert "recorded no hashes" in said[0]
    assert accept_stage(run / "augment").recorded is None
    assert "edited" not in read_record(run / "augment")
    (run / "augment" / "examples.jsonl").write_text("")
    with pytest.raises(UserError):
        require_stages(run, ["augment"])


def test_what_a_user_accepts_is_recorded_and_marked(run):
    assert accept_stage(run / "augment").intact
    assert "edited" not in read_record(run / "augment")
    (run / "augment" / "examples.jsonl").write_text("{}\n" * 6)
    assert [str(one) for one in accept_stage(run / "augment").changes] == [
        "examples.jsonl (36 → 18 bytes)"
    ]
    require_stages(run, ["augment"])
    assert len(read_record(run / "augment")["edited"]) == 64


def test_what_a_command_writes_into_a_stage_is_recorded_again(run):
    (run / "augment" / "examples.jsonl").write_text("{}\n")
    rerecord(run / "augment")
    require_stages(run, ["augment"])
    assert "edited" not in read_record(run / "augment")


def test_files_that_the_stage_did_not_write_are_named_and_ignored(run):
    (run / "augment" / "notes.txt").write_text("")
    said: list[str] = []
    require_stages(run, ["augment"], say=said.append)
    assert said == ["augment: files that the stage did not write are ignored: notes.txt"]
    assert Checks(run).state("augment").extra == ("notes.txt",)


def test_folders_that_were_set_aside_are_no_stages(run):
    (run / "augment").rename(run / "augment.set-aside-1")
    assert stages_in(run) == []


@pytest.mark.parametrize("stop", range(8))
def test_a_kill_while_files_are_replaced_leaves_the_stage_intact(run, monkeypatch, stop):
    """Four files are written; the process ends before or after each of them."""
    steps = iter(range(8))

    def dying(write):
        def wrapped(*given):
            if next(steps) == stop:
                raise KeyboardInterrupt
            write(*given)
            if next(steps) == stop:
                raise KeyboardInterrupt

        return wrapped

    texts = {"examples.jsonl": "{}\n", "card.md": "새 표\n"}
    with monkeypatch.context() as patch:
        for name in ("write_record", "write_text"):
            patch.setattr(checks, name, dying(getattr(checks, name)))
        with pytest.raises(KeyboardInterrupt):
            checks.replace_outputs(run / "augment", texts)
    require_stages(run, ["augment"])
    checks.replace_outputs(run / "augment", texts)
    record = read_record(run / "augment")
    assert "replacing" not in record
    assert record["outputs"]["card.md"]["bytes"] == len("새 표\n".encode())
    assert Checks(run, fresh=True).state("augment").intact
    (run / "augment" / "card.md").write_text("다른 표\n")
    with pytest.raises(UserError, match=r"card.md"):
        require_stages(run, ["augment"])


def test_a_third_content_is_a_change_also_while_files_are_replaced(run, monkeypatch):
    def fail(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checks, "write_text", fail)
        with pytest.raises(KeyboardInterrupt):
            checks.replace_outputs(run / "augment", {"examples.jsonl": "{}\n"})
    require_stages(run, ["augment"])
    (run / "augment" / "examples.jsonl").write_text("[]\n")
    with pytest.raises(UserError, match=r"examples.jsonl"):
        require_stages(run, ["augment"])
