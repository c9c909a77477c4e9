"""The command `bundle`: the plan, a wrong call, a check of a bundle."""

import hashlib
import json

import pytest


def small_bundle(folder):
    """A folder with the two lists of hashes, as `bundle` writes them."""
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"weights")
    line = f"{hashlib.sha256(b'weights').hexdigest()}  weights.bin\n"
    (folder / "SHA256SUMS").write_text(line, encoding="utf-8")
    seal = f"{hashlib.sha256(line.encode()).hexdigest()}  SHA256SUMS\n"
    (folder / "SHA256SUMS.sha256").write_text(seal, encoding="utf-8")
    return folder


def test_check_says_that_all_is_as_written(command, tmp_path):
    code, out, _ = command("bundle", "--check", small_bundle(tmp_path / "번들"))
    assert (code, out) == (0, "1 files: all as written\n")


def test_check_names_what_differs_and_exits_with_1(command, tmp_path):
    folder = small_bundle(tmp_path / "bundle")
    (folder / "weights.bin").write_bytes(b"Weights")
    (folder / "more.txt").write_text("", encoding="utf-8")
    code, out, _ = command("bundle", "--check", folder)
    assert code == 1
    assert "weights.bin: other content" in out
    assert "more.txt: does not belong" in out
    code, out, _ = command("bundle", "--check", folder, "--json")
    assert code == 1
    assert json.loads(out)["ok"] is False


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_check_of_something_else_is_one_error(command, tmp_path, damage):
    folder = small_bundle(tmp_path / "bundle")
    if damage == "missing":
        (folder / "SHA256SUMS").unlink()
    else:
        (folder / "SHA256SUMS").write_text("", encoding="utf-8")
    code, _, err = command("bundle", "--check", folder)
    assert code == 1
    assert err.count("error:") == 1
    assert "SHA256SUMS" in err


def test_check_takes_one_folder(command, tmp_path):
    code, _, err = command("bundle", "--check", tmp_path, tmp_path / "out")
    assert code == 1
    assert "--check" in err


def test_the_folder_of_the_bundle_must_be_named(command, tmp_path):
    code, _, err = command("bundle", tmp_path)
    assert code == 1
    assert "the folder of the bundle is not named" in err


def test_a_folder_that_is_no_run_is_one_error(command, tmp_path):
    code, _, err = command("bundle", tmp_path, tmp_path / "out", "--plan")
    assert code == 1
    assert "not a run" in err


def test_an_unfinished_run_is_named_by_the_plan(command, pico, tmp_path):
    code, out, _ = command("bundle", pico, tmp_path / "out", "--plan", "--json")
    assert code == 1
    plan = json.loads(out)
    assert plan["ok"] is False
    assert any("no finished stage index" in one for one in plan["problems"])
    assert plan["packages"]["lancedb"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--python", "2.7"], "--python"),
        (["--platform", "win32"], "--platform"),
        (["--use", "torch"], "NAME==VERSION"),
    ],
)
def test_a_wrong_option_is_one_error(command, pico, tmp_path, words, message):
    code, _, err = command("bundle", pico, tmp_path / "out", "--plan", *words)
    assert code == 1
    assert message in err


def test_an_existing_folder_is_refused(command, pico, tmp_path):
    code, _, err = command("bundle", pico, tmp_path)
    assert code == 1
    assert "overwrites nothing" in err
