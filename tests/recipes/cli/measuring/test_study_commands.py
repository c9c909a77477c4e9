"""What the command `sweep` prints."""

import shlex

from kofinlaw.recipes.cli.measuring.study_commands import compare_hint


def test_the_hint_compares_the_points_that_have_scores(tmp_path):
    runs = [tmp_path / name for name in ("rank=2", "rank=4", "금융 법")]
    for run in (runs[0], runs[2]):
        (run / "score").mkdir(parents=True)
        (run / "score" / "scores.json").write_text("{}", encoding="utf-8")
    assert compare_hint(runs[:2]) == []
    (hint,) = compare_hint(runs)
    assert shlex.split(hint)[:4] == ["kofinlaw", "compare", str(runs[0]), str(runs[2])]
