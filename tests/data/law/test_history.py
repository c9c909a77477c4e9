"""The text in force on a day, from a git history."""

import datetime
import os
import re
import subprocess

import pytest

from kofinlaw import UserError
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.history import tracked_files, versions_in_force
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk, Rejected

TEXT = """---
제목: {title}
법령ID: '1'
공포일자: {promulgated}
시행일자: {in_force}
---

# {title}

##### 제1조 (목적)

이 법은 {words} 목적으로 한다.

##### 제2조 (정의)

정의는 따로 정한다.
"""


def git(folder, *arguments, day="2024-01-01"):
    when = f"{day}T12:00:00+0900"
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**plain_environment(), "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when},
    )


def plain_environment():
    """Return the environment of a user's shell, without what `offline` sets for git."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


@pytest.fixture
def clone(tmp_path):
    """Commits in another order than their days, as in a clone that was filled in act by act."""
    folder = tmp_path / "legalize kr"
    (folder / "kr" / "가람법").mkdir(parents=True)
    git(folder, "init", "-q")

    def amend(name, promulgated, in_force, words):
        path = folder / "kr" / "가람법" / name
        path.write_text(
            TEXT.format(
                title=name.removesuffix(".md"),
                promulgated=promulgated,
                in_force=in_force,
                words=words,
            ),
            encoding="utf-8",
        )
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"{name} {promulgated}", day=promulgated)

    amend("가람법.md", "2025-03-01", "2025-06-01", "둘째")
    amend("가람법.md", "2024-01-01", "2024-07-01", "첫째")
    amend("가람법.md", "2025-06-15", "2025-12-15", "셋째")
    amend("나래법.md", "2025-09-01", "2025-09-01", "나중")
    amend("다솜법.md", "2020-01-01", "2020-01-01", "없어질")
    (folder / "kr" / "가람법" / "다솜법.md").unlink()
    git(folder, "commit", "-qam", "폐지", day="2025-01-01")
    amend("가람법.md", "2026-01-01", "2026-01-01", "넷째")
    return folder


@pytest.mark.parametrize(
    "day, words",
    [
        ("2024-07-01", "첫째"),
        ("2025-05-31", "첫째"),
        ("2025-06-01", "둘째"),
        ("2025-07-31", "둘째"),
        ("2025-12-15", "셋째"),
        ("2026-02-01", "넷째"),
    ],
)
def test_the_version_in_force_on_a_day_is_read(clone, tmp_path, day, words):
    build_corpus(DataSettings(sources=[str(clone)], as_of=day), tmp_path / "out", base=tmp_path)
    articles = {a.id: a for a in read_jsonl(tmp_path / "out" / "articles.jsonl", Article)}
    assert articles["가람법 제1조"].text == f"이 법은 {words} 목적으로 한다."
    assert articles["가람법 제1조"].as_of <= day


def test_earlier_versions_of_the_history_are_in_the_corpus(clone, tmp_path):
    def known(first):
        settings = DataSettings(sources=[str(clone)], as_of="2026-02-01", history_from=first)
        build_corpus(settings, tmp_path / first, base=tmp_path)
        chunks = read_chunks(tmp_path / first / "chunks.jsonl")
        texts = [c for c in chunks if c.unit == "가람법 제1조"]
        return {(c.since, c.until): re.findall(r"법은 (\S+) 목", c.text)[0] for c in texts}

    assert known("2024-08-01") == {
        ("2026-01-01", ""): "넷째",
        ("2025-12-15", "2026-01-01"): "셋째",
        ("2025-06-01", "2025-12-15"): "둘째",
        ("2024-07-01", "2025-06-01"): "첫째",
    }
    assert list(known("2025-12-20").values()) == ["넷째", "셋째"]
    assert list(known("2026-01-15").values()) == ["넷째"]


def test_a_history_ends_on_the_day_of_the_law():
    for given in ({}, {"as_of": "2020-01-01"}):
        with pytest.raises(ValueError, match="history_from needs as_of"):
            DataSettings(sources=["acts"], history_from="2024-01-01", **given)


def test_repealed_and_later_acts_are_rejected_by_name(clone, tmp_path):
    build_corpus(
        DataSettings(sources=[str(clone)], as_of="2025-07-31"), tmp_path / "out", base=tmp_path
    )
    rejected = list(read_jsonl(tmp_path / "out" / "rejected.jsonl", Rejected))
    assert sorted((r.reason, r.detail) for r in rejected) == [
        ("not_in_force", "나래법 제1조 is in force from 2025-09-01"),
        ("repealed", "repealed on 2025-01-01"),
    ]
    chunks = list(read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk))
    assert {c.title for c in chunks} == {"가람법"}
    assert chunks[0].source.startswith("legalize kr/kr/가람법/가람법.md@")


def test_nothing_in_force_is_an_error_that_names_article_and_day(clone, tmp_path):
    with pytest.raises(UserError) as error:
        build_corpus(
            DataSettings(sources=[str(clone)], as_of="2019-12-31"), tmp_path / "out", base=tmp_path
        )
    assert "다솜법 제1조 is in force from 2020-01-01" in str(error.value)


def test_without_a_day_the_files_of_the_work_tree_are_read(clone, tmp_path):
    build_corpus(DataSettings(sources=[str(clone)]), tmp_path / "out", base=tmp_path)
    chunks = list(read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk))
    assert {c.title for c in chunks} == {"가람법", "나래법"}


def test_a_repository_cannot_make_us_run_its_programs(clone, tmp_path):
    mark = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    script.chmod(0o755)
    git(clone, "config", "core.fsmonitor", str(script))
    git(clone, "config", "diff.external", str(script))
    (clone / ".gitattributes").write_text("*.md diff=evil filter=evil\n")
    git(clone, "config", "diff.evil.textconv", str(script))
    mark.unlink(missing_ok=True)
    assert list(versions_in_force(clone, datetime.date(2025, 7, 31), ("*.md",)))
    assert not mark.exists()


def test_a_folder_outside_of_git_has_no_history(tmp_path):
    (tmp_path / "x").mkdir()
    assert tracked_files(tmp_path / "x") == set()


def test_a_shallow_or_partial_clone_is_refused_and_says_what_completes_it(clone, tmp_path):
    git(clone, "config", "uploadpack.allowFilter", "true")
    for option, step in (
        ("--depth=1", "fetch --unshallow"),
        ("--filter=blob:none", "fetch --refetch --no-filter"),
    ):
        folder = tmp_path / option.strip("-")
        git(tmp_path, "clone", "-q", option, "--no-checkout", f"file://{clone}", str(folder))
        git(folder, "config", "remote.origin.url", "ssh://example.invalid/x")
        with pytest.raises(UserError) as error:
            build_corpus(
                DataSettings(sources=[str(folder)], as_of="2025-07-31"),
                tmp_path / "out",
                base=tmp_path,
            )
        assert "the git history is not complete" in error.value.message
        assert step in error.value.remedy
        git(folder, "config", "remote.origin.url", f"file://{clone}")
        command = error.value.remedy[error.value.remedy.index("git -C") :]
        subprocess.run(
            command, shell=True, check=True, capture_output=True, env=plain_environment()
        )
        build_corpus(
            DataSettings(sources=[str(folder)], as_of="2025-07-31"), tmp_path / "out", base=tmp_path
        )


def test_odd_names_and_links_of_a_history_are_read_or_reported(clone, tmp_path):
    folder = clone / "kr" / ":(top)[가]*법"
    folder.mkdir()
    text = TEXT.format(title="라온법", promulgated="2024-01-01", in_force="2024-01-01", words="먼")
    (folder / '"줄\n바꿈".md').write_text(text, encoding="utf-8")
    (folder / "link.md").symlink_to("/etc/hostname")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "odd", day="2024-01-01")
    (folder / "staged.md").write_text(text, encoding="utf-8")
    git(clone, "add", "-A")  # never committed: the history has no version of it
    found = list(versions_in_force(folder, datetime.date(2025, 7, 31), ("*.md",)))
    assert sorted(version.state for version in found) == ["in_force", "link"]
    build_corpus(
        DataSettings(sources=[str(folder)], as_of="2025-07-31"), tmp_path / "out", base=tmp_path
    )
    chunks = read_chunks(tmp_path / "out" / "chunks.jsonl")
    assert {chunk.title for chunk in chunks} == {"라온법"}
    rejected = list(read_jsonl(tmp_path / "out" / "rejected.jsonl", Rejected))
    assert sorted({r.reason for r in rejected}) == ["link", "untracked"]
