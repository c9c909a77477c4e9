"""A run that was killed at any moment and started again ends with the same bytes."""

import json
import multiprocessing
import os
import random
import signal
import time

import pytest

from kofinlaw import UserError

STEPS = 12
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def once(pico, examples, settings, tmp_path):
    """A function that trains in `tmp_path / name`; fields change the settings."""
    import torch

    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    template = template_for(pico)

    def run(
        name,
        *,
        resume="if-possible",
        data=examples,
        seed=3,
        on_micro_batch=None,
        threads=1,
        **fields,
    ):
        torch.set_num_threads(threads)  # 1: a forked child has none of its parent's threads
        fields = {
            "max_steps": STEPS,
            "checkpoint_steps": 3,
            "effective_batch": 4,
            "max_tokens_per_micro_batch": 150,
            "lora": {"rank": 4, "alpha": 8, "dropout": 0.1},  # so that random states matter
            **fields,
        }
        return train(
            settings(**fields),
            pico,
            data,
            tmp_path / name,
            template=template,
            seed=seed,
            resume=resume,
            on_micro_batch=on_micro_batch,
        )

    return run


def files(out):
    """What must be the same: the adapter, and each step's numbers without its times."""
    adapter = {p.name: p.read_bytes() for p in sorted((out / "adapter").iterdir())}
    timed = ("seconds", "tokens_per_second", "memory_gib")
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return adapter, [{k: v for k, v in line.items() if k not in timed} for line in lines]


def test_killed_at_ten_random_moments_the_weights_are_the_same_bit_for_bit(once, tmp_path):
    started = time.monotonic()
    once("whole")
    seconds = time.monotonic() - started
    dice = random.Random(9)
    kills = 0
    while kills < 10:
        child = FORK.Process(target=once, args=("killed",))
        child.start()
        child.join(dice.uniform(0.1, 0.9) * seconds)
        if child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.join()
        assert child.exitcode in (0, -signal.SIGKILL)
        if child.exitcode == 0:  # done: begin again, there are kills left
            assert files(tmp_path / "killed") == files(tmp_path / "whole")
            once("killed", resume="never", max_steps=1)
    figures = once("killed")
    assert figures.steps == STEPS
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    assert not list((tmp_path / "killed").rglob("*.tmp"))


def test_killed_within_a_step_and_within_a_save_it_goes_on_from_the_last_checkpoint(
    once, tmp_path, monkeypatch
):
    once("whole")

    def kill_in_step_8(step, number):
        if step == 7 and number == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    child = FORK.Process(target=once, args=("killed",), kwargs={"on_micro_batch": kill_in_step_8})
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert len((tmp_path / "killed" / "metrics.jsonl").read_text().splitlines()) == 7

    from kofinlaw.trainer import checkpoint

    whole_hash = checkpoint.sha256_file

    def kill_in_save(path):
        if path.name == "optimizer.pt" and ".step-000009" in str(path):
            os.kill(os.getpid(), signal.SIGKILL)
        return whole_hash(path)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "sha256_file", kill_in_save)
        child = FORK.Process(target=once, args=("killed",))
        child.start()
        child.join()
    assert child.exitcode == -signal.SIGKILL
    assert list((tmp_path / "killed" / "checkpoints").glob(".step-000009.tmp"))
    figures = once("killed")
    assert figures.resumed_from == 6
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_sigterm_saves_and_exits_with_its_own_code(once, tmp_path):
    from kofinlaw.trainer.guards import EXIT_SAVED

    once("whole")

    def ask_to_stop(step, number):
        if step == 4 and number == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    child = FORK.Process(target=once, args=("asked",), kwargs={"on_micro_batch": ask_to_stop})
    child.start()
    child.join()
    assert child.exitcode == EXIT_SAVED == 75
    assert (tmp_path / "asked" / "checkpoints" / "step-000006").is_dir()
    assert once("asked").resumed_from == 6
    assert files(tmp_path / "asked") == files(tmp_path / "whole")


def test_a_finished_run_started_again_changes_nothing(once, tmp_path):
    first = once("run")
    before = files(tmp_path / "run")
    figures = once("run", resume="always")
    assert figures.resumed_from == STEPS
    assert figures.peak_memory_gib == first.peak_memory_gib > 0
    assert files(tmp_path / "run") == before


def test_the_budget_travels_in_the_checkpoint_and_only_shrinks(once, tmp_path):
    seen = []

    def fail_in_step_2(step, number):
        if step == 1 and not seen:
            seen.append(step)
            raise MemoryError

    assert once("run", max_steps=3, on_micro_batch=fail_in_step_2).budget_tokens < 100
    record = json.loads(
        (tmp_path / "run" / "checkpoints" / "step-000003" / "checkpoint.json").read_text()
    )
    assert record["budget"]["tokens"] < 100
    assert "out of memory" in record["state"]["events"][0]


