"""Paired tests over free-text answers."""

import pytest

from kofinlaw.scoring.benches.free_pairs import free_pairs
from kofinlaw.scoring.settings import ScoreSettings

SETTINGS = ScoreSettings(bootstrap_samples=100)


def item(system, number, score, facts, kind="free"):
    return {"system": system, "id": f"q{number}", "kind": kind, "score": score, "facts": facts}


def test_both_scores_are_compared_on_the_questions_that_have_them():
    items = [item("base", n, 0.5, 0.0 if n else None) for n in range(6)]
    items += [item("base-gold", n, 0.75, 1.0) for n in range(6)]
    items.append(item("base", 9, 1.0, None, kind="choice"))
    found = free_pairs(items, [("base", "base-gold"), ("base", "absent")], SETTINGS)
    assert [(one["score"], one["n"], one["difference"]) for one in found] == [
        ("free", 6, 0.25), ("facts", 5, 1.0),
    ]  # fmt: skip
    assert found[0]["p_value"] == pytest.approx(2 / 2**6)


def test_without_an_embedder_only_facts_are_compared():
    items = [item(name, n, None, 0.5) for name in ("a", "b") for n in range(3)]
    assert [one["score"] for one in free_pairs(items, [("a", "b")], SETTINGS)] == ["facts"]
