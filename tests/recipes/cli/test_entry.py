"""The entry point: errors, exit codes and the log of a crash."""


def test_a_misspelt_recipe_is_one_error_without_a_traceback(command):
    code, _, err = command("plan", "quickstrt")
    assert code == 1
    assert err.startswith("error: quickstrt: no such recipe")
    assert "did you mean quickstart" in err


def test_a_fault_of_kofinlaw_shows_a_traceback_and_names_the_log(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kofinlaw.recipes.pipeline.schema.resolved_yaml", lambda recipe: 1 / 0)
    monkeypatch.setattr("kofinlaw.models.listing.listing_rows", lambda *given: 1 / 0)
    code, _, err = command("models")
    assert code == 70
    assert "ZeroDivisionError" in err
    assert "kofinlaw-error.log" in err
    assert "ZeroDivisionError" in (tmp_path / "kofinlaw-error.log").read_text()
