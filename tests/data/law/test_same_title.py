"""Documents with one title: versions of one document, or unrelated files."""

from __future__ import annotations

import random

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.cleaning.sketches import sketch
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.same_title import same_content, separate_titles, versions_of_one
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings, SourceSettings
from kofinlaw.files import read_json_lines, sha256_text


def words(seed, count=400):
    letters = random.Random(seed)
    return " ".join(
        "".join(chr(letters.randrange(0xAC00, 0xD7A4)) for _ in range(3)) for _ in range(count)
    )


def facts(title, text, source="a", **more):
    return DocumentFacts(
        title, "rule", more.pop("day", ""), source, "", "docx", sha256_text(text), "",
        more.pop("row", 0), sketch=sketch(text), **more,
    )  # fmt: skip


def rule(seed, heading=""):
    lines = [f"# {heading}", ""] if heading else []
    lines += [f"제{n}조(조문{n}) {words(seed * 100 + n, 30)}한다." for n in range(1, 5)]
    return "\n".join(lines)


def write_docx(path, text, title):
    book = docx.Document()
    book.core_properties.title = title
    for line in text.split("\n"):
        if line.startswith("# "):
            book.add_heading(line[2:], level=1)
        elif line:
            book.add_paragraph(line)
    book.save(path)


def corpus(folder, out):
    build_corpus(DataSettings(sources=(SourceSettings(path=folder.name),)), out, base=folder.parent)
    titles = [row["title"] for _, row in read_json_lines(out / "chunks.jsonl")]
    rejected = [row["reason"] for _, row in read_json_lines(out / "rejected.jsonl")]
    earlier = list(read_json_lines(out / "earlier.jsonl"))
    return sorted(set(titles)), rejected, earlier, (out / "card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("title", ["가람은행", "Microsoft Word - 규정.doc", "제목을 입력하십시오"])
def test_unrelated_files_with_one_metadata_title_both_stay(tmp_path, title):
    folder = tmp_path / "규정"
    folder.mkdir()
    write_docx(folder / "여신.docx", rule(1), title)
    write_docx(folder / "b.docx", rule(2, "수신업무 규정"), title)
    titles, rejected, earlier, card = corpus(folder, tmp_path / "out")
    assert titles == ["수신업무 규정", "여신"]
    assert (rejected, earlier) == ([], [])
    assert ("여신" in card and "metadata" in card) == (title == "가람은행")


def test_similar_files_with_one_metadata_title_are_versions(tmp_path):
    folder = tmp_path / "규정"
    folder.mkdir()
    first = rule(1)
    dates = "\n부칙 <2020. 1. 1.>\n이 규정은 {}년 1월 1일부터 시행한다."
    write_docx(folder / "a.docx", first + dates.format(2020), "여신업무세칙")
    write_docx(folder / "b.docx", first.replace("한다.", "하여야 한다.", 1) + dates.format(2024),
               "여신업무세칙")  # fmt: skip
    titles, rejected, earlier, _ = corpus(folder, tmp_path / "out")
    assert (titles, rejected) == (["여신업무세칙"], [])
    assert [row["unit"] for _, row in earlier] == ["여신업무세칙 제1조"]


def test_unrelated_texts_that_state_one_title_get_a_number_and_a_warning(tmp_path):
    folder = tmp_path / "규정"
    folder.mkdir()
    for name, seed in (("a", 1), ("b", 2)):
        (folder / f"{name}.md").write_text(rule(seed, "업무 규정"), encoding="utf-8")
    titles, rejected, earlier, card = corpus(folder, tmp_path / "out")
    assert (titles, rejected, earlier) == (["업무 규정", "업무 규정 (2)"], [], [])
    assert "not versions of one document" in card


def test_what_the_law_says_wins_over_other_texts():
    one, other = words(1), words(2)
    shown = {"articles": True, "day": "2020-01-01"}
    assert not versions_of_one(facts("가", one), facts("가", other))
    assert versions_of_one(facts("가 규정", one, **shown), facts("가 규정", other, **shown))
    assert not versions_of_one(facts("가람은행", one, **shown), facts("가람은행", other, **shown))
    metadata = {**shown, "title_from": "metadata"}
    assert not versions_of_one(
        facts("가 규정", one, **metadata), facts("가 규정", other, **metadata)
    )
    assert versions_of_one(facts("가", one, law_number="1"), facts("가", other, law_number="1"))
    assert versions_of_one(facts("가", one, commit=True), facts("가", other, commit=True))


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(0, 120))
def test_a_changed_text_is_similar_and_another_text_is_not(seed, changed):
    text = words(seed)
    parts = text.split(" ")
    parts[:changed] = words(seed + 5000, changed).split(" ")
    assert same_content(facts("가", text), facts("가", " ".join(parts)))
    assert not same_content(facts("가", text), facts("가", words(seed + 9000)))


def test_hundreds_of_files_with_the_companys_name_get_their_own_titles():
    found = [
        facts("가람은행", words(n, 60), f"{n}.docx", row=n, title_from="metadata",
              other_title=f"규정 {n}") for n in range(40)
    ]  # fmt: skip
    log = RejectLog()
    assert [f.title for f in separate_titles(found, log)] == [f"규정 {n}" for n in range(40)]
    assert len(log.warnings) == 1
