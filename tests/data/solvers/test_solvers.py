"""All solvers on one question."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.solvers.credit import shared_credit
from kofinlaw.data.solvers.solvers import SOLVERS, Asked, Solvers

TEXTS = ("여신규정 제7조\n심사역은 신청을 받은 날부터 10일 이내에 결과를 알린다.", "창구 업무 지침")
OPTIONS = ("지점장이 심사한다", "심사역이 결과를 알린다", "신청을 취소한다", "수수료를 받는다")
WORDS = st.lists(
    st.sampled_from(("심사역은", "지점장은", "10일", "이내에", "알린다", "자료", "(   )", "신청")),
    min_size=1,
    max_size=6,
).map(" ".join)
CHEAP = Solvers([name for name in SOLVERS if name != "overlap_morphemes"])


def test_every_solver_scores_every_option():
    scores = Solvers().scores(Asked("결과에 관한 설명으로 옳은 것은?", OPTIONS, TEXTS))
    assert set(scores) == set(SOLVERS)
    assert all(len(found) == len(OPTIONS) for found in scores.values())
    credit = Solvers().credits(Asked("결과에 관한 설명으로 옳은 것은?", OPTIONS, TEXTS), 1)
    assert credit["overlap_bigrams"] == credit["overlap_morphemes"] == 1


@settings(max_examples=60)
@given(WORDS, st.lists(WORDS, min_size=2, max_size=5), st.lists(WORDS, max_size=3), st.data())
def test_no_solver_depends_on_the_order_of_options_or_questions(stem, options, texts, data):
    order = data.draw(st.permutations(range(len(options))))
    for negative in (False, True):
        asked = Asked(stem, tuple(options), tuple(texts), negative)
        turned = Asked(stem, tuple(options[i] for i in order), tuple(texts), negative)
        fresh, used = Solvers(CHEAP.names).scores(turned), CHEAP.scores(turned)
        assert fresh == used
        for name, scores in CHEAP.scores(asked).items():
            assert [scores[i] for i in order] == used[name]
            assert abs(sum(shared_credit(scores)) - 1) < 1e-12


def test_a_negative_stem_changes_the_sign_except_for_the_length():
    positive = Solvers().scores(Asked("옳은 것은?", OPTIONS, TEXTS))
    negative = Solvers().scores(Asked("옳은 것은?", OPTIONS, TEXTS, negative=True))
    assert negative.pop("longest") == positive.pop("longest")
    assert negative == {name: [-s for s in scores] for name, scores in positive.items()}


def test_without_evidence_the_solvers_that_need_it_guess():
    credit = Solvers().credits(Asked("옳은 것은?", OPTIONS), 2)
    assert credit["overlap_bigrams"] == credit["overlap_morphemes"] == credit["look_up"] == 0.25


def test_preparing_changes_no_score():
    asked = Asked("결과에 관한 설명으로 옳은 것은?", OPTIONS, TEXTS)
    prepared = Solvers()
    prepared.prepare([asked])
    assert prepared.scores(asked) == Solvers().scores(asked)


def test_an_unknown_solver_is_refused():
    with pytest.raises(ValueError, match="unknown solvers"):
        Solvers(["guess"])


def test_thousands_of_questions_a_minute():
    """Without Kiwi: 300 questions over long evidence; a minute would be a hundred times too slow."""
    text = "".join(f"제{n}조 심사역은 {n}일 이내에 결과를 알린다.\n" for n in range(60))
    started = time.process_time()
    for n in range(300):
        options = tuple(f"{n + k}일 이내에 결과를 지점장에게 알린다" for k in range(4))
        CHEAP.scores(Asked(f"제{n}조에 관한 설명으로 옳은 것은?", options, (text,)))
    assert time.process_time() - started < 6
