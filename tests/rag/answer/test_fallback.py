"""Answers without the model."""

from __future__ import annotations

from kofinlaw.rag.answer.fallback import (
    fallback_answer,
    overlap_choice,
    overlap_scores,
)
from kofinlaw.records import Question

EVIDENCE = ["금융회사는 접근매체의 위조로 이용자에게 손해가 발생한 경우 배상할 책임을 진다."]


def test_overlap_picks_the_option_the_evidence_holds() -> None:
    options = ["이용자가 벌금을 납부한다", "금융회사가 손해를 배상한다", "국가가 보조금을 지급한다"]
    assert overlap_choice(options, EVIDENCE) == 1
    # 금융 융회 회사, 손해, 배상: five of the option's nine bigrams are in the evidence.
    assert overlap_scores(options, EVIDENCE)[1] == 5 / 9
    assert overlap_choice(options, EVIDENCE, negative=True) in (0, 2)


def test_overlap_says_nothing_where_nothing_tells_options_apart() -> None:
    assert overlap_choice(["가", "가"], EVIDENCE) == -1
    assert overlap_choice(["우주선", "고래"], EVIDENCE) == -1
    assert overlap_choice(["배상", "책임"], []) == -1


def test_overlap_ties_do_not_depend_on_position() -> None:
    options = ["금융회사", "이용자", "고래"]
    chosen = options[overlap_choice(options, EVIDENCE)]
    turned = options[::-1]
    assert turned[overlap_choice(turned, EVIDENCE)] == chosen


def test_fallback_is_marked_and_depends_on_the_id_without_evidence() -> None:
    chosen = {
        fallback_answer(Question(f"q{i}", "무엇?", ("가", "나", "다")), ()).answer
        for i in range(50)
    }
    assert chosen == {"1", "2", "3"}
    free = fallback_answer(Question("f", "접근매체 위조 손해의 배상 책임은?"), EVIDENCE, ["a"])
    assert (free.answer, free.origin, free.evidence, free.confidence) == (
        EVIDENCE[0],
        "fallback",
        ("a",),
        0.0,
    )
    assert fallback_answer(Question("f", "무엇?"), ()).answer
