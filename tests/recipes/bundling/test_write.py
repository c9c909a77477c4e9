"""A whole bundle: what is in it, no machine paths, full disks, killed work."""

import csv
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.bundling.installer import check_files
from kofinlaw.recipes.bundling.place import partial_folder
from kofinlaw.recipes.bundling.plan import Wanted, make_plan
from kofinlaw.recipes.bundling.write import write_bundle
from kofinlaw.recipes.pipeline.run import reopen

WANTED = Wanted("3.11", "manylinux_2_28_x86_64")


def files_of(bundle) -> set[str]:
    return {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}


def test_a_bundle_has_every_part_of_the_issue(whole_bundle):
    found = files_of(whole_bundle)
    assert {
        "install.sh",
        "install.py",
        "README.md",
        "README.ko.md",
        "SHA256SUMS",
        "SHA256SUMS.sha256",
        "bundle.json",
        "compliance.json",
        "policy.yaml",
        "licences.csv",
        "sbom.cdx.json",
        "run/recipe.yaml",
        "run/index/index.json",
        "run/index/stage.json",
        "run/data/chunks.jsonl",
        "run/model/model.safetensors",
        "run/model/tokenizer.json",
        "wheels/requirements.txt",
        "wheels/kofinlaw-0.1.0-py3-none-any.whl",
        "wheels/tiny_lexer-2.1-py3-none-any.whl",
        "wheels/tiny_tables-1.0-py3-none-any.whl",
        "wheels/torch-2.13.0-py3-none-any.whl",
        "LICENSES/tiny-lexer-2.1/LICENSE",
    } <= found
    assert not [name for name in found if "/." in f"/{name}"]
    assert not [name for name in found if "tiny_server" in name]


def test_no_file_names_a_folder_of_this_machine(whole_bundle, pico, asking_run):
    """Searched as bytes, also inside of the wheels."""
    words = [str(pico), str(asking_run), f"{Path.home()}/", str(whole_bundle.parent)]
    wanted = [word.encode() for word in words]
    found = []
    for name in sorted(files_of(whole_bundle)):
        texts = [(whole_bundle / name).read_bytes()]
        if name.endswith(".whl"):
            with zipfile.ZipFile(whole_bundle / name) as archive:
                texts += [archive.read(one) for one in archive.namelist()]
        found += [(name, word) for word in wanted if any(word in text for text in texts)]
    assert found == []


def test_the_real_wheel_of_kofinlaw_names_no_folder_of_this_machine(tmp_path):
    from kofinlaw.recipes.bundling.own_wheel import build_own_wheel, source_tree

    wheel = build_own_wheel(tmp_path / "wheels")
    root = str(source_tree()).encode()
    with zipfile.ZipFile(wheel.path) as archive:
        names = archive.namelist()
        assert [name for name in names if root in archive.read(name)] == []
    assert "kofinlaw/recipes/bundling/files/install.sh" in names
    assert "kofinlaw/recipes/bundling/installer.py" in names