def test_a_torn_checkpoint_is_passed_over_with_a_message(once, tmp_path):
    once("whole")
    once("torn")
    folder = tmp_path / "torn" / "checkpoints" / "step-000012"
    (folder / "optimizer.pt").write_bytes((folder / "optimizer.pt").read_bytes()[:-10])
    assert once("torn").resumed_from == 9
    assert files(tmp_path / "torn") == files(tmp_path / "whole")


@pytest.mark.parametrize("missing", ["adapter.safetensors", "optimizer.pt", "checkpoint.json"])
def test_a_checkpoint_with_a_missing_file_is_refused_where_resuming_is_a_must(
    once, tmp_path, missing
):
    once("run", max_steps=1)
    (tmp_path / "run" / "checkpoints" / "step-000001" / missing).unlink()
    with pytest.raises(UserError, match="no checkpoint to resume from"):
        once("run", max_steps=1, resume="always")


def test_a_dataset_changed_since_the_checkpoint_is_refused_or_started_anew(
    once, tmp_path, build_examples
):
    once("run", max_steps=2)
    other = build_examples(tmp_path / "other.jsonl", 12)
    with pytest.raises(UserError, match="different data"):
        once("run", max_steps=2, data=other, resume="always")
    with pytest.raises(UserError, match="different settings, seed"):
        once("run", max_steps=2, learning_rate=1e-3, seed=4, resume="always")
    figures = once("run", max_steps=2, data=other)
    assert figures.resumed_from is None
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 2


def test_what_only_bounds_memory_may_change_between_two_runs(once, tmp_path):
    once("run", max_steps=3)
    assert once("run", max_steps=3, max_tokens_per_micro_batch=60).resumed_from == 3


def test_two_runs_in_one_folder_are_told_apart(once, tmp_path):
    def try_again(step, number):
        if step == 0 and number == 0:
            with pytest.raises(UserError, match=f"another run \\(process {os.getpid()}\\)"):
                once("run", max_steps=1)

    once("run", max_steps=1, on_micro_batch=try_again)
    assert not (tmp_path / "run" / ".lock").exists()


def test_a_full_disk_while_saving_is_one_clear_error_and_loses_nothing(once, tmp_path, monkeypatch):
    import errno

    from kofinlaw import files as writing

    once("whole")
    sync = writing.sync

    def full(path):
        if ".step-000006" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(path)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "sync", full)
        with pytest.raises(UserError, match="no space left on the disk"):
            once("full")
    names = sorted(p.name for p in (tmp_path / "full" / "checkpoints").iterdir())
    assert names == ["step-000003"]
    assert once("full").resumed_from == 3
    assert files(tmp_path / "full") == files(tmp_path / "whole")


FEW = {"max_steps": 5}


def stopped_after(steps):
    """A callback that kills the process in a step, as a crash does."""

    def kill(step, number):
        if step == steps:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill


