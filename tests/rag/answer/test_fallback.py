"""Answers without the model."""

from __future__ import annotations

from kofinlaw.rag.answer.fallback import fallback_answer
from kofinlaw.records import Question

EVIDENCE = ["금융회사는 접근매체의 위조로 이용자에게 손해가 발생한 경우 배상할 책임을 진다."]
OPTIONS = ("이용자가 벌금을 납부한다", "금융회사가 손해를 배상한다", "국가가 보조금을 지급한다")


def test_the_fallback_picks_the_option_that_the_evidence_contains() -> None:
    assert fallback_answer(Question("q", "옳은 것은?", OPTIONS), EVIDENCE).answer == "2"
    assert fallback_answer(Question("q", "옳지 않은 것은?", OPTIONS), EVIDENCE).answer in {"1", "3"}


def test_ties_do_not_depend_on_the_position() -> None:
    options = ("금융회사", "이용자", "고래")
    chosen = options[int(fallback_answer(Question("q", "무엇?", options), EVIDENCE).answer) - 1]
    turned = options[::-1]
    again = fallback_answer(Question("q", "무엇?", turned), EVIDENCE).answer
    assert turned[int(again) - 1] == chosen != "고래"


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
