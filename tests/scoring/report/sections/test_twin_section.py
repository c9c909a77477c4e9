"""The section of twins: models, chance, then solvers."""

from kofinlaw.scoring.report.sections.twin_section import twins_context


def test_chance_and_solvers_have_one_figure():
    model = {"both": 0.5, "each": 0.75, "unmoved": 0.5}
    record = {"pairs": 2, "chance": 0.1, "models": {"base": model}, "solvers": {"look_up": 1.0}}
    found = twins_context(record)
    assert found["pairs"] == 2
    assert [(row["both"], row["model"]) for row in found["rows"]] == [
        (0.5, model),
        (0.1, None),
        (1.0, None),
    ]
    assert found["rows"][1]["label"] == ("우연", "chance")


def test_without_twins_there_is_no_section():
    assert twins_context(None) is None
