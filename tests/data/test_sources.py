"""Source files: bad ones are rejected, missing and protected ones are errors."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.data import DataSettings, build_corpus, read_documents
from kofinlaw.files import read_jsonl
from kofinlaw.records import Chunk, Rejected


def test_a_source_that_is_a_protected_file_is_refused(build, act, tmp_path):
    with pytest.raises(UserError, match="protected"):
        build([act], tmp_path / "out", protected=[str(act / "가람법.md")])


def rejects(out):
    return {r.id: (r.reason, r.detail) for r in read_jsonl(out / "rejected.jsonl", Rejected)}


def test_a_bad_file_is_rejected_with_its_reason_and_the_others_are_read(build, act, tmp_path):
    (act / "빈.md").write_bytes(b"")
    (act / "깨진 이름.txt").write_bytes(b"\xff\xff\x81\x00\xfe\xfa" * 20)
    (act / "가짜.pdf").write_bytes(b"%PDF-1.7 nothing")
    (act / "가짜.hwpx").write_bytes(b"PK\x03\x04")
    (act / "그림.png").write_bytes(b"png")
    counts = build([act], tmp_path / "out")
    assert counts.documents == 1
    found = rejects(tmp_path / "out")
    assert set(found) == {"acts/빈.md", "acts/깨진 이름.txt", "acts/가짜.pdf", "acts/가짜.hwpx"}
    assert found["acts/빈.md"] == ("unreadable", "the file is empty")
    assert "cannot be opened" in found["acts/가짜.pdf"][1]


def test_an_empty_folder_and_a_missing_one_are_errors(build, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no document could be read"):
        build([tmp_path / "empty"], tmp_path / "out")
    with pytest.raises(UserError, match="no such file or folder"):
        build([tmp_path / "nowhere"], tmp_path / "out")


def test_a_folder_that_links_to_itself_ends(build, act, tmp_path):
    (act / "아래").symlink_to(act, target_is_directory=True)
    assert build([act], tmp_path / "out").documents == 1


def test_cp949_nul_bytes_and_a_truncated_file_are_read(files, build, tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "가 나.md").write_bytes(files.ACT.encode("cp949"))
    (folder / "다.md").write_bytes(
        files.ACT.replace("가람법", "나래법").encode()[:-7].replace(b"\n\n", b"\n\x00\n")
    )
    counts = build([folder], tmp_path / "out")
    assert counts.documents == 2
    chunks = list(read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk))
    assert {c.title for c in chunks} == {"가람법", "나래법"}
    assert not any("\x00" in c.text for c in chunks)


def test_a_reader_for_a_suffix_that_no_file_has_is_refused(act, tmp_path):
    settings = DataSettings.model_validate({"sources": [{"path": str(act)}]})
    for suffix in ("eml", ".EML"):
        with pytest.raises(UserError, match="not a file suffix") as error:
            build_corpus(settings, tmp_path / "out", base=tmp_path, extra_readers={suffix: None})
        assert error.value.remedy == "write it as `.eml`"


def test_half_of_a_surrogate_pair_does_not_end_the_build(build, act, tmp_path):
    text = "이체 한도는 영업점에서 본인 확인을 마친 날부터 올릴 수 있습니다. " * 3
    line = '{"text": "\\ud83d ' + text + '"}'
    (act / "게시판.jsonl").write_text(line + "\n", encoding="utf-8")
    assert build([act], tmp_path / "out").documents == 2
    chunks = (tmp_path / "out" / "chunks.jsonl").read_text(encoding="utf-8")
    assert "\ufffd 이체 한도는" in chunks


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        list(read_documents(tmp_path / "없음.md"))
