"""Small functions of the plots."""

from kofinlaw.scoring.report.plots import bins, running_mean, spaced


def test_small_functions_of_the_plots():
    assert running_mean([1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]
    assert running_mean([float(v) for v in range(40)])[20] == 20.0
    assert spaced([1.0, 1.1, 5.0], 0.5) == [1.0, 1.5, 5.0]
    edges, counts = bins([1, 1, 2, 9, 30])
    assert sum(counts) == 5
    assert len(edges) == len(counts) + 1
