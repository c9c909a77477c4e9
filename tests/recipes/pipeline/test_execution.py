"""Running a recipe's stages: names of stages, and what is written before the first of them."""

import pytest
from counts import Counts

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.execution import execute_stages, stages_until
from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe


@pytest.fixture
def run(tmp_path):
    return bind(*load_recipe("quickstart"), tmp_path / "runs", cache=tmp_path / "cache")


def test_the_stages_up_to_one_are_named_in_order(run):
    assert stages_until(run, "train", "--until") == [
        "data",
        "index",
        "augment",
        "questions",
        "train",
    ]


def test_an_unknown_stage_is_refused_with_the_known_ones(run):
    with pytest.raises(UserError, match="this recipe has no stage `trian`") as caught:
        stages_until(run, "trian", "--until")
    assert caught.value.where == "--until"
    assert "train, merge, verify" in caught.value.remedy


def test_the_recipe_and_its_compliance_are_written_with_the_stages(run):
    printed = []
    stage = Stage("data", lambda out, progress: Counts(records=1))
    (outcome,) = execute_stages(run, stages=[stage], only=["data"], say=printed.append)
    assert outcome.how == "ran"
    assert printed == ["data: working"]
    assert (run.folder / "recipe.yaml").is_file()
    assert (run.folder / "compliance.json").is_file()


def test_a_recipe_that_the_policy_refuses_writes_nothing(tmp_path):
    loaded = load_recipe("quickstart", ["policy=contest-2025"])
    run = bind(*loaded, tmp_path / "runs", cache=tmp_path / "cache")
    with pytest.raises(UserError, match="the policy refuses this run"):
        execute_stages(run)
    assert not run.folder.exists()
