"""A compliance record is said as sentences; ✓ means allowed and ✗ refused."""

import re

from kofinlaw.models.policy.document_checks import check_sources
from kofinlaw.models.policy.record import policy_record
from kofinlaw.models.policy.rules import policies
from kofinlaw.scoring.report.wording.compliance_words import (
    compliance_context,
    policy_rulings,
    verdict_ruling,
)


def ruling_of(rulings, korean):
    return next(r for r in rulings if korean in r["text"][0])


def test_a_policy_is_said_as_what_it_allows_and_refuses():
    for name, policy in policies().items():
        rulings = policy_rulings(policy.to_record())
        assert ruling_of(rulings, "네트워크")["ok"] is not policy.offline, name
        assert ruling_of(rulings, "두 개 이상")["ok"] is not policy.one_llm, name
        assert ruling_of(rulings, "알 수 없는")["ok"] is policy.unknown_license, name
        assert ruling_of(rulings, "API")["ok"] is policy.remote_api, name
        for ruling in rulings:
            assert re.search("[가-힣]", ruling["text"][0])
            assert not re.search("[가-힣]", ruling["text"][1])
            if ruling["clause"][1]:
                assert re.search("[가-힣]", ruling["clause"][0]), ruling["clause"]


def test_verdicts_of_real_checks_have_no_english_sentence_in_korean():
    verdicts = [
        *check_sources("commercial", [("docs", ""), ("a", "CC BY-NC 4.0"), ("b", "Apache-2.0")]),
        *check_sources("open", [("docs", ""), ("c", "something")]),
    ]
    record = policy_record("commercial", models={}, sources=[], verdicts=verdicts)
    found = compliance_context(record)
    assert [r["ok"] for r in found["verdicts"]] == [v.ok for v in verdicts]
    for ruling in found["verdicts"]:
        assert not re.search(r"\b(is|not|allow|licence|lets)\b", ruling["text"][0]), ruling["text"]
    refused = sum(not verdict.ok for verdict in verdicts)
    assert f"{refused}개가 거부" in found["summary"][0]


def test_particles_fit_and_long_paths_are_short():
    row = {"ok": False, "subject": "/a/b/c/d/docs", "rule": "licence"}
    korean, english = verdict_ruling(row | {"detail": "Gemma does not allow commercial use"})[
        "text"
    ]
    assert korean == "…/c/d/docs · 라이선스: Gemma는 상업적 이용을 허용하지 않습니다"
    assert english == "…/c/d/docs · licence: Gemma does not allow commercial use"
    assert compliance_context(None) is None
