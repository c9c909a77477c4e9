"""Chunks that are masked or rejected on their way into the corpus."""

from __future__ import annotations

from kofinlaw.files import read_jsonl
from kofinlaw.records import Chunk, Rejected

FILES = (
    "chunks.jsonl",
    "earlier.jsonl",
    "articles.jsonl",
    "citations.jsonl",
    "edges.jsonl",
    "duplicates.jsonl",
    "rejected.jsonl",
    "card.md",
    "card.json",
)


def chunks(out):
    return list(read_jsonl(out / "chunks.jsonl", Chunk))


def rejected(out):
    return [(r.id, r.reason) for r in read_jsonl(out / "rejected.jsonl", Rejected)]


def test_personal_data_is_masked_in_chunks_and_articles(build, act, tmp_path):
    text = (act / "가람법.md").read_text(encoding="utf-8")
    (act / "가람법.md").write_text(
        text.replace("알려야 하며", "010-1234-5678로 알려야 하며"), encoding="utf-8"
    )
    build([act], tmp_path / "mask")
    everything = "".join((tmp_path / "mask" / name).read_text(encoding="utf-8") for name in FILES)
    assert "010-1234-5678" not in everything
    assert "[전화번호]로 알려야 하며" in everything
    build([act], tmp_path / "reject", personal_data="reject")
    assert rejected(tmp_path / "reject") == [("가람법/제3조", "personal_data")]
    assert "010-1234-5678" not in (tmp_path / "reject" / "rejected.jsonl").read_text(
        encoding="utf-8"
    )
    build([act], tmp_path / "keep", personal_data="keep")
    assert any("010-1234-5678" in c.text for c in chunks(tmp_path / "keep"))


def test_protected_questions_do_not_get_into_the_corpus(build, act, tmp_path):
    question = (
        "은행 이용자가 수수료를 미리 알지 못한 경우에 은행이 하여야 하는 일로 옳은 것은 무엇인가?"
    )
    (act / "기출.md").write_text(
        f"# 기출 문제\n\n## 1번\n\n{question}\n\n## 2번\n\n다른 이야기를 길게 적는다.\n",
        encoding="utf-8",
    )
    build([act], tmp_path / "out", protected_texts=[question])
    assert rejected(tmp_path / "out") == [("기출_문제/1번", "contaminated")]
    assert question[:20] not in (tmp_path / "out" / "rejected.jsonl").read_text(encoding="utf-8")


def test_a_short_protected_text_does_not_hide_behind_a_chunks_header(build, act, tmp_path):
    question = "수수료를 미리 알려야 하는 자는?"
    (act / "기출.md").write_text(
        f"# 기출 문제\n\n## 1번\n\n{question}\n\n## 2번\n\n다른 이야기를 길게 적는다.\n",
        encoding="utf-8",
    )
    build([act], tmp_path / "out", protected_texts=[question], quality={"min_characters": 1})
    assert rejected(tmp_path / "out") == [("기출_문제/1번", "contaminated")]
