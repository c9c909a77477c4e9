"""The table of twins: a row for chance, each model and each solver."""

from kofinlaw.scoring.twins.twin_table import twin_lines


def test_models_have_three_figures_and_solvers_one():
    model = {"both": 0.5, "each": 0.75, "unmoved": 0.5}
    record = {"pairs": 2, "chance": 1 / 16, "models": {"base": model}, "solvers": {"look_up": 1.0}}
    assert twin_lines(record)[-3:] == [
        "| chance | 6.2 | – | – |",
        "| base | 50.0 | 75.0 | 50.0 |",
        "| *look_up* | 100.0 | – | – |",
    ]
    assert twin_lines(None) == []
