"""The section on forced evidence: a row and a plot for each kind of evidence and question."""

from kofinlaw.scoring.report.sections.abstention_section import abstention_context


def curve(aurc):
    return {
        "n": 4, "answered": 4, "refused": 0, "risk": 0.5, "aurc": aurc, "optimal": 0.1,
        "confident_wrong": 0.25, "risk_at": [0.0, None], "curve": [(0.5, 0.0), (1.0, 0.5)],
    }  # fmt: skip


def row(evidence, meets):
    systems = {"base": curve(0.25), "trained": curve(None)}
    return {
        "evidence": evidence,
        "part": "choice",
        "systems": systems,
        "difference": None,
        "meets": meets,
    }


def test_a_row_has_its_models_its_verdict_and_a_plot():
    kinds = [("gold", None), ("partial", True), ("none", False)]
    record = {"threshold": 0.9, "coverages": [0.5, 1.0], "rows": [row(*kind) for kind in kinds]}
    found = abstention_context(record)
    assert "confidence 0.9 or more" in found["note"][1]
    assert [words[1] for words in found["at"]] == ["Risk at 50%", "Risk at 100%"]
    assert [one["verdict"] for one in found["rows"]] == [
        None,
        ("충족", "meets"),
        ("미충족", "does not meet"),
    ]
    assert [one["last"] for one in found["rows"][0]["systems"]] == [False, True]
    assert found["plots"][0]["title"][1] == "gold evidence, multiple choice"
    assert "AURC 25.0%, n 4" in found["plots"][0]["words"][1]
    assert all("<svg" in plot["ko"] and "<svg" in plot["en"] for plot in found["plots"])


def test_without_forced_answers_there_is_no_section():
    assert abstention_context(None) is None
    assert abstention_context({"threshold": 0.9, "coverages": [], "rows": []}) is None
