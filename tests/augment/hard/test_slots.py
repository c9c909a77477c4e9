import random

from kofinlaw.augment.hard.facts import clause_facts
from kofinlaw.augment.hard.roles import reversed_roles
from kofinlaw.augment.hard.slots import altered, read_slots, related_text
from kofinlaw.augment.reading.names import normalize


def facts(law):
    return {f.clause.citation: f for a in law.articles for f in clause_facts(law, a.id)}


def slots(law, laws, citation):
    found = read_slots(law, laws, facts(law)[citation], related_text(law, laws), random.Random(1))
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
    assert slots(hard_law, hard_laws, "제1조제1항")["duty"].wrong == ("할 수 있다",)


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
