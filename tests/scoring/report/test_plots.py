"""Small functions of the plots."""

import re
from itertools import pairwise

from kofinlaw.scoring.report.plot_canvas import WIDTH
from kofinlaw.scoring.report.plots import Row, bins, latency_plot, running_mean, score_plot, spaced


def test_small_functions_of_the_plots():
    assert running_mean([1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]
    assert running_mean([float(v) for v in range(40)])[20] == 20.0
    assert spaced([1.0, 1.1, 5.0], 0.5) == [1.0, 1.5, 5.0]
    edges, counts = bins([1, 1, 2, 9, 30])
    assert sum(counts) == 5
    assert len(edges) == len(counts) + 1


def test_plots_have_no_colour_of_their_own():
    rows = [
        Row("학습 모델", 0.5, 0.4, 0.6, "trained-rag"),
        Row("기준선", 0.6, 0.5, 0.7, "overlap", trivial=True, best=True),
    ]
    drawn = score_plot(rows, "s")
    drawn += latency_plot(
        {"base": [1.0, 2.0], "new": [1.0, 2.1]}, {"base": "기본", "new": "새"}, "l",
        x_label="x", y_label="y ({unit})", budget=3.0, budget_label="제한", changes={"base": [1]},
    )  # fmt: skip
    assert re.findall(r"#[0-9a-fA-F]{6}\b", drawn) == []
    assert "var(--s-blue)" in drawn


def test_labels_of_line_ends_are_right_of_the_axes_and_apart():
    drawn = latency_plot(
        {"a": [5.0], "b": [5.1], "c": [5.2]}, {"a": "가", "b": "나", "c": "다"}, "l",
        x_label="x", y_label="y", budget=None, budget_label="", changes={},
    )  # fmt: skip
    found = [
        re.search(rf'<text style="[^"]*" transform="translate\(([\d.]+) ([\d.]+)\)">{name}</text>|'
                  rf'<text style="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>{name}</text>', drawn)
        for name in "가나다"
    ]  # fmt: skip
    places = [[float(v) for v in match.groups() if v] for match in found]
    drawn_at = (float(x) for x in re.findall(r"L ([\d.]+) [\d.]+", drawn))
    right = max(x for x in drawn_at if x < 72 * WIDTH - 1)  # without the frame of the drawing
    assert all(x > right for x, _ in places)
    heights = sorted(y for _, y in places)
    assert min(b - a for a, b in pairwise(heights)) > 8
