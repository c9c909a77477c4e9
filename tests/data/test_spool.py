import errno

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.cleaning import duplicates
from kofinlaw.data.cleaning.copies import CodeFile
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.spool import Spool, work_folder


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.one_of(st.text(max_size=20), st.integers(0, 30)), max_size=30))
def test_records_are_read_in_any_order_between_writes(tmp_path, steps):
    with Spool(tmp_path / "a.jsonl") as spool:
        wanted = []
        for step in steps:
            if isinstance(step, str):
                assert spool.append({"text": step}) == len(wanted)
                wanted.append({"text": step})
            elif step < len(wanted):
                assert spool[step] == wanted[step]
        assert list(spool) == wanted
        assert len(spool) == len(wanted)


def test_the_work_folder_goes_and_so_does_what_a_killed_run_left(tmp_path):
    (tmp_path / ".work").mkdir()
    (tmp_path / ".work" / "chunks.jsonl").write_text('{"id": "half', encoding="utf-8")
    with work_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        (folder / "new.jsonl").write_text("{}", encoding="utf-8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [Spool, CodeFile])
def test_a_full_disk_is_said_so_when_a_spool_is_opened(tmp_path, monkeypatch, kind):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(UserError, match="disk"):
        kind(tmp_path / "a")


def test_codes_are_read_by_place_between_writes(tmp_path):
    codes = CodeFile(tmp_path / "codes.bin")
    wanted = [duplicates.character_codes(text) for text in ("은행", "금융", "", "이용자")]
    codes.extend(wanted[:3])
    assert codes[0].tolist() == wanted[0].tolist()
    codes.extend(wanted[3:])
    assert [codes[n].tolist() for n in range(4)] == [item.tolist() for item in wanted]
    codes.close()


def test_rejects_come_out_step_by_step_in_the_order_they_were_met(tmp_path):
    with RejectLog(tmp_path) as log:
        log.reject("duplicates", "다", "duplicate", "like 가")
        log.reject("read", "가", "unreadable", "broken")
        log.reject("quality", "나", "too_short", "3 characters", {"text": "짧다"})
        log.reject("read", "라", "empty", "no text")
        assert [r["id"] for r in log.rejected()] == ["가", "라", "나", "다"]
        assert log.reasons.total() == 4
        assert log.why_empty().endswith("(like 가; broken; 3 characters)")


@given(cuts=st.lists(st.integers(1, 40), max_size=6))
@settings(max_examples=20, deadline=None)
def test_candidates_do_not_depend_on_how_many_texts_come_at_a_time(cuts):
    words = [
        "은행",
        "이용자",
        "금융",
        "거래",
        "정보",
        "보호",
        "의무",
        "책임",
        "손해",
        "배상",
        "신고",
        "접수",
    ]
    texts = [" ".join(words[(n * k) % 12] for k in range(1, 30)) for n in range(40)]
    codes = [duplicates.character_codes(text) for text in texts]
    whole, pieces = duplicates.BandTable(0.85), duplicates.BandTable(0.85)
    whole.add(codes)
    start = 0
    for size in [*cuts, len(codes)]:
        pieces.add(codes[start : start + size])
        start += size
    assert list(pieces.candidates()) == list(whole.candidates())
    assert any(True for _ in whole.candidates())
