"""Source files: bad ones are rejected, missing and protected ones are errors."""

from __future__ import annotations

import json
import os
import re

import pytest

from kofinlaw import UserError, silent
from kofinlaw.data import DataSettings, build_corpus, read_documents
from kofinlaw.data.chunking import chunk_document
from kofinlaw.data.readers.formats import read_markdown
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import SourceSettings
from kofinlaw.data.sources import read_sources
from kofinlaw.errors import MachineError
from kofinlaw.files import read_json_lines, read_jsonl
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
    assert set(found) == {
        "acts/빈.md",
        "acts/깨진 이름.txt",
        "acts/가짜.pdf",
        "acts/가짜.hwpx",
        "acts/그림.png",
    }
    assert found["acts/그림.png"][0] == "unreadable"
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
    settings = DataSettings.model_validate(
        {"sources": [{"path": str(act), "include": ["*.eml", "*.md"]}]}
    )
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


def test_every_file_is_read_or_named_in_the_card_the_rejects_and_the_last_lines(
    build, act, tmp_path
):
    (act / "표지.docm").write_bytes(b"old")
    (act / "빈.md").write_bytes(b"")
    (act / "짧은.txt").write_text("가나다", encoding="utf-8")
    (act / "사본").symlink_to(act, target_is_directory=True)
    (act / "없음.md").symlink_to(act / "사라진 파일.md")
    counts = build([act], tmp_path / "out")
    assert counts.files == 6
    assert counts.last_lines[0].startswith("1 of 6 files read, ")
    card = (tmp_path / "out" / "card.md").read_text(encoding="utf-8")
    assert "1 of 6 files are read." in card
    wanted = {
        "acts/표지.docm": (
            "no_reader",
            "no reader: acts/표지.docm: no reader for .docm → save it as DOCX",
        ),
        "acts/빈.md": ("unreadable", "rejected: acts/빈.md: the file is empty"),
        "acts/짧은.txt": ("no_chunk", "no chunk left: acts/짧은.txt: every chunk was rejected"),
        "acts/사본": ("link", "link: acts/사본: a link to a folder is not followed"),
        "acts/없음.md": ("unreadable", "rejected: acts/없음.md: a link to a missing file"),
    }
    records = rejects(tmp_path / "out")
    for name, (reason, line) in wanted.items():
        assert any(shown.startswith(line) for shown in counts.last_lines), line
        assert f"| {name} | {reason} |" in card
        assert name in records or reason == "no_chunk"
    assert [r for r in records if "짧은" in r]  # its chunk


def test_a_folder_without_a_known_form_names_its_files(build, tmp_path):
    (tmp_path / "옛 파일").mkdir()
    (tmp_path / "옛 파일" / "규정.docm").write_bytes(b"old")
    with pytest.raises(UserError, match="no document could be read") as error:
        build([tmp_path / "옛 파일"], tmp_path / "out")
    assert "옛 파일/규정.docm: no reader for .docm → save it as DOCX" in error.value.remedy
    assert list(rejects(tmp_path / "out")) == ["옛 파일/규정.docm"]


def test_a_reader_that_fails_in_an_unforeseen_way_rejects_only_its_file(act, tmp_path):
    def read_eml(path, source, limits, name):
        raise KeyError("Subject")
        yield

    (act / "편지.eml").write_bytes(b"mail")
    source = {"path": str(act), "include": ["*.md", "*.eml"]}
    counts = build_corpus(
        DataSettings.model_validate({"sources": [source]}),
        tmp_path / "out",
        base=tmp_path,
        extra_readers={".eml": read_eml},
    )
    assert counts.documents == 1
    assert rejects(tmp_path / "out") == {"acts/편지.eml": ("unreadable", "KeyError: 'Subject'")}


def test_a_table_without_a_record_with_text_is_named(build, act, tmp_path):
    (act / "머리글만.csv").write_text("질문,답변\n", encoding="utf-8")
    (act / "답 없음.csv").write_text("질문,답변\n한도는 얼마인가?,\n", encoding="utf-8")
    counts = build([act], tmp_path / "out")
    assert counts.last_lines == (
        "1 of 3 files read, 2 empty",
        "empty: acts/답 없음.csv: no record with text",
        "empty: acts/머리글만.csv: no record with text",
    )


def test_a_protected_file_is_refused_with_a_reader_of_the_caller_too(act, tmp_path):
    (act / "시험.eml").write_bytes(b"protected")
    (tmp_path / "protected.eml").write_bytes(b"protected")
    settings = DataSettings.model_validate(
        {"sources": [{"path": str(act), "include": ["*.eml"]}], "protected": ["protected.eml"]}
    )
    with pytest.raises(UserError, match="this source is a protected file"):
        build_corpus(
            settings, tmp_path / "out", base=tmp_path, extra_readers={".eml": read_markdown}
        )


BAD_RECORDS = {
    "[1, 2]": "line 2 is no JSON object",
    "7": "line 3 is no JSON object",
    '{"title": "가", "text": "나"': "line 4 is not JSON",
    '{"title": "가", "text": ' + "9" * 5000 + "}": "too many digits",
    '{"title": "가", "text": ' + "[" * 100000 + "}": "nested too deeply",
    '{"title": "가", "other": "나"}': "no text column",
}


