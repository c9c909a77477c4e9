from kofinlaw.augment.shortcuts import shortcut_figures


def test_the_longest_option_is_compared_with_chance_and_ties_are_shared():
    rows = [(["가", "나나", "다다", "라"], 1), (["가", "나", "다", "라"], 0)]
    figures = shortcut_figures(rows)
    assert (figures["uniform"], figures["longest"]) == (0.25, 0.375)
    assert figures["longest_gain"] == 12.5
    assert figures["positions"] == {"1": 1, "2": 1}
