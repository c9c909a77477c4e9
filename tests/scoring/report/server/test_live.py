"""A run at work is described by its stage, the time left, its figures and its loss curve."""

from kofinlaw.files import write_json, write_jsonl
from kofinlaw.scoring.report.runs import StageState, run_state
from kofinlaw.scoring.report.server.live import (
    loss_curve,
    minutes_left,
    stage_views,
    time_words,
    without_notices,
)


def test_the_page_of_a_run_at_work_has_words_instead_of_a_log_line(tmp_path):
    folder = tmp_path / "run" / ".train.partial"
    write_json(folder / "stage.json", {"status": "running", "seconds": 60})
    write_json(
        folder / "progress.json",
        {
            "phase": "train", "done": 30, "total": 120,
            "figures": "loss 1.5  tokens_per_second 143.0  budget 1024  minutes_left 3.2  new 7",
        },
    )  # fmt: skip
    write_jsonl(folder / "metrics.jsonl", [{"step": n, "loss": 3.0 - n / 10} for n in range(1, 11)])
    (folder / "log.txt").write_text("2026 WARNING bitsandbytes: no GPU\nreal news\n")
    (view,) = stage_views(run_state(tmp_path / "run"), tmp_path / "run")
    assert view.phase == ("학습하는 중", "training")
    assert view.share == 25.0
    assert view.left == ("", "")  # no process holds the run: it stopped
    assert [name[1] for name, _ in view.figures] == ["loss", "tokens per second", "tokens per pass"]
    assert (view.curve.first, view.curve.last, view.curve.steps) == ("2.900", "2.000", 10)
    assert len(view.curve.points.split()) == 10
    assert view.log == "real news"


def stage(**values):
    return StageState(
        **{
            "name": "answer", "status": "running", "seconds": 60.0, "phase": "answer", "done": 10,
            "total": 30, "figures": "", "log": "", **values,
        }
    )  # fmt: skip


def test_the_time_left_is_the_stages_own_or_by_the_share_done():
    assert minutes_left(stage(), {"minutes_left": "7.5"}) == 7.5
    assert minutes_left(stage(), {}) == 2.0
    assert minutes_left(stage(done=0), {}) is None
    assert minutes_left(stage(total=None), {}) is None
    assert time_words(0.4)[1] == "less than a minute left"
    assert time_words(125)[0] == "약 2시간 5분 남음"


def test_a_curve_needs_two_losses_and_bad_rows_are_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert loss_curve(path) is None
    path.write_text('{"loss": 1.0}\n{"loss": NaN}\n{"lo')
    assert loss_curve(path) is None
    assert without_notices("a\nFutureWarning: b\nc") == "a\nc"
