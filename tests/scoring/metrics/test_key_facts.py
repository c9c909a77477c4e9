import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.scoring.metrics.key_facts import FACT_KINDS, key_facts, score_facts

QUESTION = (
    "「전자지급 안전법」에 따르면, 지급업자는 사고가 발생한 경우 며칠 이내에 "
    "감독위원회에 보고하여야 하는가?"
)
REFERENCE = "지급업자는 사고가 발생한 경우 10일 이내에 감독위원회에 보고하여야 한다(제4조제5항)."


def score(answer: str, question: str = QUESTION, reference: str = REFERENCE) -> float | None:
    return score_facts(question, reference, answer).score


def test_facts_of_the_question_do_not_count_as_answered():
    facts = key_facts(QUESTION, REFERENCE)
    assert {f.text for f in facts if not f.held} == {"≤ 10일", "제4조제5항"}
    assert {f.kind for f in facts if f.held} == {"actor", "condition", "modality"}
    assert score(REFERENCE) == 1
    assert score(QUESTION) == 0
    assert score("") == 0


@pytest.mark.parametrize(
    "answer",
    [
        "10일 이내에 감독위원회에 보고해야 합니다(제4조제5항).",
        "제4조에 따라 사고가 나면 지급업자가 열흘이 아니라 십일 안에 감독위원회에 알린다.",
        "제4조제5항에 의하면 보고 기한은 10일까지이다.",
    ],
)
def test_other_words_for_the_same_facts(answer):
    assert score(answer) == 1


@pytest.mark.parametrize(
    ("answer", "expected", "contradicted"),
    [
        # another figure; both facts that are new are then gone or half of them
        ("지급업자는 30일 이내에 감독위원회에 보고하여야 한다(제4조제5항).", 0.5, "≤ 10일"),
        # both figures: hedging is a contradiction
        ("10일 이내 또는 30일 이내에 보고하여야 한다(제4조제5항).", 0.5, "≤ 10일"),
        # a wrong bound
        ("10일 이상 지나 보고하여야 한다(제4조제5항).", 0.5, "≤ 10일"),
        # another article
        ("10일 이내에 보고하여야 한다(제7조).", 0.5, "제4조제5항"),
        # what the question holds, contradicted: it takes one right fact away
        ("10일 이내에 감독위원회에 보고할 수 있다(제4조제5항).", 0.5, "보고(의무)"),
        ("대통령은 10일 이내에 감독위원회에 보고하여야 한다(제4조제5항).", 0.5, "지급업자"),
        ("감독위원회는 10일 이내에 지급업자에게 보고하여야 한다(제4조제5항).", 0.0, "지급업자"),
    ],
)
def test_contradictions(answer, expected, contradicted):
    found = score_facts(QUESTION, REFERENCE, answer)
    assert found.score == expected
    assert contradicted in found.contradicted


def test_another_figure_of_another_thing_is_no_contradiction():
    answer = "10일 이내에 보고하여야 하고 기록은 5년간 보존한다(제4조제5항)."
    found = score_facts(QUESTION, REFERENCE, answer)
    assert found.score == 1
    assert found.contradicted == ()


def test_conditions_and_their_negation():
    question = "이용자의 정보를 제3자에게 언제 제공할 수 있는지 설명하시오."
    reference = "이용자의 동의를 받은 경우 제공할 수 있다."
    assert {f.kind for f in key_facts(question, reference) if not f.held} == {"condition"}
    assert score("동의를 받으면 제공할 수 있습니다.", question, reference) == 1
    turned = score_facts(question, reference, "동의를 받지 아니한 경우 제공할 수 있다.")
    assert turned.score == 0
    assert turned.contradicted


def test_a_definition_is_scored_by_its_terms():
    question = "「전자지급 안전법」에서 '접속수단'의 뜻을 설명하시오."
    reference = "접속수단이란 거래의 진실성을 확보하는 비밀번호와 생체정보를 말한다(제2조)."
    kinds = [f.kind for f in key_facts(question, reference) if not f.held]
    assert set(kinds) == {"term", "citation"}
    half = score("비밀번호와 생체정보를 뜻한다.", question, reference)
    assert half is not None
    assert 0 < half < 1
    assert score(question, question, reference) == 0


def test_a_short_reference_is_a_term_and_a_reference_that_the_question_holds_has_no_score():
    assert score("정답은 전자서명입니다", "무엇인가?", "전자서명") == 1
    assert score("공인인증", "무엇인가?", "전자서명") == 0
    assert score("3가지", "몇 가지인가?", "3가지") == 1
    assert score("무엇이든", "은행은 보고하여야 하는가?", "은행은 보고하여야 한다.") is None


PARTS = (
    "은행은",
    "금융위원회에",
    "이용자에게",
    "10일 이내에",
    "100분의 5를 초과하여",
    "1억원 이하의 과태료를",
    "사고가 발생한 경우",
    "동의 없이",
    "제9조제1항에 따라",
    "「은행법」",
    "보고하여야 한다.",
    "제공할 수 있다.",
    "이용하여서는 아니 된다.",
    "접근매체의 분실을",
    "다만,",
)
texts = st.lists(st.sampled_from(PARTS), min_size=1, max_size=7).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(texts, texts)
def test_the_reference_scores_one_and_the_question_zero(question, reference):
    own = score_facts(question, reference, reference)
    assert own.score in (1, None)
    assert own.missing == ()
    assert own.contradicted == ()
    echo = score_facts(question, reference, question)
    assert echo.score in (0, None)
    assert echo.new == own.new == sum(not f.held for f in key_facts(question, reference))


@settings(max_examples=150, deadline=None)
@given(texts, texts, texts)
def test_any_answer_scores_between_zero_and_one(question, reference, answer):
    found = score_facts(question, reference, answer)
    assert found.score is None or 0 <= found.score <= 1
    assert len(found.missing) <= found.new
    assert score_facts(question, reference, f" {answer}\n").score == found.score
    assert all(fact.kind in FACT_KINDS for fact in key_facts(question, reference))
