import pytest

from kofinlaw.augment.generators.false_figures import bound_makes_false, figure_makes_false
from kofinlaw.augment.reading.figures import find_figures


@pytest.mark.parametrize(
    ("sentence", "other", "false"),
    [
        # It follows from the limit of a year that 15 days have it too.
        ("포상금은 한 사람이 1년간 1천만원을 넘을 수 없다.", "15일", False),
        ("포상금은 한 사람이 1년간 1천만원을 넘을 수 없다.", "2년", False),
        ("보험금은 매년 5천만원을 초과할 수 없다.", "1억원", False),
        ("보험금은 매년 5천만원을 초과할 수 없다.", "3천만원", True),
        ("은행은 20일 이내에 이의를 제기할 수 있다.", "10일", False),
        ("은행은 20일 이내에 이의를 제기할 수 있다.", "30일", True),
        ("은행은 5명 이상으로 조사반을 둘 수 있다.", "7명", False),
        ("은행은 20일 이내에 보고하여야 한다.", "10일", True),
    ],
)
def test_a_figure_that_follows_from_the_true_one_is_not_false(sentence, other, false):
    figure = find_figures(sentence)[0]
    assert figure_makes_false(sentence, figure, find_figures(other)[0]) == false


@pytest.mark.parametrize(
    ("sentence", "bound", "other", "false"),
    [
        ("자산이 10억원 이상인 회사는 감사를 두어야 한다.", "이상", "초과", False),
        ("비율은 8배 미만이어야 한다.", "미만", "이하", False),
        ("자산이 10억원 이상인 회사는 감사를 두어야 한다.", "이상", "이하", True),
        ("대주주란 1억원 이상을 가진 자를 말한다.", "이상", "초과", True),
        ("금고는 장부를 5년 이상 보존하여야 한다.", "이상", "이하", False),
    ],
)
def test_a_bound_that_follows_from_the_true_one_is_not_false(sentence, bound, other, false):
    assert bound_makes_false(sentence, find_figures(sentence)[0], bound, other) == false
