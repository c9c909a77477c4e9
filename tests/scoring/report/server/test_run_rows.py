"""The list's summary of a run: model, state, scores of the main system."""

import json
import shutil

from kofinlaw.files import write_json
from kofinlaw.scoring.report.server.run_rows import run_row


def test_a_scored_run_has_its_model_and_scores(run_folder, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    (run / "recipe.yaml").write_text("model: {id: a/b}\ndescription: our bank\n")
    row = run_row(run)
    scores = json.loads((run / "score/scores.json").read_text())
    assert row.model == "a/b"
    assert row.description == ("our bank", "our bank")
    assert row.choice == scores["systems"]["trained-rag"]["choice"]
    assert row.comparable
    assert row.state == "started"  # no report was written
    (run / "report").mkdir()
    (run / "report" / "report.html").write_text("x")
    assert run_row(run).state == "complete"
    write_json(run / "score" / "scores.json", {"schema": "kofinlaw.scores/0"})
    assert run_row(run).state == "outdated"
    assert not run_row(run).comparable
    (run / "score" / "scores.json").unlink()
    assert run_row(run).state == "unproven"


def test_broken_records_leave_out_what_they_hold(tmp_path):
    run = tmp_path / "run"
    write_json(run / ".merge.partial" / "stage.json", {"status": "failed"})
    (run / "recipe.yaml").write_text("model: [")
    row = run_row(run)
    assert (row.state, row.model, row.choice, row.stages) == ("failed", "", None, 0)
