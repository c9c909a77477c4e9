"""Trivial baselines: shared ties, the shown text, the better overlap."""

import pytest

from kofinlaw.records import Answer, Chunk, Key, Question
from kofinlaw.scoring.answers import answer_sheet
from kofinlaw.scoring.stats.baselines import (
    Evidence,
    choice_baselines,
    distinct_evidence,
    majority_digit,
)

CHOICE = [Question(f"q{i}", "다음 중 옳은 것은?", ("가", "나", "다", "라")) for i in range(1, 5)]
OPTIONS = ("사고를 금융위원회에 보고한다", "과태료를 면제받는다", "점포를 폐쇄한다")
SHOWN = "은행은 사고를 금융위원회에 보고하여야 하며 점포를 폐쇄한 때에는 이용자에게 알린다."


def keys(*labels):
    return {f"q{i}": Key(f"q{i}", label) for i, label in enumerate(labels, 1)}


def baselines(questions, key, evidence, settings):
    found = choice_baselines(questions, key, evidence, settings=settings, seed=0)
    return {one.name: one for one in found}


def test_baselines_without_evidence(settings):
    assert majority_digit(CHOICE, keys("2", "2", "4", "1")) == "2"
    found = baselines(CHOICE, keys("2", "2", "4", "1"), [], settings)
    assert set(found) == {"majority", "longest", "uniform", "stem_overlap"}
    assert found["majority"].figure.value == 0.5
    assert found["uniform"].figure.value == found["longest"].figure.value == 0.25
    assert found["longest"].tied == 4
    assert choice_baselines([Question("f", "설명하시오.")], {}, [], settings=settings, seed=0) == []


def test_ties_share_the_credit_and_a_hash_breaks_them_for_the_test(settings):
    questions = [
        Question(f"q{i}", "?", ("짧다", "가장 긴 보기다", "가장 긴 보기가")) for i in range(200)
    ]
    key = {q.id: Key(q.id, "2") for q in questions}
    longest = baselines(questions, key, [], settings)["longest"]
    assert longest.figure.value == 0.5
    assert set(longest.credits.values()) == {0.5}
    assert 70 < sum(longest.right.values()) < 130
    turned = [Question(q.id, q.question, q.options[::-1]) for q in questions]
    assert baselines(turned, key, [], settings)["longest"].right == longest.right


def test_evidence_baselines_turn_round_for_a_negative_stem(settings):
    questions = [Question("q1", "옳은 것은?", OPTIONS), Question("q2", "옳지 않은 것은?", OPTIONS)]
    evidence = [Evidence(("rag",), "shown", {"q1": (SHOWN,), "q2": (SHOWN,)})]
    found = baselines(questions, keys("1", "2"), evidence, settings)
    assert found["overlap"].credits["q2"] == 1
    assert found["look_up"].credits["q2"] == 1
    assert (found["overlap"].basis, found["overlap"].systems) == ("shown", ("rag",))
    nothing = [Evidence(("rag",), "shown", {"q1": (), "q2": (SHOWN,)})]
    assert baselines(questions, keys("1", "2"), nothing, settings)["overlap"].credits["q1"] == 1 / 3


@pytest.mark.parametrize(
    ("options", "shown", "method"),
    [
        # Only the particle differs: the content morphemes are equal.
        (("지점장이 한다", "지점장을 한다"), "지점장이 결정한다", "bigrams"),
        # The wrong option shares endings with the text, the right one its noun.
        (("보고하였다", "알렸다고"), "보고함. 걸렸다고 한다", "morphemes"),
    ],
)
def test_overlap_is_the_better_of_both_and_names_it(options, shown, method, settings):
    questions = [Question("q1", "옳은 것은?", options)]
    found = baselines(questions, keys("1"), [Evidence(("a",), "shown", {"q1": (shown,)})], settings)
    assert found["overlap"].method == method
    assert found["overlap"].figure.value == 1
    assert found["overlap"].other.value < 1


def chunk(name, text):
    return Chunk(name, name, name, "rule", "", name, text, "", "", "", "")


def sheet(**evidence):
    return answer_sheet(Answer(name, "1", tuple(ids), 0.5, 1) for name, ids in evidence.items())


def test_evidence_is_the_recorded_text_and_else_the_whole_passages():
    questions = CHOICE[:2]
    passages = {"a": chunk("a", "전체 갑"), "b": chunk("b", "전체 을")}
    sheets = {
        "base": sheet(q1=(), q2=()),
        "old": sheet(q1=["a"], q2=["b", "missing"]),
        "base-rag": sheet(q1=["a"], q2=["b"]),
        "trained-rag": sheet(q1=["a"], q2=["b"]),
        "cut-rag": sheet(q1=["a"], q2=["b"]),
    }
    texts = {
        "base": {"q1": (), "q2": ()},
        "base-rag": {"q1": ("갑",), "q2": ("을",)},
        "trained-rag": {"q1": ("갑",), "q2": ("을",)},
        "cut-rag": {"q1": ("갑",)},
    }
    found = distinct_evidence(questions, sheets, texts, passages)
    assert [(e.systems, e.basis) for e in found] == [
        (("old",), "passages"),
        (("base-rag", "trained-rag"), "shown"),
        (("cut-rag",), "shown"),
    ]
    assert found[0].texts == {"q1": ("전체 갑",), "q2": ("전체 을",)}
    assert found[1].texts == {"q1": ("갑",), "q2": ("을",)}
    assert found[2].texts == {"q1": ("갑",), "q2": ()}


def test_different_evidence_gives_baselines_by_system(settings):
    evidence = [
        Evidence(("a", "b"), "shown", {"q1": ("가",)}),
        Evidence(("c",), "shown", {"q1": ("나",)}),
    ]
    found = baselines(CHOICE[:1], keys("1"), evidence, settings)
    assert {n for n in found if ":" in n} == {"overlap:a", "look_up:a", "overlap:c", "look_up:c"}
    assert found["look_up:a"].figure.value == 1
    assert found["look_up:c"].figure.value == 0
    assert found["look_up:a"].systems == ("a", "b")
