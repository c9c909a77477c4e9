"""Check models under a policy: who may teach whom, what is too new, what it is called."""

from __future__ import annotations

import json
import re

import pytest

from kofinlaw import UserError
from kofinlaw.models.catalogue import all_models
from kofinlaw.models.policy.model_checks import check_models
from kofinlaw.models.policy.rules import verdict_sentence

EXAONE = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
SOLAR = "upstage/SOLAR-10.7B-v1.0"
QWEN = "Qwen/Qwen2.5-7B-Instruct"
GEMMA = "google/gemma-3-270m"
POLICIES = ("open", "research", "commercial", "contest-2025")


def refusals(*args, **kwargs):
    return [v for v in check_models(*args, **kwargs) if not v.ok]


@pytest.mark.parametrize("student", [SOLAR, QWEN, GEMMA])
@pytest.mark.parametrize("name", POLICIES)
def test_exaone_may_not_teach_another_family_under_any_policy(name, student):
    (refusal,) = [v for v in refusals(name, student=student, teachers=[EXAONE]) if "→" in v.subject]
    assert refusal.subject == f"{EXAONE} → {student}"
    assert "EXAONE 1.1-NC §3.1" in refusal.clause
    assert "Qwen/Qwen2.5" in refusal.allowed
    assert SOLAR in refusal.allowed


@pytest.mark.parametrize(
    "student", ["exaone-3.5-2.4b", "maywell/EXAONE-3.0-7.8B-Instruct-Llamafied"]
)
def test_exaone_may_teach_exaone(student):
    assert refusals("contest-2025", student=student, teachers=[EXAONE]) == []


@pytest.mark.parametrize("student", [EXAONE, SOLAR, QWEN])
def test_apache_models_may_teach_anyone(student):
    assert refusals("research", student=student, teachers=[SOLAR, QWEN]) == []


@pytest.mark.parametrize("name", ["midm-2.0-base", "A.X-4.0-Light", "kanana-1.5-8b"])
def test_the_korean_models_of_2025_are_in_time_for_the_contest(name):
    assert refusals("contest-2025", student=name, embedders=["KURE-v1"]) == []


def test_an_embedder_whose_day_nobody_verified_is_refused_by_the_contest():
    (refusal,) = refusals("contest-2025", student=QWEN, embedders=["KR-SBERT"])
    assert refusal.rule == "date"
    assert refusals("commercial", student=QWEN, embedders=["KR-SBERT"]) == []


def test_a_non_commercial_teacher_taints_a_commercial_student():
    found = refusals("commercial", student=SOLAR, teachers=["upstage/SOLAR-10.7B-Instruct-v1.0"])
    assert [v.subject for v in found] == [
        "upstage/SOLAR-10.7B-Instruct-v1.0 (teacher)",
        f"upstage/SOLAR-10.7B-Instruct-v1.0 → {SOLAR}",
    ]
    assert all(v.clause == "CC-BY-NC-4.0 §2(a)(1): non-commercial purposes only" for v in found)


def test_a_non_commercial_student_is_refused_for_commerce_only():
    assert refusals("research", student=EXAONE) == []
    (found,) = refusals("commercial", student=EXAONE)
    assert "§2.1(a)" in found.clause


def test_a_derivative_of_exaone_must_bear_its_name():
    (found,) = refusals("open", student=EXAONE, derived_name="finance-7.8b")
    assert "§2.1(c)" in found.clause
    assert found.allowed == "EXAONE-finance-7.8b"
    assert refusals("open", student=EXAONE, derived_name="EXAONE-3.5-7.8B-kofinlaw") == []
    assert refusals("open", student=QWEN, derived_name="finance-7b") == []


def test_the_contest_refuses_weights_that_came_after_its_day():
    (found,) = refusals("contest-2025", student=GEMMA)
    assert found.detail == "released on 2025-08-14, after 2025-07-31"
    assert "2025-07-31" in found.clause
    assert EXAONE in found.allowed


def test_the_contest_wants_one_llm_and_no_network():
    (second,) = refusals("contest-2025", student=EXAONE, others=[QWEN])
    assert second.rule == "one LLM"
    assert refusals("contest-2025", student=EXAONE, others=[EXAONE]) == []
    (online,) = refusals("contest-2025", student=EXAONE, offline=False)
    assert online.allowed == "offline: true"
    assert refusals("open", student=EXAONE, others=[QWEN], offline=False) == []


def test_a_model_nobody_knows_passes_only_where_nobody_asks(tmp_path):
    pico = tmp_path / "pico"
    pico.mkdir()
    (pico / "config.json").write_text(json.dumps({"model_type": "llama", "hidden_size": 8}))
    for name in ("open", "research"):
        (verdict,) = check_models(name, student=str(pico))
        assert verdict.ok
        assert verdict.detail.startswith("licence and release day are not known")
    assert [v.rule for v in refusals("commercial", student=str(pico))] == ["licence"]
    assert [v.rule for v in refusals("contest-2025", student=str(pico))] == ["licence", "date"]


@pytest.mark.parametrize("name", ["HyperCLOVA X", "KoGPT", "BloombergGPT", "gpt-4o"])
@pytest.mark.parametrize("rules", POLICIES)
def test_apis_and_unpublished_models_are_refused_by_every_policy(rules, name):
    assert refusals(rules, student=QWEN, teachers=[name])


def test_an_unknown_policy_is_answered_with_those_there_are():
    with pytest.raises(UserError, match="contest-2025"):
        check_models("contest", student=QWEN)


def test_every_refusal_names_its_clause_and_what_would_be_allowed():
    for name in POLICIES:
        for card in all_models():
            for verdict in refusals(name, student=card.id, teachers=[EXAONE]):
                assert verdict.clause, verdict
                assert verdict.allowed, verdict
                assert "\n" not in verdict_sentence(verdict)


def test_what_is_named_as_allowed_is_allowed():
    for name in POLICIES:
        for verdict in refusals(name, student="kogpt"):
            named = re.findall(r"[\w.-]+/[\w.-]+", verdict.allowed)
            assert named
            assert all(refusals(name, student=model) == [] for model in named)
