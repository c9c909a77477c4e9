"""The page of a measured evaluation set."""

from kofinlaw.scoring.benches.bench_record import BENCH_SCHEMA, bench_markdown
from kofinlaw.scoring.benches.gold_groups import group_difference, group_figures
from kofinlaw.scoring.settings import ScoreSettings

SETTINGS = ScoreSettings(bootstrap_samples=100)


def test_the_page_shows_licence_hash_and_both_searches():
    gold = {"q": [["a"], ["b"]], "r": [["c"]]}
    good = {"q": [("a",), ("b",)], "r": [("c",)]}
    plain = {"q": [("a",)], "r": [("x",)]}
    record = {
        "schema": BENCH_SCHEMA,
        "set": "autorag",
        "title": "A | B",
        "reader": 1,
        "license": "MIT",
        "schema_from": "the documentation",
        "kind": "free",
        "questions": 2,
        "sample": 2,
        "files": [{"path": "x/qa.parquet", "sha256": "ab" * 32, "form": "qa", "questions": 2}],
        "corpus": None,
        "near_copies": 0,
        "notes": ["one <note>"],
        "exams": None,
        "scores": None,
        "free_pairs": [
            {
                **{"a": "base", "b": "base-gold", "score": "facts", "n": 2},
                **{"difference": 0.25, "low": 0.0, "high": 0.5, "p_value": 0.5},
            }
        ],
        "retrieval": {
            "passages": 3,
            "absent": 1,
            "systems": {
                "recipe": group_figures(gold, good, SETTINGS),
                "bigrams alone": group_figures(gold, plain, SETTINGS),
            },
            "differences": [
                group_difference(gold, ("bigrams alone", "recipe"), (plain, good), SETTINGS)
            ],
        },
    }
    page = bench_markdown(record)
    assert page.startswith("# A \\| B\n\n- licence: MIT\n")
    assert f"qa.parquet: qa, 2 rows, SHA-256 {'ab' * 32}" in page
    assert "a fixed sample of 2 questions" in page
    assert "| recipe | 2 | 100.0/100.0/100.0/100.0 | 50.0/100.0/100.0/100.0 |" in page
    assert "bigrams alone → recipe, recall@5: +75.0 points" in page
    assert "| base → base-gold | facts | 2 | +25.0 [+0.0, +50.0] | 0.500 |" in page
    assert "1 gold passages are not in the corpus" in page