def killed_at(once, name, step):
    child = FORK.Process(
        target=once, args=(name,), kwargs={"on_micro_batch": stopped_after(step), **FEW}
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def test_a_resumed_run_computes_with_the_threads_that_it_started_with(once, tmp_path, monkeypatch):
    """Two threads add sums in another order: the adapter would be that of neither count."""
    import torch

    from kofinlaw.trainer import sft

    once("whole", **FEW)
    killed_at(once, "killed", 4)
    used = []
    load = sft.load_trainee

    def watched(*arguments, **options):
        used.append(torch.get_num_threads())
        return load(*arguments, **options)

    monkeypatch.setattr(sft, "load_trainee", watched)
    once("killed", threads=2, **FEW)
    assert used == [1]
    assert torch.get_num_threads() == 2  # the process has its own number again
    torch.set_num_threads(1)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    record = json.loads((tmp_path / "killed" / "adapter" / "kofinlaw.json").read_text("utf-8"))
    found = record["fingerprints"]
    assert (found["threads"], found["device"], found["processes"]) == ("1", "cpu", "1")


def test_another_number_of_threads_is_another_fingerprint(once, tmp_path):
    once("one", max_steps=1)
    once("three", max_steps=1, threads=3)
    adapters = [files(tmp_path / name)[0] for name in ("one", "three")]
    records = [json.loads(adapter["kofinlaw.json"])["fingerprints"] for adapter in adapters]
    assert [key for key in records[0] if records[0][key] != records[1][key]] == ["threads"]


@pytest.mark.parametrize("mode", ["if-possible", "always"])
def test_a_checkpoint_of_another_device_is_refused_unless_the_recipe_allows_it(
    once, tmp_path, monkeypatch, mode
):
    from kofinlaw.trainer import resume

    killed_at(once, "killed", 4)
    monkeypatch.setattr(resume, "device_name", lambda: "NVIDIA H200")
    with pytest.raises(UserError, match="device cpu, now NVIDIA H200") as caught:
        once("killed", resume=mode, **FEW)
    assert "train.resume_elsewhere=true" in caught.value.remedy
    assert (tmp_path / "killed" / "checkpoints" / "step-000003").is_dir()
    if mode == "always":
        return
    assert once("killed", resume=mode, resume_elsewhere=True, **FEW).resumed_from == 3
    record = json.loads((tmp_path / "killed" / "adapter" / "kofinlaw.json").read_text("utf-8"))
    assert record["fingerprints"]["device"] == "cpu, then NVIDIA H200"
    assert once("killed", resume="always", **FEW).resumed_from == 5  # the last device counts


def test_fingerprints_name_processes_and_their_launch(settings):
    import torch

    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.resume import continued_fingerprints, run_fingerprints

    cpu = torch.device("cpu")
    launches = [
        Ranks(0, 1, cpu),
        Ranks(0, 2, cpu),
        Ranks(0, 2, cpu, True),
        Ranks(0, 2, cpu, True, 3),
    ]
    found = [run_fingerprints(settings(), ranks, seed=1) for ranks in launches]
    assert [one["processes"] for one in found] == ["1", "2", "2 FSDP", "2 ZeRO-3"]
    both = continued_fingerprints(found[1], found[0])
    assert both["processes"] == "1, then 2"
    assert continued_fingerprints(found[1], both) == both


def damage_record(path, change):
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_text("", encoding="utf-8"),
        lambda path: path.write_bytes(b"\xff{"),
        lambda path: path.write_text("[1, 2]", encoding="utf-8"),
        lambda path: damage_record(path, lambda record: record.pop("fingerprints")),
        lambda path: damage_record(path, lambda record: record.pop("budget")),
        lambda path: damage_record(path, lambda record: record["state"].pop("losses")),
        lambda path: damage_record(path, lambda record: record["state"].update(step=5)),
        lambda path: damage_record(path, lambda record: record["state"].update(tokens=1)),
    ],
)
def test_a_checkpoint_record_that_cannot_be_read_costs_steps_and_no_crash(tmp_path, damage):
    from kofinlaw.trainer import checkpoint
    from kofinlaw.trainer.state import RunState

    root = tmp_path / "checkpoints"
    for step in (3, 6):
        checkpoint.save(
            root,
            tensors={},
            optimizer={"state": {}, "param_groups": []},
            record={
                "version": "1",
                "step": step,
                "steps": 12,
                "budget": {"asked": 1, "where": {}, "tokens": 1, "probe": {}},
                "fingerprints": {"threads": "1"},
                "state": RunState(step=step).record(),
            },
        )
    said = []
    assert checkpoint.newest(root, said.append).step == 6
    damage(root / "step-000006" / "checkpoint.json")
    assert checkpoint.newest(root, said.append).step == 3
    assert "step-000006 is ignored" in said[0]
    damage(root / "step-000003" / "checkpoint.json")
    assert checkpoint.newest(root, said.append) is None
    assert checkpoint.all_damaged(root)


def test_a_training_log_that_cannot_be_read_is_kept_and_training_continues(once, tmp_path):
    once("whole", **FEW)
    killed_at(once, "killed", 4)
    path = tmp_path / "killed" / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"[1]\n", b"\xff\xfe\n", b'{"step": "x"}\n', *lines[3:]]))
    once("killed", **FEW)
    assert (tmp_path / "killed" / "metrics.jsonl.set-aside-1").exists()
    assert files(tmp_path / "killed")[0] == files(tmp_path / "whole")[0]
    kept = [json.loads(line)["step"] for line in path.read_text("utf-8").splitlines()]
    assert kept == [1, *range(4, 6)]


def test_checkpoints_of_which_none_can_be_read_are_kept(once, tmp_path):
    killed_at(once, "killed", 4)
    (tmp_path / "killed" / "checkpoints" / "step-000003" / "checkpoint.json").write_text("{")
    with pytest.raises(UserError, match="no checkpoint to resume from"):
        once("killed", resume="always", **FEW)
    assert once("killed", **FEW).resumed_from is None
    assert (tmp_path / "killed" / "checkpoints.set-aside-1" / "step-000003").is_dir()


def test_a_checkpoint_that_cannot_be_opened_now_is_not_ignored(once, tmp_path, no_more_files):
    from kofinlaw.errors import MachineError
    from kofinlaw.trainer import checkpoint

    once("whole")
    root = tmp_path / "whole" / "checkpoints"
    folder = max(root.iterdir())
    with no_more_files(), pytest.raises(MachineError, match="too many open files"):
        checkpoint.read(folder)
    with no_more_files(), pytest.raises((MachineError, OSError), match=r"(?i)too many open files"):
        checkpoint.newest(root, lambda said: pytest.fail(said))
