import random

import pytest

from kofinlaw.augment.hard.facts import clause_facts
from kofinlaw.augment.hard.roles import reversed_roles
from kofinlaw.augment.hard.slots import _part_of, altered, read_slots
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.names import normalize


def facts(law):
    return {f.clause.citation: f for a in law.articles for f in clause_facts(law, a.id)}


def slots(law, laws, citation):
    found = read_slots(law, laws, facts(law)[citation], law.delegations, random.Random(1))
    return {slot.kind: slot for slot in found}


def test_wrong_values_are_words_of_the_article_and_no_sentence_of_the_law(hard_law, hard_laws):
    for fact in facts(hard_law).values():
        for slot in read_slots(hard_law, hard_laws, fact, (), random.Random(1)):
            assert fact.text[slot.start : slot.end] == slot.value
            for value in slot.wrong:
                assert value != slot.value
                assert normalize(altered(fact, slot, value)) not in hard_laws.sentences
                if slot.kind == "actor":
                    assert value in fact.clause.article.text


def test_a_right_is_no_duty_that_could_be_false(hard_law, hard_laws):
    assert "duty" not in slots(hard_law, hard_laws, "제2조제2항")  # 청구할 수 있다
    assert slots(hard_law, hard_laws, "제2조제1항")["duty"].wrong == ("할 수 있다",)


def test_who_applies_for_something_has_no_duty_that_could_be_false(hard_law, hard_laws):
    # 결제업을 하려는 자는 감독위원회에 등록하여야 한다: he may of course do so.
    assert "duty" not in slots(hard_law, hard_laws, "제1조제1항")


def test_a_party_that_may_act_for_another_is_no_wrong_actor(hard_law, hard_laws):
    fact = facts(hard_law)["제3조제2항"]
    delegated = ("감독원장은 결제업자에게 그 업무를 위탁할 수 있다",)
    for slot in read_slots(hard_law, hard_laws, fact, delegated, random.Random(1)):
        assert slot.kind != "actor" or "결제업자" not in slot.wrong


def test_roles_are_swapped_with_their_particles(hard_law):
    found = facts(hard_law)
    turned = reversed_roles(hard_law, found["제3조제3항"])
    assert turned == "감독원장은 3개월마다 업무보고서를 결제업자에게 제출하여야 한다"
    # 제2조제4항 says it: 감독원장은 결제업자에게 …
    assert reversed_roles(hard_law, found["제2조제1항"]) == ""


def actors_of(parse, sentence, others="감독위원회와 감독원장에게 알린다."):
    laws = read_laws(parse("법", f"##### 제1조 (기관)\n\n**①** {sentence}\n**②** {others}\n"))
    law = laws.acts[0]
    (fact, *_) = clause_facts(law, "법 제1조")
    return {
        name
        for slot in read_slots(law, laws, fact, (), random.Random(1))
        if slot.kind == "actor"
        for name in slot.wrong
    }


@pytest.mark.parametrize(
    "sentence",
    [
        "감독위원장은 추천을 받은 사람 중에서 주주총회에서 선임한다.",
        "이사회는 이사장을 포함한 이사로 구성하며, 이사장이 이를 소집한다.",
        "감사위원회는 조합장이 그 위원을 임명하고 해임한다.",
    ],
)
def test_a_topic_that_does_not_act_is_no_actor(parse, sentence):
    assert actors_of(parse, sentence) == set()


def test_the_head_of_a_body_and_a_kind_of_it_are_no_wrong_actors():
    assert _part_of("감사위원장", "감사위원회")
    assert _part_of("손해보험회사", "보험회사등")
    assert _part_of("금융감독원", "금융감독원장")
    assert not _part_of("금융위원회", "금융감독원장")
