"""Retrieval scores against groups of gold passages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.scoring.benches.gold_groups import group_difference, group_figures
from kofinlaw.scoring.metrics.retrieval_scores import retrieval_scores
from kofinlaw.scoring.settings import ScoreSettings

SETTINGS = ScoreSettings(bootstrap_samples=100)


def ranked(*ids):
    return [(one,) for one in ids]


def test_one_passage_of_each_group_is_enough():
    gold = {"q": [["a"], ["b", "c"]], "none": []}
    found = {"q": ranked("x", "c", "b", "y", "z", "a")}
    figures = group_figures(gold, found, SETTINGS)
    assert figures["n"] == 1
    assert [figures["hit"][k]["value"] for k in ("1", "3", "5", "10")] == [0, 1, 1, 1]
    assert [figures["recall"][k]["value"] for k in ("1", "3", "5", "10")] == [0, 0.5, 0.5, 1]
    assert [figures["every"][k]["value"] for k in ("3", "10")] == [0, 1]
    assert figures["mrr"] == 0.5


def test_a_chunk_of_two_pages_finds_both():
    figures = group_figures({"q": [["p1"], ["p2"]]}, {"q": [("p1", "p2")]}, SETTINGS)
    assert figures["recall"]["1"]["value"] == 1
    assert figures["ndcg"] == 1.0


def test_nothing_found_is_a_miss_and_no_gold_is_an_error():
    assert group_figures({"q": [["a"]]}, {}, SETTINGS)["hit"]["10"]["value"] == 0
    with pytest.raises(ValueError, match="no question"):
        group_figures({"q": []}, {}, SETTINGS)


def test_two_searches_are_compared_on_the_same_questions():
    gold = {f"q{n}": [["a"]] for n in range(8)}
    nothing = {name: ranked("b") for name in gold}
    all_of_them = {name: ranked("a") for name in gold}
    found = group_difference(gold, ("old", "new"), (nothing, all_of_them), SETTINGS)
    assert (found["difference"], found["n"], found["a"]) == (1.0, 8, "old")
    assert found["p_value"] == pytest.approx(2 / 2**8)


@given(
    st.dictionaries(
        st.sampled_from("qrstu"),
        st.tuples(
            st.lists(st.sampled_from("abcd"), min_size=1, unique=True),
            st.lists(st.sampled_from("abcdefgh"), unique=True),
        ),
        min_size=1,
    )
)
def test_single_passages_score_as_articles_do(cases):
    gold = {name: units for name, (units, _) in cases.items()}
    evidence = {name: found for name, (_, found) in cases.items()}
    known = retrieval_scores(gold, evidence, {unit: unit for unit in "abcdefgh"})
    figures = group_figures(
        {name: [[unit] for unit in units] for name, units in gold.items()},
        {name: ranked(*found) for name, found in evidence.items()},
        ScoreSettings(bootstrap_samples=100),
    )
    if known is None:  # nothing was found at all
        assert figures["hit"]["10"]["value"] == 0
        return
    assert figures["hit"]["1"]["value"] == pytest.approx(known.hit_1)
    assert figures["hit"]["5"]["value"] == pytest.approx(known.hit_5)
    assert figures["recall"]["3"]["value"] == pytest.approx(known.recall_3)
    assert figures["ndcg"] == pytest.approx(known.ndcg_10)
