"""Solvers on exam questions: what they read, and how they share the credit of ties."""

import pytest
from exam_answers import OPTIONS, exam

from kofinlaw.scoring.exams.solver_credit import evidence_credit, evidence_free_credit


def test_solvers_without_evidence_share_ties_and_never_depend_on_the_answer_for_others():
    questions, keys = exam(3)
    credit = evidence_free_credit(questions, {key.id: key for key in keys})
    assert set(credit) == {"uniform", "longest", "stem_overlap"}
    assert credit["uniform"] == dict.fromkeys(("q1", "q2", "q3"), 0.25)
    # Three of the four options have the same, largest length or not: the first is not the longest.
    longest = max(map(len, OPTIONS))
    tied = [len(option) == longest for option in OPTIONS]
    assert credit["longest"]["q1"] == pytest.approx(tied[0] / sum(tied))


def test_the_option_in_the_text_is_taken_and_for_a_negative_stem_the_one_that_is_not():
    questions, keys = exam(2, negative=(2,))
    golds = {key.id: key for key in keys}
    shown = {q.id: (f"은행은 {OPTIONS[0]}.",) for q in questions}
    credit = evidence_credit(questions, golds, shown)
    for solver in credit.values():
        assert solver["q1"] >= 0.5  # content morphemes cannot distinguish two of the options
        assert solver["q2"] == 0.0
    assert credit["look_up"]["q1"] == credit["overlap_bigrams"]["q1"] == 1.0


def test_without_evidence_the_readers_guess():
    questions, keys = exam(1)
    for solver in evidence_credit(questions, {key.id: key for key in keys}, {}).values():
        assert solver == {"q1": 0.25}