def test_a_bad_record_is_one_rejection_and_the_others_are_read(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    good = [
        {"title": f"규정 {n}", "text": f"은행은 \ud83d 확인한다. {word * 40}"}
        for n, word in ((1, "장부를 쓴다. "), (2, "금고를 닫는다. "))
    ]
    lines = [json.dumps(good[0]), *BAD_RECORDS, '{"title": "빈", "text": NaN}', json.dumps(good[1])]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "빈.txt").write_text(" \n\u200b\ufeff\n", encoding="utf-8")
    (folder / "none.txt").symlink_to(tmp_path / "none")
    (folder / "규정.md").write_text("# 규정\n\n은행은 확인한다.\n" * 9, encoding="utf-8")
    (tmp_path / "docs" / os.fsdecode("보고.md".encode("cp949"))).write_text(
        "# 보고\n\n" + "글. " * 90
    )
    settings = DataSettings(sources=(SourceSettings(path="docs"),))
    build_corpus(settings, tmp_path / "out", base=tmp_path)
    rejected = {row["id"]: row for _, row in read_json_lines(tmp_path / "out" / "rejected.jsonl")}
    for number, reason in enumerate(BAD_RECORDS.values(), 2):
        assert reason in rejected[f"docs/a.jsonl#{number}"]["detail"]
    card = (tmp_path / "out" / "card.md").read_text(encoding="utf-8")
    assert f"a.jsonl: {len(BAD_RECORDS)} of its records cannot be read" in card
    assert rejected["docs/a.jsonl#8"]["reason"] == "empty"
    assert rejected["docs/빈.txt"]["reason"] == "empty"
    assert "docs/none.txt" in rejected
    titles = {row["title"] for _, row in read_json_lines(tmp_path / "out" / "chunks.jsonl")}
    assert {"규정 1", "규정 2", "보고"} <= titles


def test_a_table_of_which_no_record_can_be_read_is_one_rejection(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"other": 1}\n[2]\n', encoding="utf-8")
    log = RejectLog()
    read_sources(DataSettings(sources=(SourceSettings(path="a.jsonl"),)), tmp_path, log, silent)
    assert [(file.name, file.reason) for file in log.unread] == [("a.jsonl", "unreadable")]
    assert "no text column" in log.unread[0].detail


def test_a_document_that_cannot_be_split_is_one_rejection(tmp_path, monkeypatch):
    def fails(document, *rest):
        if document.title == "나쁨":
            raise RecursionError
        return chunk_document(document, *rest)

    monkeypatch.setattr("kofinlaw.data.jobs.splitting.chunk_document", fails)
    for name in ("나쁨", "좋음"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\n" + "은행은 확인한다. " * 20)
    settings = DataSettings(sources=(SourceSettings(path="."),))
    build_corpus(settings, tmp_path / "out", base=tmp_path)
    rejected = [row for _, row in read_json_lines(tmp_path / "out" / "rejected.jsonl")]
    found = [row for row in rejected if row["reason"] == "failed"]
    assert [row["id"].rpartition("/")[2] for row in found] == ["나쁨.md"]
    assert "nested too deeply" in found[0]["detail"]


def test_too_many_open_files_ends_the_build_and_rejects_no_file(act, tmp_path, no_more_files):
    (act / "가.eml").write_text("제1조(목적)", encoding="utf-8")

    def read(path, source, limits, name):
        with no_more_files():
            try:
                return [path.read_bytes()]
            except OSError as error:
                raise UserError("the file is damaged") from error

    settings = DataSettings.model_validate(
        {"sources": [{"path": str(act), "include": ["*.eml", "*.md"]}]}
    )
    with pytest.raises(MachineError, match="too many open files"):
        build_corpus(settings, tmp_path / "out", base=act, extra_readers={".eml": read})


def test_a_file_that_may_not_be_read_is_rejected_for_that_reason(build, act, tmp_path):
    def read(path, source, limits, name):
        try:
            raise PermissionError(13, "Permission denied", str(path))
        except OSError as error:
            raise UserError("the PPTX file is damaged") from error
        yield

    (act / "가.eml").write_text("제1조(목적)", encoding="utf-8")
    settings = DataSettings.model_validate(
        {"sources": [{"path": str(act), "include": ["*.eml", "*.md"]}]}
    )
    build_corpus(settings, tmp_path / "out", base=act, extra_readers={".eml": read})
    reason, detail = rejects(tmp_path / "out")["acts/가.eml"]
    assert reason == "unreadable"
    assert detail.startswith("this file or folder may not be read or written → fix its permissions")


def test_the_card_shows_titles_licences_and_names_as_text(tmp_path):
    folder = tmp_path / "acts"
    folder.mkdir()
    bad = "<script>alert(1)</script> [눌러](javascript:x) ![a](https://evil.example) | 칸"
    text = f"---\n제목: '{bad}'\nlicense: '{bad}'\n시행일자: 2024-01-01\n---\n\n# {bad}\n\n"
    body = "##### 제1조 (목적)\n\n이 규정은 목적을 정한다.\n"
    (folder / "a<b>.md").write_text(text + body, encoding="utf-8")
    (folder / "<img src=x>.zip").write_bytes(b"x")
    build_corpus(DataSettings(sources=[str(folder)]), tmp_path / "out", base=tmp_path)
    card = (tmp_path / "out" / "card.md").read_text(encoding="utf-8")
    assert "alert" in card
    assert not re.search(r"<[A-Za-z/!]", card)
    assert "](" not in card.replace("\\](", "")
    assert "https://evil" not in card
