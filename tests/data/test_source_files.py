"""The list of files below a source."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.reject_log import UnreadFile
from kofinlaw.data.settings import DataSettings, SourceSettings
from kofinlaw.data.source_files import linked_files, list_files, source_path, unread_lines
from kofinlaw.files import read_jsonl
from kofinlaw.records import Rejected


def listed(folder, **source):
    files = list_files(SourceSettings(path=folder.name, **source), folder.parent)
    return [name for _, name in files.to_read], {f.name: f.reason for f in files.unread}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "문서" / "아래 폴더").mkdir(parents=True)
    (tmp_path / "문서" / "규정.md").write_text("글", encoding="utf-8")
    (tmp_path / "문서" / "아래 폴더" / "표 1.xlsx").write_bytes(b"x")
    return tmp_path / "문서"


def test_files_are_ordered_by_name_and_the_others_are_named(folder):
    (folder / ".숨김.md").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_bytes(b"x")
    (folder / ".cache").mkdir()
    (folder / "~$규정.docx").write_bytes(b"x")
    (folder / "발표.PPT").write_bytes(b"x")
    (folder / "이름만").write_bytes(b"x")
    os.mkfifo(folder / "관.md")
    read, unread = listed(folder)
    assert read == ["문서/규정.md", "문서/아래 폴더/표 1.xlsx"]
    assert unread == {
        "문서/.숨김.md": "hidden",
        "문서/.cache": "hidden",
        "문서/~$규정.docx": "lock_file",
        "문서/발표.PPT": "no_reader",
        "문서/이름만": "no_reader",
        "문서/관.md": "unreadable",
    }


def test_a_file_that_the_source_does_not_include_is_named(folder):
    assert listed(folder, include=("*.md",)) == (
        ["문서/규정.md"],
        {"문서/아래 폴더/표 1.xlsx": "not_included"},
    )


def test_a_link_to_a_read_file_is_named_and_one_to_a_folder_is_not_followed(folder):
    (folder / "가 링크.md").symlink_to("규정.md")
    (folder / "고리").symlink_to(folder, target_is_directory=True)
    read, unread = listed(folder)
    assert read == ["문서/규정.md", "문서/아래 폴더/표 1.xlsx"]
    assert unread == {"문서/가 링크.md": "link", "문서/고리": "link"}
    details = {
        f.name: f.detail for f in list_files(SourceSettings(path="문서"), folder.parent).unread
    }
    assert details["문서/가 링크.md"] == "a link to 문서/규정.md, which is read"


def test_a_link_to_a_file_that_is_not_read_itself_is_read_once(folder):
    (folder / "규정.old").write_text("글", encoding="utf-8")
    (folder / "나.md").symlink_to("규정.old")
    (folder / "다.md").symlink_to("나.md")
    read, unread = listed(folder)
    assert read == ["문서/규정.md", "문서/나.md", "문서/아래 폴더/표 1.xlsx"]
    assert unread == {"문서/규정.old": "no_reader", "문서/다.md": "link"}


def test_decomposed_names_are_found_matched_and_shown_composed(tmp_path):
    folder = tmp_path / unicodedata.normalize("NFD", "내규 모음")
    folder.mkdir()
    (folder / unicodedata.normalize("NFD", "여신 규정.md")).write_bytes(b"x")
    files = list_files(SourceSettings(path="내규 모음", include=("*규정*",)), tmp_path)
    assert [name for _, name in files.to_read] == ["내규 모음/여신 규정.md"]
    assert files.to_read[0][0].read_bytes() == b"x"
    assert source_path(SourceSettings(path="내규 모음"), tmp_path) == folder


def test_a_name_in_cp949_is_shown_as_text(folder):
    raw = os.fsencode(folder) + b"/" + "지침.md".encode("cp949")
    with open(raw, "wb") as handle:
        handle.write(b"x")
    assert "문서/지침.md" in listed(folder)[0]


def test_a_single_file_without_a_reader_and_a_missing_source(folder):
    (folder / "규정.hml").write_bytes(b"x")
    files = list_files(SourceSettings(path="규정.hml"), folder)
    assert [(f.reason, f.detail) for f in files.unread] == [
        ("no_reader", "no reader for .hml → save it as HWPX")
    ]
    with pytest.raises(UserError, match="no such file or folder"):
        list_files(SourceSettings(path="없음"), folder)


def test_lines_for_the_terminal_put_what_can_be_fixed_first_and_are_bounded():
    unread = [UnreadFile(f"a/.숨김{n}", "hidden", "a hidden file") for n in range(30)]
    unread.append(UnreadFile("a/깨진.pdf", "unreadable", "broken"))
    lines = unread_lines(40, unread)
    assert lines[0] == "9 of 40 files read, 30 hidden, 1 rejected"
    assert lines[1] == "rejected: a/깨진.pdf: broken"
    assert (len(lines), lines[-1]) == (22, "… and 11 more, in card.json")


@pytest.fixture
def outside(tmp_path):
    (tmp_path / "밖").mkdir()
    file = tmp_path / "밖" / "비밀.md"
    file.write_text("# 밖의 글\n\n제1조(목적) 밖의 비밀 문장이다.\n", encoding="utf-8")
    return file


def test_links_that_lead_outside_are_not_read(folder, outside, tmp_path):
    (folder / "절대.md").symlink_to(outside)
    (folder / "상대.md").symlink_to("../밖/비밀.md")
    (folder / "사슬.md").symlink_to(folder / "절대.md")
    (folder / "없음.md").symlink_to(tmp_path / "밖" / "없음.md")
    (folder / "장치.md").symlink_to("/dev/zero")
    (folder / "돌기.md").symlink_to(folder / "돌기.md")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    (folder / "숨긴 것.md").symlink_to(folder / ".git" / "config")
    (folder / "폴더").symlink_to(tmp_path / "밖", target_is_directory=True)
    (folder / "안.md").symlink_to("아래 폴더/../규정.md")
    read, unread = listed(folder)
    assert read == ["문서/규정.md", "문서/아래 폴더/표 1.xlsx"]
    names = ("절대", "상대", "사슬", "없음", "장치", "돌기", "숨긴 것", "안")
    assert unread == {f"문서/{name}.md": "link" for name in names} | {"문서/폴더": "link"}


def test_a_source_that_is_itself_a_link_is_read(folder, outside, tmp_path):
    (tmp_path / "연결").symlink_to(folder, target_is_directory=True)
    (folder / "안.md").symlink_to(folder / "규정.md")
    (folder / "밖.md").symlink_to(outside)
    read, unread = listed(tmp_path / "연결")
    assert read == ["연결/규정.md", "연결/아래 폴더/표 1.xlsx"]
    assert unread == {"연결/안.md": "link", "연결/밖.md": "link"}
    (tmp_path / "하나.md").symlink_to(outside)
    assert listed(tmp_path / "하나.md") == (["하나.md"], {})


def test_the_recipe_may_follow_links(folder, outside):
    (folder / "밖.md").symlink_to(outside)
    read, unread = listed(folder, follow_links=True)
    assert "문서/밖.md" in read
    assert unread == {}
    source = SourceSettings(path=folder.name, follow_links=True)
    assert linked_files(source, folder.parent) == [folder / "밖.md"]
    assert linked_files(SourceSettings(path=folder.name), folder.parent) == []


def test_rejects_keep_no_text_from_outside_of_the_source(folder, outside, tmp_path):
    (folder / "규정.md").write_text("# 규정\n\n제1조(목적) 이 규정은 목적을 정한다.\n", "utf-8")
    (folder / "밖.md").symlink_to(outside)
    build_corpus(DataSettings(sources=[str(folder)]), tmp_path / "out", base=tmp_path)
    written = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not any("비밀".encode() in text for text in written)
    rejected = read_jsonl(tmp_path / "out" / "rejected.jsonl", Rejected)
    assert {r.reason: r.record for r in rejected if "밖" in r.id} == {"link": ""}


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_chain_of_links_leaves_the_source(tmp_path_factory, data):
    """Whatever the links are, a file is read only if its real path lies in the source."""
    top = tmp_path_factory.mktemp("t")
    places = [top / "s", top / "s" / "a", top / "o"]
    for number, place in enumerate(places):
        place.mkdir()
        (place / f"{number}.md").write_text(str(number))
    known = [f"{place}/{number}.md" for number, place in enumerate(places)]
    for number in range(data.draw(st.integers(1, 6))):
        name = data.draw(st.sampled_from(places)) / f"l{number}.md"
        target = data.draw(st.sampled_from([*known, str(places[1]), str(places[2])]))
        if data.draw(st.booleans()):
            target = os.path.relpath(target, name.parent)
        name.symlink_to(target)
        known.append(str(name))
    read = [path.resolve() for path, _ in list_files(SourceSettings(path="s"), top).to_read]
    assert all(path.is_relative_to(top / "s") for path in read)
    assert len(set(read)) == len(read)  # and only once
