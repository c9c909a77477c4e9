from kofinlaw.scoring.report.study_page import columns_of, study_markdown


def figure(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 100}


def cell(system, choice, free, p50, tokens):
    return {
        "system": system, "choice": figure(choice), "free": figure(free), "hit_3": None,
        "in_context": None, "text": dict.fromkeys(("bleu", "meteor_exact", "rouge1", "rougeL"), 0.2),
        "judged": {"correctness": {"figure": figure(choice)}}, "tokens": tokens, "p50": p50, "p95": 2 * p50,
    }  # fmt: skip


CELLS = [
    cell("base", 0.30, 0.50, 0.4, 200),
    cell("base-dense", 0.55, 0.52, 1.0, 700),
    cell("base-full", 0.58, 0.60, 2.5, 1500),
]


def test_the_page_has_a_line_a_cell_and_dashes_where_there_is_no_figure():
    result = {
        "name": "proof", "cells": CELLS, "counts": {"choice": 100, "free": 10}, "judge": None,
        "conclusions": [{"goal": "choice", "ko": "가", "en": "a"}],
    }  # fmt: skip
    rows = [line for line in study_markdown(result).splitlines() if line.startswith("| base")]
    assert len(rows) == 3
    assert rows[0].split(" | ")[1:3] == ["30.0", "50.0"]
    names = [name for name, _, _ in columns_of(CELLS)]
    assert rows[0].strip("| ").split(" | ")[1 + names.index("hit@3")] == "–"
    assert "judged correctness" in names
