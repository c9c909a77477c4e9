"""Credit of systems and solvers on an exam."""

import pytest
from exam_answers import OPTIONS, answered, exam

from kofinlaw import UserError
from kofinlaw.scoring.exams.rate_exam import average_seeds, rate_exam

TEXTS = (f"은행은 {OPTIONS[0]}.",)
OTHER = (f"은행은 {OPTIONS[1]}.",)


def rated(tmp_path, **systems):
    questions, keys = exam(4)
    folders = {
        name: answered(tmp_path / name.replace("#", "-"), questions, *given)
        for name, given in systems.items()
    }
    return rate_exam("bank", questions, keys, folders)


def test_a_wrong_a_missing_and_an_unreadable_answer_count_as_wrong(tmp_path):
    found = rated(tmp_path, base=(["1번", "②", "", "10일"],))
    assert found.systems["base"] == {"q1": 1.0, "q2": 0.0, "q3": 0.0, "q4": 0.0}
    assert found.unreadable == {"base": ("q4",)}
    assert found.plans == {"base": {"full": 4}}


def test_systems_with_the_same_shown_texts_share_the_solvers_that_read_them(tmp_path):
    found = rated(tmp_path, base=("1",), a=("1", TEXTS), b=("2", TEXTS))
    assert found.reads["overlap_bigrams"] == ("a", "b")
    assert found.reads["longest"] == ()
    assert set(found.solvers["look_up"].values()) == {1.0}


def test_solvers_read_what_each_system_was_shown(tmp_path):
    found = rated(tmp_path, a=("1", TEXTS), b=("2", OTHER))
    assert found.reads["look_up:a"] == ("a",)
    assert found.reads["look_up:b"] == ("b",)
    assert set(found.solvers["look_up:a"].values()) == {1.0}
    assert set(found.solvers["look_up:b"].values()) == {0.0}


def test_seeds_are_averaged_within_a_question(tmp_path):
    systems = {
        "base": ("2", TEXTS),
        "trained#1": (["1", "1", "2", "2"], TEXTS),
        "trained#2": (["1", "2", "1", "2"], TEXTS),
    }
    found = average_seeds(rated(tmp_path, **systems))
    assert found.systems["trained"] == {"q1": 1.0, "q2": 0.5, "q3": 0.5, "q4": 0.0}
    assert found.systems["base"] == dict.fromkeys(("q1", "q2", "q3", "q4"), 0.0)
    assert found.reads["look_up"] == ("base", "trained")
    assert (found.seeds, found.plans["trained"]) == (2, {"full": 8})


def test_a_slice_that_no_question_has_is_named_with_the_others(tmp_path):
    questions, keys = exam(2)
    folder = answered(tmp_path / "base", questions, "1")
    with pytest.raises(UserError, match=r"domain:없음[^\n]*\n.*domain:법"):
        rate_exam("bank", questions, keys, {"base": folder}, pooled_slice="domain:없음")