def test_the_moved_run_answers_from_its_own_files(bundle, monkeypatch, tmp_path):
    """The run of the bundle, at another path, with nothing of the old one: index and model load."""
    from kofinlaw.recipes.api import open_run

    monkeypatch.setenv("KOFINLAW_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with open_run(bundle / "run") as opened:
        assert opened.model_folder == bundle / "run" / "model"
        result = opened.ask("점검절차에 이상이 있으면 며칠 안에 보고하나요?")
    assert any("제3조" in hit.unit for hit in result.evidence)
    assert check_files(bundle) == []


def test_the_recipe_of_a_bundle_names_what_was_left_out(whole_bundle):
    text = (whole_bundle / "run" / "recipe.yaml").read_text(encoding="utf-8")
    assert "path: not-in-bundle/docs" in text
    assert text.startswith("# The recipe of this bundle. Files of these keys are left out:")
    record = json.loads((whole_bundle / "bundle.json").read_text(encoding="utf-8"))
    assert record["left_out"] == ["data.sources", "evaluate.key", "evaluate.questions"]
    readme = (whole_bundle / "README.md").read_text(encoding="utf-8")
    assert "`data.sources`, `evaluate.key`, `evaluate.questions`" in readme
    assert not re.search("@[A-Z_]+@", readme)
    assert not re.search("@[A-Z_]+@", (whole_bundle / "README.ko.md").read_text(encoding="utf-8"))


def test_every_package_has_a_row_and_a_wheel_without_a_text_says_so(whole_bundle):
    with open(whole_bundle / "licences.csv", encoding="utf-8", newline="") as handle:
        rows = {row["name"]: row for row in csv.DictReader(handle)}
    assert rows["tiny-lexer"]["licence"] == "MIT"
    assert rows["tiny-lexer"]["texts"] == "LICENSES/tiny-lexer-2.1/LICENSE"
    assert rows["tiny-tables"]["texts"] == ""
    assert rows["tiny-tables"]["note"] == "no licence text in the wheel"
    assert rows["kofinlaw"]["note"] == "built here from its source"
    assert rows["pico/pico-llama"]["kind"] == "model"
    assert "licence not known" in rows["pico/pico-llama"]["note"]
    assert rows["docs"]["licence"] == "Apache-2.0"


def test_the_same_run_gives_the_same_bundle(asking_run, shelf, installed, offline_pip, tmp_path):
    outs = [tmp_path / "one", tmp_path / "two"]
    figures = [
        write_bundle(reopen(asking_run), out, WANTED, environment=installed(shelf)) for out in outs
    ]
    different = [
        name
        for name in sorted(files_of(outs[0]))
        if (outs[0] / name).read_bytes() != (outs[1] / name).read_bytes()
    ]
    # Zip archives of kofinlaw's own wheel hold the time of its build.
    own = "wheels/kofinlaw-0.1.0-py3-none-any.whl"
    follows = {"SHA256SUMS", "SHA256SUMS.sha256", "sbom.cdx.json", "wheels/requirements.txt"}
    assert set(different) <= {own, *follows}
    assert figures[0].without_text == ("tiny-tables",)
    assert figures[0].built == ()


def test_an_existing_folder_is_never_overwritten(asking_run, shelf, installed, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match="overwrites nothing"):
        write_bundle(reopen(asking_run), out, WANTED, environment=installed(shelf))
    assert list(tmp_path.iterdir()) == [out]


def test_a_wheel_that_pip_cannot_get_leaves_nothing(
    asking_run, shelf, installed, offline_pip, tmp_path
):
    wanted = Wanted("3.11", WANTED.platform, use={"tiny-tables": "1.7"})
    with pytest.raises(UserError, match=r"tiny-tables==1\.7"):
        write_bundle(reopen(asking_run), tmp_path / "out", wanted, environment=installed(shelf))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(
    asking_run, shelf, installed, offline_pip, tmp_path, small_files
):
    with small_files(200_000), pytest.raises(UserError) as error:
        write_bundle(reopen(asking_run), tmp_path / "out", WANTED, environment=installed(shelf))
    assert "full" in str(error.value) or "large" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_bundle_is_not_there_and_the_next_one_cleans_up(
    asking_run, shelf, installed, offline_pip, tmp_path
):
    """The process kills itself in the middle of the copy, as the system would."""
    code = f"""
import importlib.util, os, pathlib, signal, sys
sys.path.insert(0, {str(tmp_path)!r})
spec = importlib.util.spec_from_file_location("small", {__file__.replace("test_write", "conftest")!r})
small = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small)
def progress(phase, done, total=None, **info):
    if phase == "files of the run" and done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
shelf = pathlib.Path({str(shelf)!r})
small.write_bundle(
    small.reopen(pathlib.Path({str(asking_run)!r})), pathlib.Path({str(tmp_path / "out")!r}),
    small.Wanted("3.11", {WANTED.platform!r}), progress, small.installed(shelf),
)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    partial = partial_folder(tmp_path / "out")
    assert partial.is_dir()
    assert not (tmp_path / "out").exists()
    assert not (partial / "SHA256SUMS").exists()
    (partial / "left").write_text("by the killed process", encoding="utf-8")
    write_bundle(reopen(asking_run), tmp_path / "out", WANTED, environment=installed(shelf))
    assert check_files(tmp_path / "out") == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_the_user_at_the_partial_path_is_kept(
    asking_run, shelf, installed, offline_pip, tmp_path
):
    partial = partial_folder(tmp_path / "out")
    partial.mkdir()
    (partial / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="before it is complete"):
        write_bundle(reopen(asking_run), tmp_path / "out", WANTED, environment=installed(shelf))
    assert [path.name for path in partial.iterdir()] == ["mine.txt"]


def test_the_plan_says_what_is_missing_and_writes_nothing(asking_run, shelf, installed, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(asking_run, run)
    shutil.rmtree(run / "index")
    wanted = Wanted("3.11", WANTED.platform, ("train",))
    plan = make_plan(reopen(run), tmp_path / "out", wanted, environment=installed(shelf))
    assert len(plan.problems) == 2
    assert "no finished stage index" in plan.problems[0]
    assert plan.problems[1] == "kofinlaw has no extra 'train'"
    assert plan.to_record()["ok"] is False
    assert [line for line in plan.lines() if line.startswith("MISSING")]
    with pytest.raises(UserError, match="no finished stage index"):
        write_bundle(reopen(run), tmp_path / "out", wanted, environment=installed(shelf))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_too_small_a_disk_is_a_problem_of_the_plan(
    asking_run, shelf, installed, monkeypatch, tmp_path
):
    from kofinlaw.recipes.bundling import plan as module

    class Usage:
        free = 10

    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: Usage)
    plan = make_plan(reopen(asking_run), tmp_path / "out", WANTED, environment=installed(shelf))
    assert len(plan.problems) == 1
    assert "0.0 GiB free" in plan.problems[0]


def test_without_a_platform_the_oldest_one_that_fits_the_installed_wheels_is_taken(
    asking_run, tmp_path, write_wheel, installed
):
    shelf = tmp_path / "wheels"
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "pyproject.toml").write_text(
        '[project]\nname = "kofinlaw"\nversion = "0.1.0"\ndependencies = ["fast", "torch"]\n'
    )
    write_wheel(shelf, "torch", "2.13.0+cpu", tag="cp311-cp311-manylinux_2_17_x86_64")
    write_wheel(shelf, "fast", "1", tag="cp311-cp311-manylinux_2_31_x86_64")
    run = reopen(asking_run)
    plan = make_plan(run, tmp_path / "out", Wanted("3.11"), environment=installed(shelf))
    assert plan.target.glibc == 31
    assert any("torch 2.13.0+cpu, which uses no card" in line for line in plan.lines())
    named = make_plan(run, tmp_path / "out", WANTED, environment=installed(shelf))
    assert any("fast 1: the wheel that is installed here needs glibc 2.31" in line
               for line in named.lines())  # fmt: skip
