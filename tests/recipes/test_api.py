"""Runs from Python: what is refused, and with which error."""

import pytest

import kofinlaw


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
