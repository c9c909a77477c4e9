"""The list of files below a source."""

from __future__ import annotations

import os
import unicodedata

import pytest

from kofinlaw import UserError
from kofinlaw.data.reject_log import UnreadFile
from kofinlaw.data.settings import SourceSettings
from kofinlaw.data.source_files import list_files, source_path, unread_lines


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


def test_a_link_to_a_file_is_read_and_one_to_a_folder_is_not_followed(folder):
    (folder / "링크.md").symlink_to(folder / "규정.md")
    (folder / "고리").symlink_to(folder, target_is_directory=True)
    read, unread = listed(folder)
    assert "문서/링크.md" in read
    assert unread == {"문서/고리": "link"}


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
