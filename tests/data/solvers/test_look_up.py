"""Options looked up in the shown text."""

from hypothesis import assume, given
from hypothesis import strategies as st

from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.data.solvers.look_up import look_up_scores, normalised, shared_run

LETTERS = "가나다라마바사아자차"
TEXT = (
    "가람은행 여신규정 제7조(심사)\n① 심사역은 신청을 받은 날부터 10일 이내에 결과를 알려야 한다.\n"
    "② 지점장은 심사에 필요한 자료를 요구할 수 있다."
)


@given(
    st.lists(st.text(LETTERS, min_size=4, max_size=9), min_size=4, max_size=5, unique=True),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_verbatim_key_is_solved_and_a_negative_stem_turns_it_round(options, answer, spaced):
    """Only one option is in the text: it is the most, all others are the least."""
    text = "하하하" + options[answer] + "하하하"
    others = [option for index, option in enumerate(options) if index != answer]
    assume(not any(option in text for option in others))
    shown = " ".join(text) if spaced else text
    scores = look_up_scores("옳은 것은?", options, [shown])
    assert credit_of(scores, answer) == 1
    assert (
        look_up_scores("옳지 않은 것은?", options, [shown], negative=True)[answer]
        == -scores[answer]
    )
    least = look_up_scores("옳은 것은?", options, [shown], negative=True)
    assert credit_of(least, answer) == 0


@given(
    st.lists(st.text(LETTERS, min_size=1, max_size=6), min_size=2, max_size=5, unique=True),
    st.text(LETTERS, max_size=30),
    st.randoms(use_true_random=False),
)
def test_a_score_does_not_depend_on_the_position_of_the_option(options, text, rng):
    turned = list(options)
    rng.shuffle(turned)
    for stem in ("옳은 것은?", '다음 빈칸에 알맞은 것은? "가나 (   ) 다라"'):
        scores = dict(zip(options, look_up_scores(stem, options, [text]), strict=True))
        assert dict(zip(turned, look_up_scores(stem, turned, [text]), strict=True)) == scores


def test_a_blank_is_filled_and_its_neighbourhood_searched():
    stem = '다음 빈칸에 알맞은 것은? "심사역은 신청을 받은 날부터 (   ) 이내에 결과를 알려야 한다."'
    options = ["3일", "10일", "7조", "자료"]
    scores = look_up_scores(stem, options, [TEXT])
    assert credit_of(scores, 1) == 1
    assert scores[0] == 0
    assert 0 < scores[2] < scores[1]


def test_a_particle_after_the_blank_may_have_either_form():
    stem = '다음 빈칸에 알맞은 것은? "(   )은(는) 심사에 필요한 자료를 요구할 수 있다."'
    assert credit_of(look_up_scores(stem, ["심사역", "지점장"], [TEXT]), 1) == 1


def test_of_two_found_options_the_one_nearest_to_the_quotation_is_chosen():
    stem = '"심사에 필요한 자료를 요구할 수 있다"고 정한 주체는?'
    scores = look_up_scores(stem, ["심사역", "지점장"], [TEXT])
    assert credit_of(scores, 1) == 1
    assert abs(scores[0] - scores[1]) < 1e-4


def test_without_text_all_options_are_equal():
    for stem in ("옳은 것은?", "(   )에 알맞은 것은?"):
        assert look_up_scores(stem, ["가", "나나"], []) == [0.0, 0.0]


def test_spaces_and_punctuation_do_not_count_but_decimals_do():
    assert normalised("제7조 (심사), 3.5 퍼센트.") == "제7조심사3.5퍼센트"
    assert normalised("1. 가 10%") == "1가10%"
    assert shared_run("가나다라", "나다 가나다") == "가나다"
    assert shared_run("가", "") == ""
