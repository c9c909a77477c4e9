"""Trackers: TensorBoard, Weights & Biases and MLflow, all offline."""

import sys
import types

import pytest

from kofinlaw import UserError


def tracker_module(calls, name):
    """A fake module that records its calls, with the interface of the tracker called `name`."""
    module = types.ModuleType(name)
    if name == "wandb":

        class Run:
            def log(self, figures, step):
                calls.append((step, figures))

            def finish(self):
                calls.append("closed")

        def init(**options):
            calls.append(options["mode"])
            return Run()

        module.init = init
        return module
    module.set_tracking_uri = lambda uri: calls.append(uri.split("://")[0])
    module.set_experiment = lambda _: None
    module.start_run = lambda: None
    module.log_params = lambda _: None
    module.log_metrics = lambda figures, step: calls.append((step, figures))
    module.end_run = lambda: calls.append("closed")
    return module


@pytest.mark.parametrize(("name", "place"), [("wandb", "offline"), ("mlflow", "sqlite")])
def test_a_tracker_gets_every_step_and_stays_on_this_machine(short_run, monkeypatch, name, place):
    calls = []
    monkeypatch.setitem(sys.modules, name, tracker_module(calls, name))
    _, lines = short_run("run", report_to=[name])
    assert calls[0] == place
    assert calls[-1] == "closed"
    assert [step for step, _ in calls[1:-1]] == [1, 2]
    assert calls[1][1]["loss"] == lines[0]["loss"]


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_a_missing_tracker_is_one_line_that_names_the_extra(monkeypatch, name, tmp_path):
    from kofinlaw.trainer.tracking import open_trackers

    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=f"{name} is not installed") as caught:
        open_trackers([name], tmp_path, settings={}, resumed_at=0)
    assert "kofinlaw[track]" in caught.value.remedy


def test_a_missing_tracker_is_told_before_anything_is_read_or_loaded(
    short_run, monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match="mlflow is not installed"):
        short_run("run", report_to=["mlflow"])
    assert not (tmp_path / "run").exists()


def test_tensorboard_writes_its_events_into_the_run(short_run, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    short_run("run", report_to=["tensorboard"])
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))
