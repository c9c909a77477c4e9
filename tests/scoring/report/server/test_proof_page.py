"""The proof of a merge as a page: words in both languages, and no page without checks."""

from kofinlaw.files import write_json
from kofinlaw.scoring.report.server.proof_page import proof_page


def test_the_proof_is_said_in_both_languages(tmp_path):
    run = tmp_path / "run"
    assert proof_page(run) is None
    write_json(run / "verify" / "verify.json", {"checks": "broken"})
    assert proof_page(run) is None
    check = {"name": "same choices", "value": 0.5, "bound": "at least 0.9", "ok": False}
    write_json(
        run / "verify" / "verify.json",
        {"verdict": "fail", "failed": ["same choices"], "checks": [check]},
    )
    page = proof_page(run)
    for words in ("실패: 같은 보기 선택", "Failed: same choices", "0.9 이상", "at least 0.9"):
        assert words in page
