"""Overlap of options with passages."""

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.solvers.overlap import token_overlap

EVIDENCE = "금융회사는 접근매체의 위조로 이용자에게 손해가 발생한 경우 배상할 책임을 진다."


def sets(*texts):
    return [set(bigrams(text)) for text in texts]


def test_the_score_is_the_share_of_the_options_tokens_in_the_passage():
    options = sets(
        "이용자가 벌금을 납부한다", "금융회사가 손해를 배상한다", "국가가 보조금을 지급한다"
    )
    scores = token_overlap(options, sets(EVIDENCE))
    # 금융 융회 회사, 손해, 배상: five of the option's nine bigrams are in the evidence.
    assert scores[1] == max(scores) == 5 / 9
    assert token_overlap(options, sets(EVIDENCE), negative=True) == [-score for score in scores]


def test_passages_are_compared_one_by_one():
    option = [{"가", "나"}]
    assert token_overlap(option, [{"가"}, {"나"}]) == [0.5]
    assert token_overlap(option, [{"가", "나"}]) == [1.0]


def test_without_tokens_or_passages_the_score_is_zero():
    assert token_overlap([set(), {"가"}], [{"가"}]) == [0.0, 1.0]
    assert token_overlap([{"가"}, {"나"}], []) == [0.0, 0.0]
