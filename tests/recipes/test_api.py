"""Runs from Python: what is refused, with which error, and what threads and copies share."""

import copy
import os
import pickle
import threading
import time

import pytest

import kofinlaw
from kofinlaw import UserError, open_run
from kofinlaw.rag.answer import single_question
from kofinlaw.rag.answer.single_question import AskedAnswer
from kofinlaw.recipes import api


@pytest.mark.parametrize("name", ["empty", "missing", "file.txt"])
def test_what_is_not_a_run_is_not_opened(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("text", encoding="utf-8")
    with pytest.raises(kofinlaw.UserError, match=r"not a run: it has no recipe\.yaml") as refused:
        kofinlaw.open_run(tmp_path / name)
    assert name in str(refused.value)


def test_without_any_run_the_newest_one_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kofinlaw.UserError, match="there is no run yet"):
        kofinlaw.open_run()


def test_the_newest_run_with_an_index_is_taken_first(tmp_path):
    for age, name in enumerate(("started", "indexed", "older")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").touch()
        os.utime(tmp_path / name / "recipe.yaml", (100 - age, 100 - age))
    assert api.newest_run(tmp_path).name == "started"
    for name in ("indexed", "older"):
        (tmp_path / name / "index").mkdir()
    assert api.newest_run(tmp_path).name == "indexed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overrides": {"train.max_stepz": 3}}, "did you mean `max_steps`"),
        ({"overrides": {"train.max_steps": "x"}}, "`train.max_steps`: input should be a valid"),
        ({"resume": "sometimes"}, "unknown resume mode 'sometimes'"),
        ({"until": "nowhere"}, "this recipe has no stage `nowhere`"),
    ],
)
def test_a_wrong_argument_of_a_run_is_refused_before_anything_is_written(
    tmp_path, arguments, message
):
    with pytest.raises(kofinlaw.UserError, match=message):
        kofinlaw.run("quickstart", runs=tmp_path / "runs", **arguments)
    assert not (tmp_path / "runs").exists()


def test_an_unknown_recipe_is_refused_with_the_shipped_ones(tmp_path):
    with pytest.raises(kofinlaw.UserError, match=r"shipped recipes: .*quickstart"):
        kofinlaw.run("no-such-recipe", runs=tmp_path)


@pytest.fixture
def opened(pico, tmp_path):
    text = (pico / "recipe.yaml").read_text(encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    return open_run(str(tmp_path))


@pytest.mark.parametrize(
    "change,reason",
    [
        ("seed: many\n", "seed"),
        ("from_another_version: 1\n", "unknown key `from_another_version`"),
        ("name: [\n", "not valid YAML"),
    ],
)
def test_a_recipe_of_another_version_is_one_clear_error(tmp_path, change, reason):
    (tmp_path / "recipe.yaml").write_text(change, encoding="utf-8")
    with pytest.raises(UserError, match=reason):
        open_run(tmp_path)


def test_threads_share_one_loaded_model(opened, monkeypatch):
    loaded = []

    class Engine:
        def close(self):
            loaded.append("closed")

    def load(run):
        loaded.append("loaded")
        time.sleep(0.05)
        return api._Asking(Engine(), None, None, opened.recipe.answer)

    monkeypatch.setattr(api._Asking, "load", load)
    answer = AskedAnswer("3일", "", 1.0, "model", ())
    monkeypatch.setattr(single_question, "ask_question", lambda *a, **k: answer)
    threads = [threading.Thread(target=opened.ask, args=("기한은?",)) for _ in range(4)]
    threads.append(threading.Thread(target=opened.load))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened.close()
    opened.close()
    assert loaded == ["loaded", "closed"]


def test_a_copy_of_an_open_run_is_a_run(opened):
    opened._asking = threading.Lock()  # a loaded model cannot be copied
    for run in (pickle.loads(pickle.dumps(opened)), copy.copy(opened)):
        assert run.folder == opened.folder
        assert run._asking is None
    opened._asking = None
