"""The order of the rejected records."""

from __future__ import annotations

from kofinlaw.data.reject_log import RejectLog


def test_rejects_come_out_step_by_step_in_the_order_they_were_met(tmp_path):
    with RejectLog(tmp_path) as log:
        log.reject("duplicates", "다", "duplicate", "like 가")
        log.reject("read", "가", "unreadable", "broken")
        log.reject("quality", "나", "too_short", "3 characters", {"text": "짧다"})
        log.reject("read", "라", "empty", "no text")
        assert [r["id"] for r in log.rejected()] == ["가", "라", "나", "다"]
        assert log.reasons.total() == 4
        assert log.why_empty().endswith("(like 가; broken; 3 characters)")
