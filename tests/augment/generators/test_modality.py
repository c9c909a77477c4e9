from kofinlaw.augment.generators import modality
from kofinlaw.augment.generators.falsity import flip_modality
from kofinlaw.augment.reading.acts import read_laws


def test_modality_options_are_the_same_verb_with_other_endings(law):
    draft = next(d for d in modality.generate(law, 0) if "보고" in d.answer)
    assert draft.answer == "보고하여야 한다"
    assert set(draft.distractors) == {
        "보고할 수 있다",
        "보고하여서는 아니 된다",
        "보고하지 아니할 수 있다",
        "보고하도록 노력하여야 한다",
    }


def test_a_right_and_the_duty_of_a_private_party_are_not_asked(law, parse):
    assert not any("요구할 수 있다" in d.answer for d in modality.generate(law, 0))
    text = """
##### 제1조 (이의)

**①** 매각허가에 대한 이의는 매각허가가 있을 때까지 법원에 신청하여야 한다.
**②** 이용자는 거래가 잘못된 것을 안 때에는 그 내용을 지급업자에게 통지하여야 한다.
**③** 감독원장은 검사를 마친 때에는 그 결과를 감독위원회에 보고하여야 한다.
**④** 감독원장은 이용자의 보호를 위한 제도를 개선하도록 항상 노력하여야 한다.
"""
    drafts = modality.generate(read_laws(parse("이의법", text)).acts[0], 0)
    assert [draft.answer for draft in drafts] == ["보고하여야 한다"]


def test_a_permission_is_never_beside_the_freedom_to_leave_it(law):
    for draft in modality.generate(law, 0):
        if draft.answer.endswith("할 수 있다"):
            assert not any("아니할 수 있다" in d for d in draft.distractors)


def test_who_alone_may_and_who_alone_must_are_not_told_apart(parse):
    text = """
##### 제1조 (심사)

**①** 제2항에 따른 정보보호 관리체계의 심사는 자격을 갖춘 인증심사원만 수행할 수 있다.
**②** 심사기관은 제공받은 정보를 심사에 필요한 범위에서만 정당하게 사용하여야 한다.
"""
    law = read_laws(parse("심사법", text)).acts[0]
    assert not list(modality.generate(law, 0))
    assert not any(flip_modality(clause.main) for clause in law.clauses)
    assert flip_modality("위원은 한 번 연임할 수 있다.") == "위원은 한 번 연임하여야 한다."
