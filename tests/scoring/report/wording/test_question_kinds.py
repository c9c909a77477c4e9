"""Every kind, task, reason and check that augmentation writes has a name in both languages."""

import re
from pathlib import Path

import pytest

import kofinlaw
from kofinlaw.augment.settings import TASK_WEIGHTS, WEIGHTS
from kofinlaw.scoring.report.wording.question_kinds import CHECKS, kind_label, reason_label

ROOT = Path(kofinlaw.__file__).parent.parent


def test_every_kind_of_question_has_a_korean_name():
    for kind in [
        *WEIGHTS,
        *(f"choice_{k}" for k in WEIGHTS),
        *(f"teacher_{t}" for t in TASK_WEIGHTS),
    ]:
        korean, english = kind_label(kind)
        assert re.search("[가-힣]", korean), kind
        assert "_" not in english, kind


@pytest.mark.parametrize(
    ("name", "korean"),
    [
        ("choice_slot_pair_twin", "짝이 다른 보기 (쌍둥이)"),
        ("free_gold_missing", "주관식: 근거에 정답 조문이 없는 문항"),
        ("choice_gold_missing", "근거에 정답 조문이 없는 문항"),
        ("my_own_kind", "my_own_kind"),
    ],
)
def test_forms_of_tasks_and_unknown_names(name, korean):
    assert kind_label(name)[0] == korean


def test_every_check_of_the_teacher_and_every_reason_has_a_name():
    source = "\n".join(p.read_text() for p in (ROOT / "augment" / "teacher").glob("*.py"))
    checks = set(re.findall(r'Verdict\(\s*"([a-z_]+)"', source))
    assert len(checks) > 20
    assert checks <= set(CHECKS)
    for reason in ("answer_in_stem", "answer_like_stem", "evidence_too_long", "polarity"):
        assert re.search("[가-힣]", reason_label(reason)[0])
    assert reason_label("new_reason") == ("new_reason", "new_reason")
