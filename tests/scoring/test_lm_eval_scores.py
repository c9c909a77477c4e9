"""Results of lm-evaluation-harness as scores, and the errors if something is missing."""

import json
import os
import sys

import pytest

from kofinlaw import UserError
from kofinlaw.scoring.compare import read_run
from kofinlaw.scoring.lm_eval_scores import run_lm_eval, write_results

# The form of lm-eval 0.4's simple_evaluate.
RESULT = {
    "results": {
        "kobest_copa": {"alias": "kobest_copa", "acc,none": 0.6, "acc_stderr,none": 0.05, "f1,none": 0.59},
        "kobest": {"alias": "kobest"},
        "haerae_general_knowledge": {"acc_norm,none": 1.0, "acc_norm_stderr,none": "N/A"},
    },
    "versions": {"kobest_copa": 1.0, "haerae_general_knowledge": 1.1},
    "n-samples": {"kobest_copa": {"original": 1000, "effective": 100}},
    "samples": {
        "kobest_copa": [
            {"doc_id": 0, "target": "1", "filtered_resps": [[-2.5, False], [-1.0, True]], "acc": 1.0},
            {"doc_id": 7, "target": "0", "filtered_resps": [[-3.5, False], [-1.5, True]], "acc": 0.0},
        ]
    },
}  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def test_a_result_is_written_in_the_schema_every_other_score_has(tmp_path, checkpoint):
    out = tmp_path / "out"
    assert write_results(RESULT, checkpoint, out, seed=3) == {
        "kobest_copa": 0.6,
        "haerae_general_knowledge": 1.0,
    }
    result, items = read_run(out)
    figure = result["systems"]["kobest_copa"]["choice"]
    assert figure == {
        "value": 0.6,
        "low": pytest.approx(0.502, abs=1e-3),
        "high": pytest.approx(0.698, abs=1e-3),
        "n": 100,
    }
    assert result["tasks"]["lm-eval:kobest_copa"] == 1.0
    assert result["systems"]["haerae_general_knowledge"]["choice"]["low"] == 1.0
    assert list(result["sha256"]) == ["model:config.json"]
    assert [(item.id, item.gold, item.score) for item in items["kobest_copa"]] == [
        ("kobest_copa:0", "1", 1.0),
        ("kobest_copa:7", "0", 0.0),
    ]
    assert "kobest_copa | 60.0 [50.2, 69.8]" in (out / "scores.md").read_text()
    assert (
        json.loads((out / "lm-eval.json").read_text())["results"]["kobest_copa"]["f1,none"] == 0.59
    )


def test_a_missing_extra_a_missing_checkpoint_and_an_empty_result_are_named(
    tmp_path, checkpoint, monkeypatch
):
    with pytest.raises(UserError, match="not a checkpoint"):
        run_lm_eval(tmp_path / "none", ["kobest_copa"], tmp_path)
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(UserError, match=r"kofinlaw\[lm-eval\]"):
        run_lm_eval(checkpoint, ["kobest_copa"], tmp_path)
    with pytest.raises(UserError, match="reported none of acc"):
        write_results({"results": {"kobest": {"alias": "kobest"}}}, checkpoint, tmp_path)


class Harness:
    """A fake of the package: it knows one task and has no data set on this machine."""

    class TaskManager:
        all_tasks = ("kobest_copa",)

    def simple_evaluate(self, **given):
        self.given = given
        raise ConnectionError("offline")


def test_unknown_tasks_and_data_that_is_not_here_are_named(tmp_path, checkpoint, monkeypatch):
    harness = Harness()
    monkeypatch.setitem(sys.modules, "lm_eval", harness)
    monkeypatch.setitem(sys.modules, "lm_eval.tasks", Harness)
    with pytest.raises(UserError, match="no task kobst"):
        run_lm_eval(checkpoint, ["kobst"], tmp_path)
    with pytest.raises(UserError, match="cannot be read: offline") as caught:
        run_lm_eval(checkpoint, ["kobest_copa"], tmp_path, limit=5)
    assert "--online" in caught.value.remedy
    assert harness.given["limit"] == 5
    assert harness.given["model_args"]["trust_remote_code"] is False


@pytest.mark.parametrize("online", [False, True])
def test_score_fetches_data_sets_only_where_it_is_asked_to(
    tmp_path, checkpoint, monkeypatch, capsys, online
):
    from kofinlaw.offline import ONLY_OFFLINE
    from kofinlaw.recipes.cli import entry as cli

    monkeypatch.setitem(sys.modules, "lm_eval", Harness())
    monkeypatch.setitem(sys.modules, "lm_eval.tasks", Harness)
    for name in ONLY_OFFLINE:
        monkeypatch.setenv(name, "")  # restored afterwards, even if the command sets it
    command = ["kofinlaw", "score", str(checkpoint), "--lm-eval", "kobest_copa"]
    command += ["--out", str(tmp_path / "out"), *(["--online"] if online else [])]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit):
        cli.main()
    assert "cannot be read" in capsys.readouterr().err
    assert os.environ["HF_DATASETS_OFFLINE"] == ("" if online else "1")
