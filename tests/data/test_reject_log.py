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
        assert log.why_empty().endswith("(like 가; 가: broken; 3 characters)")


def test_files_that_give_nothing_are_named_and_records_are_not_files(tmp_path):
    with RejectLog(tmp_path) as log:
        log.reject("read", "가.doc", "no_reader", "no reader for .doc")
        log.reject("read", "나.csv#3", "empty", "no text")
        log.reject("in_force", "다.md", "not_in_force", "다 has no date")
        log.reject("quality", "라/제1조", "too_short", "3 characters")
        assert [(f.name, f.reason) for f in log.unread] == [
            ("가.doc", "no_reader"),
            ("다.md", "not_in_force"),
        ]
