"""Copies of chunks: removed, except for provisions and versions."""

from __future__ import annotations

import json

from kofinlaw.data.cleaning import duplicates
from kofinlaw.data.cleaning.copies import CodeSpool
from kofinlaw.files import read_jsonl
from kofinlaw.records import Chunk, Rejected


def rejected(out):
    return [(r.id, r.reason) for r in read_jsonl(out / "rejected.jsonl", Rejected)]


def test_copies_go_and_versions_and_twin_articles_do_not(build, act, tmp_path):
    text = (act / "가람법.md").read_text(encoding="utf-8")
    (act / "가람법 사본.md").write_text(text, encoding="utf-8")
    (act / "가람법 구법.md").write_text(
        text.replace("2024-07-01", "2020-07-01").replace("권리", "옛 권리"), encoding="utf-8"
    )
    (act / "나래법.md").write_text(text.replace("가람법", "나래법"), encoding="utf-8")
    guide = "# 지침\n\n## 범위\n\n은행 직원은 이용자의 정보를 업무 목적에 꼭 필요한 범위에서만 다룬다.\n"
    (act / "지침 가.md").write_text(guide, encoding="utf-8")
    (act / "지침 나.md").write_text(guide.replace("# 지침", "# 둘째 지침"), encoding="utf-8")
    counts = build([act], tmp_path / "out")
    assert counts.chunks == 3 + 3 + 1
    assert sorted(reason for _, reason in rejected(tmp_path / "out")) == [
        "duplicate",
        "duplicate",
    ]
    earlier = list(read_jsonl(tmp_path / "out" / "earlier.jsonl", Chunk))
    assert [c.id for c in earlier] == ["가람법@2020-07-01/제1조"]
    pairs = [
        json.loads(line)
        for line in (tmp_path / "out" / "duplicates.jsonl").read_text().splitlines()
    ]
    assert {p["removed"] for p in pairs if "가람법" in p["first"]} == {False}


def test_codes_are_read_by_row_between_writes(tmp_path):
    codes = CodeSpool(tmp_path / "codes.bin")
    wanted = [duplicates.character_codes(text) for text in ("은행", "금융", "", "이용자")]
    codes.extend(wanted[:3])
    assert codes[0].tolist() == wanted[0].tolist()
    codes.extend(wanted[3:])
    assert [codes[n].tolist() for n in range(4)] == [item.tolist() for item in wanted]
    codes.close()
