from kofinlaw.augment.generators import modality
from kofinlaw.augment.generators.falsity import flip_modality
from kofinlaw.augment.reading.acts import read_laws


def test_modality_options_are_the_same_verb_with_other_endings(law):
    draft = next(d for d in modality.generate(law, 0) if d.answer == "정정을" or "요구" in d.answer)
    assert draft.answer == "요구할 수 있다"
    assert "요구하여야 한다" in draft.distractors
    assert "요구하지 아니할 수 있다" not in draft.distractors


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
