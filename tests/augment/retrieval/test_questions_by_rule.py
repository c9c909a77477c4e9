"""Questions in everyday words, scenarios, and stems of the generators: each points to its article."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.augment.reading.acts import Laws, read_laws
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.retrieval.everyday_terms import TERMS, everyday_terms
from kofinlaw.augment.retrieval.grounded import bare_question, grounded_queries
from kofinlaw.augment.retrieval.query_text import without_citations, without_place
from kofinlaw.augment.retrieval.scenarios import happened, scenario_queries
from kofinlaw.augment.retrieval.spoken import spoken_queries, spoken_question
from kofinlaw.records import Article

TITLE = "주택대여법"
WHO = ("금융회사", "관리위원회", "수탁자", "지급업자", "관리청장")
CASES = (
    "임차인이 퇴거를 통지한 경우에는",
    "채무자가 기한을 넘기지 아니한 경우에는",
    "개인정보처리자로부터 신청을 받은 경우에는",
    "토지를 취득하려는 경우에는",
)
RULES = (
    "10일 이내에 보고서를 감독원에 제출하여야 한다.",
    "보증금을 반환하여야 한다.",
    "계약을 해지할 수 있다.",
    "수수료를 요구하여서는 아니 된다.",
)
articles = st.lists(
    st.tuples(st.sampled_from(WHO), st.sampled_from(CASES), st.sampled_from(RULES)),
    min_size=1,
    max_size=6,
    unique=True,
)


def read(rules: list[tuple[str, str, str]]) -> Laws:
    """Return an act of one article for each (actor, case, rule)."""
    made = []
    for number, (who, case, rule) in enumerate(rules, 1):
        particle = "는" if who[-1] in "사회자" else "은"
        text = f"{who}{particle} {case} {rule}"
        unit = f"{TITLE} 제{number}조"
        made.append(
            Article(unit, TITLE, TITLE, "statute", f"제{number}조", f"의무 {number}", "", "", text,
                    (), False, "", "", "PD", ())
        )  # fmt: skip
    return read_laws(made)


def article_of(laws: Laws, unit: str) -> Article:
    return next(one for one in laws.acts[0].articles if one.id == unit)


@given(rules=articles, seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_an_everyday_question_replaces_a_term_that_its_article_contains(rules, seed) -> None:
    laws = read(rules)
    for query in spoken_queries(laws, random.Random(seed)):
        text = article_of(laws, query.unit).text
        said, terms = everyday_terms(text)
        assert terms
        assert query.focus in text
        for term in terms:
            assert term in text
            assert TERMS[term] in said
            assert TERMS[term] in query.text
            assert term not in query.text
        assert query.text.endswith("요?")


@given(rules=articles, seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_a_scenario_holds_the_case_of_its_article_and_not_its_rule(rules, seed) -> None:
    laws = read(rules)
    found = list(scenario_queries(laws, random.Random(seed)))
    assert len({query.unit for query in found}) == len(found)
    for query in found:
        text = article_of(laws, query.unit).text
        who, case, rule = rules[int(query.unit.split("제")[-1].rstrip("조")) - 1]
        assert who in query.text
        assert case.split()[0] in query.text
        assert normalize(rule)[:6] not in normalize(query.text)
        assert all(run in text for run in case.split()[:-2])
        assert query.text.endswith("?")


@given(rules=articles, seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_bare_question_names_no_act_and_has_its_words_in_its_article(rules, seed) -> None:
    laws = read(rules)
    for query in grounded_queries(laws, seed):
        text = article_of(laws, query.unit).text
        assert TITLE not in query.text
        assert "제1조" not in query.text
        shared = [word for word in query.text.split() if len(word) > 1 and word in text]
        assert len(shared) >= 2


def test_each_kind_finds_the_articles_of_an_act() -> None:
    laws = read([(who, case, rule) for who in WHO for case, rule in zip(CASES, RULES, strict=True)])
    assert len(list(spoken_queries(laws, random.Random(0)))) == 20  # each case has a term
    assert len(list(scenario_queries(laws, random.Random(0)))) == 20
    assert len({query.unit for query in grounded_queries(laws, 0)}) >= 5


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("분실을 통지한 경우", "분실을 통지했습니다"),
        ("기한을 넘기지 아니한 경우", "기한을 넘기지 않았습니다"),
        ("승인을 받은 때", "승인을 받았습니다"),
        ("사업을 양도하려는 경우", "사업을 양도하려고 합니다"),
        ("손해가 발생한 경우", "손해가 발생했습니다"),
        ("허가가 취소된 경우", "허가가 취소되었습니다"),
        ("이의가 있는 경우", "이의가 있습니다"),
        ("필요한 경우", ""),
        ("부득이한 경우", ""),
    ],
)
def test_a_condition_is_told_as_what_happened(case: str, said: str) -> None:
    assert happened(case) == said


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("보고서를 제출하여야 한다.", "보고서를 제출해야 하나요?"),
        ("계약을 해지할 수 있다.", "계약을 해지할 수 있나요?"),
        ("수수료를 받을 수 없다.", "수수료를 받을 수 없나요?"),
        ("정보를 누설하여서는 아니 된다.", "정보를 누설하면 안 되나요?"),
        ("지분을 가져서는 아니 된다.", "지분을 가져서는 안 되나요?"),
        ("기간은 3년으로 한다.", "기간은 3년으로 하나요?"),
        ("책임을 지지 아니한다.", "책임을 지지 않나요?"),
        ("위원회의 회의", ""),
    ],
)
def test_a_rule_is_asked_as_people_speak(sentence: str, asked: str) -> None:
    assert spoken_question(sentence) == asked


def test_a_term_is_a_whole_word_and_its_particle_fits() -> None:
    assert everyday_terms("채무불이행자는 임대인에게 차임을 낸다.") == (
        "채무불이행자는 집주인에게 월세를 낸다.",
        ("임대인", "차임"),
    )
    assert everyday_terms("회의록을 공개한다.") == ("회의록을 공개한다.", ())


@pytest.mark.parametrize(
    ("stem", "bare"),
    [
        (
            "「수표대여법」 제9조제1항에 따르면, 수탁자는 보고서를 며칠 이내에 제출하여야 하는가?",
            "수탁자는 보고서를 며칠 이내에 제출하여야 하는가?",
        ),
        (
            "「대여법」에서 수탁자는 임차인에게 수수료를 요구하여서는 아니 된다고 정한 조문은?",
            "수탁자는 임차인에게 수수료를 요구하여서는 아니 된다",
        ),
        ("「대여법」에 따르면, 수탁자는 보고서를 (   ). 빈칸에 들어갈 말로 맞는 것은?", ""),
        ("「대여법」상 제9조에 해당하는 것은?", ""),
    ],
)
def test_a_stem_loses_its_act_and_the_form_of_an_exam(stem: str, bare: str) -> None:
    assert bare_question(stem) == bare


def test_only_the_letters_of_a_list_are_references() -> None:
    assert without_place("제1호가목 및 나목의 영리목적 항목") == "영리목적 항목"
    assert without_place("다목적 회관의 제목") == "다목적 회관의 제목"
    assert without_citations("위원회는 제3조에 따라 과목을 정한다.") == "위원회는 과목을 정한다."
