from kofinlaw.records import TwinQuestion
from kofinlaw.scoring.metrics.twins import twin_score


def pair(name: str) -> list[TwinQuestion]:
    options = ("가", "나", "다", "라")
    return [
        TwinQuestion(name, "문제", options, ("근거",), "1", False, f"{name}-twin"),
        TwinQuestion(f"{name}-twin", "문제", options, ("다른 근거",), "3", False, name),
    ]


def test_only_a_pair_with_both_right_gets_credit():
    questions = [*pair("a"), *pair("b"), *pair("c"), *pair("d")]
    answers = {"a": "1", "a-twin": "3", "b": "1", "b-twin": "1", "c": "2", "c-twin": "3"}
    score = twin_score(questions, answers)
    assert (score.pairs, score.both, score.one, score.unmoved) == (4, 1, 2, 1)


def test_a_question_without_its_twin_and_no_question_are_left_out():
    assert twin_score(pair("a")[:1], {"a": "1"}).pairs == 0
    assert twin_score([], {}).pairs == 0
