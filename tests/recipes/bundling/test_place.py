"""Where a bundle cannot be written: said before any work."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.bundling.place import require_place
from kofinlaw.recipes.pipeline.lock import run_lock
from kofinlaw.recipes.pipeline.run import reopen


@pytest.fixture
def run(asking_run, tmp_path):
    shutil.copytree(asking_run, tmp_path / "runs" / "asking")
    return reopen(tmp_path / "runs" / "asking")


def test_a_new_folder_is_a_place_and_nothing_is_written(run, tmp_path):
    require_place(tmp_path / "새 폴더" / "번들 1", run)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize("inner", ["out", "index/out", "data/deep/out"])
def test_the_run_itself_is_no_place(run, inner, tmp_path):
    """A stage's folder is copied as a whole: the next bundle would hold the first one."""
    with pytest.raises(UserError, match="which it is made from"):
        require_place(run.folder / inner, run)
    (tmp_path / "link").symlink_to(run.folder)
    with pytest.raises(UserError, match="which it is made from"):
        require_place(tmp_path / "link" / inner, run)


def test_documents_and_weights_are_no_places(run, pico, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(pico / "model", model)
    settings = run.recipe.model.model_copy(update={"path": model})
    local = dataclasses.replace(run, recipe=run.recipe.model_copy(update={"model": settings}))
    for folder in (model, pico / "docs"):
        with pytest.raises(UserError, match="which it is made from"):
            require_place(folder / "out", local)


@pytest.mark.parametrize("name", ["a" * 300, "a" * 250])
def test_a_name_that_no_folder_can_have_is_named(name, tmp_path):
    """250 letters fit, but not with the ending of the unfinished bundle."""
    with pytest.raises(UserError, match="no folder can be made"):
        require_place(tmp_path / name)


def test_a_name_that_is_no_text_is_refused_before_pip_breaks_on_it(tmp_path):
    with pytest.raises(UserError, match="UTF-8"):
        require_place(tmp_path / os.fsdecode(b"caf\xe9"))


def test_a_file_in_place_of_a_parent_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="file is a file") as error:
        require_place(tmp_path / "file" / "out")
    assert error.value.where.endswith("file/out")


def test_the_lock_of_a_command_names_its_own_option(tmp_path: Path):
    with run_lock(tmp_path, print), pytest.raises(UserError) as error:  # noqa: SIM117
        with run_lock(tmp_path, print, option="OUT"):
            pass
    assert error.value.remedy == "wait until it ends, or name another folder with OUT"
