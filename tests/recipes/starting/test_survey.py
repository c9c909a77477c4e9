"""What `kofinlaw init` finds in a folder: every file is a document or left out by name."""

import importlib.util
import os
import unicodedata
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.augment.settings import AugmentSettings, RaftSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.models.settings import ModelSettings
from kofinlaw.recipes.starting.recipe_text import document_lines
from kofinlaw.recipes.starting.survey import (
    HOLDOUT_SHARE,
    MOST_FREE_QUESTIONS,
    MOST_TEST_QUESTIONS,
    survey_documents,
)

MODEL = ModelSettings(id="Qwen/Qwen2.5-7B-Instruct")  # its tokenizer is not on this machine

_spec = importlib.util.spec_from_file_location(
    "pico_run", Path(__file__).parents[1] / "conftest.py"
)
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)


_files = importlib.util.spec_from_file_location(
    "sample_files", Path(__file__).parents[2] / "data" / "sample_files.py"
)
sample_files = importlib.util.module_from_spec(_files)
_files.loader.exec_module(sample_files)


@pytest.fixture
def folder(tmp_path):
    """Three rulebooks, an older version of one, a table of questions, and three unusable files."""
    place = pico_run.write_documents(tmp_path / unicodedata.normalize("NFD", "내규"))
    newest = (place / "전산점검_규정.md").read_text(encoding="utf-8")
    older = newest.replace("2025-01-02", "2020-01-02").replace("3일", "9일")
    (place / "전산점검_규정_2020.md").write_text(older, encoding="utf-8")
    rows = [
        f"비밀번호를 {n}번 틀리면 어떻게 하나요?,창구에서 본인 확인 후 {n}분 안에 풀어 드립니다."
        for n in range(3, 9)
    ]
    (place / "문답.csv").write_text("질문,답변\n" + "\n".join(rows), encoding="utf-8")
    (place / "그림.xyz").write_bytes(b"\0\1")
    (place / "빈.md").write_text("\n", encoding="utf-8")
    (place / "깨진.pdf").write_bytes(b"%PDF-1.7 broken")
    return place


def test_every_file_is_a_document_or_left_out(folder):
    survey, corpus = survey_documents(folder, "open", 512, MODEL)
    corpus.close()
    read = {one.file for one in survey.documents}
    left = {one.name: one.reason for one in survey.left_out}
    assert survey.files == 8
    assert set(left) == {"그림.xyz", "빈.md", "깨진.pdf"}
    assert all(left.values())
    assert not read & set(left)
    assert {"전산점검_규정.md", "문답.csv"} <= read
    assert survey.acts == 3
    assert not corpus.path.exists()


def test_pages_that_need_ocr_are_left_out_by_number(tmp_path, monkeypatch):
    place = pico_run.write_documents(tmp_path / "내규")
    sample_files.make_scan(place / "혼합.pdf", "ts")
    sample_files.make_scan(place / "스캔.pdf", "s")
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    survey, corpus = survey_documents(place, "open", 512, MODEL)
    corpus.close()
    left = {one.name: one.reason for one in survey.left_out}
    assert left["혼합.pdf"].startswith("page 2: no text layer → Tesseract is not installed")
    assert left["스캔.pdf"].startswith("page 1: no text layer → Tesseract is not installed")
    assert "혼합.pdf" in {one.file for one in survey.documents}


def test_a_folder_whose_name_is_not_utf_8_is_refused(tmp_path):
    place = tmp_path / os.fsdecode("내규".encode("cp949"))
    with pytest.raises(UserError, match="is not UTF-8") as caught:
        survey_documents(place, "open", 512, MODEL)
    assert caught.value.where.endswith("/내규")


def test_a_file_of_many_documents_is_one_line(folder):
    survey, corpus = survey_documents(folder, "open", 512, MODEL)
    corpus.close()
    lines = document_lines(survey.documents)
    many = [line for line in lines if "문답.csv" in line]
    assert len(many) == 1
    assert any(
        "전산점검 규정 (rule, in force from 2025-01-02, Apache-2.0): 6 articles" in line
        for line in lines
    )


def test_the_count_is_that_of_the_run(folder, tmp_path):
    _, corpus = survey_documents(folder, "open", 512, MODEL)
    with corpus:
        found = corpus.possible(most_items=500, holdout=True, evidence_tokens=300)
        made = generate_examples(
            AugmentSettings(
                items=500,
                holdout_share=HOLDOUT_SHARE,
                holdout_items=MOST_TEST_QUESTIONS,
                holdout_free=MOST_FREE_QUESTIONS,
                raft=RaftSettings(max_evidence_tokens=300),
            ),
            corpus.path,
            tmp_path / "made",
            seed=42,
            count_tokens=corpus.count_tokens,
        )
    assert len(found.held_out) == 1
    assert found.tests > 0
    assert 0 < found.examples <= 500
    assert (found.items, found.examples, found.tests) == (made.items, made.examples, made.heldout)
    assert sum(found.kinds.values()) == found.examples
    assert not found.exact  # no tokenizer: lengths are estimated
    assert found.low < found.examples < found.high
