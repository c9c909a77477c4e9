"""`score`: a run without paths, one system, a file of any origin. `verify-citations`: all inputs."""

import io
import json
import shutil
import sys

import pytest


@pytest.fixture(scope="module")
def answered(pico, tmp_path_factory):
    """A finished run without training that answers with an engine without weights."""
    import kofinlaw

    folder = tmp_path_factory.mktemp("runs") / "한 은행"
    overrides = {
        "ask_only": True,
        "answer.engine": {"engine": "dummy"},
        "evaluate.systems": ["base", "base-rag"],
    }
    kofinlaw.run(str(pico / "recipe.yaml"), folder=folder, overrides=overrides)
    return folder


def row(said: str, system: str) -> list[str]:
    line = next(line for line in said.splitlines() if line.startswith(f"| {system} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("as_option", [True, False])
def test_a_run_needs_no_paths(answered, command, monkeypatch, tmp_path, as_option):
    monkeypatch.chdir(tmp_path)
    words = ["--run", answered] if as_option else [answered]
    code, out, err = command("score", *words)
    assert code == 0, out + err
    assert row(out, "base")[5] == "–"
    assert row(out, "base-rag")[5] != "–"
    assert (answered / "scores" / "run" / "scores.json").is_file()
    assert list(tmp_path.iterdir()) == []


def test_a_system_of_a_run_has_its_key_and_its_documents(answered, command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("score", answered / "answer-base-rag")
    assert code == 0, out + err
    assert row(out, "answers")[5] != "–"
    assert (answered / "scores" / "answer-base-rag" / "scores.md").is_file()
    assert list(tmp_path.iterdir()) == []


def test_answers_without_documents_have_no_hits(answered, pico, command, tmp_path):
    shutil.copytree(answered / "answer-base-rag", tmp_path / "mine")
    key = ["--questions", pico / "questions.jsonl", "--key", pico / "key.jsonl"]
    code, out, err = command("score", tmp_path / "mine", *key)
    assert code == 0, out + err
    assert row(out, "answers")[5] == "–"
    assert (tmp_path / "mine-scores" / "scores.json").is_file()
    code, _, err = command("score", tmp_path / "mine")
    assert (code, "--key: the right answers are missing" in err) == (1, True)


def test_a_run_says_what_is_missing(answered, command, tmp_path):
    run = tmp_path / "half"
    shutil.copytree(answered, run)
    shutil.rmtree(run / "answer-base-rag")
    code, _, err = command("score", run)
    assert (code, "has not finished answer-base-rag" in err) == (1, True)
    assert f"--folder {run} --until score" in err
    code, _, err = command("score", run, "--key", "k.jsonl")
    assert (code, "a run knows its questions" in err) == (1, True)


def test_answers_to_a_file_are_in_the_run(answered, pico, command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("answer", pico / "questions.jsonl", "--run", answered)
    assert code == 0, out + err
    assert (answered / "answers" / "questions" / "submission.csv").is_file()
    assert f"score {str(answered / 'answers' / 'questions')!r}" in out
    assert f"--key {pico / 'key.jsonl'}" in out
    assert list(tmp_path.iterdir()) == []


HOLDS, ABSENT = "전산점검 규정 제3조(보고)", "「전산점검 규정」 제99조"


def test_references_are_verified_against_a_run_and_against_a_corpus(answered, command, tmp_path):
    said = f"{HOLDS}와 같은 규정 제3조제2항"
    code, out, err = command("verify-citations", said, "--run", answered)
    assert code == 0, out + err
    assert "✓ 1:1 전산점검 규정 제3조 — holds: the words are those of" in out
    assert "2 references: 1 holds, 1 holds as far as the corpus says" in out
    file = tmp_path / "답.txt"
    file.write_text(f"첫 줄\n{ABSENT}와 은행법 제1조", encoding="utf-8")
    code, out, _ = command("verify-citations", file, "--data", answered / "data")
    assert code == 1
    assert (
        "✗ 2:1 「전산점검 규정」 제99조 — does not exist: 「전산점검 규정」 has 제1조–제6조" in out
    )
    assert "? 2:17 은행법 제1조 — cannot know: 「은행법」 is not in the corpus" in out


def test_references_of_a_pipe_as_json(answered, command, monkeypatch):
    words = f"{ABSENT}, 제4조".encode("utf-8-sig")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(words)))
    code, out, _ = command("verify-citations", "-", "--run", answered, "--json")
    found = json.loads(out)
    assert (code, found["source"], found["failed"]) == (1, "-", 1)
    assert found["counts"] == {"absent": 1, "holds": 1}
    first, second = found["citations"]
    assert (first["start"], first["end"], first["right"]) == (0, 14, "제1조–제6조")
    assert (second["target"], second["basis"]) == ("전산점검 규정 제4조", "existence")


def test_the_day_of_the_references(answered, command):
    words = ("verify-citations", HOLDS, "--run", answered, "--as-of")
    code, out, _ = command(*words, "2020. 1. 1.")
    assert code == 0
    assert "cannot know: the corpus has 「전산점검 규정」 from 2025-01-02 on only" in out
    assert "1 reference on 2020-01-01" in out
    code, out, _ = command(*words, "2026-01-01")
    assert (code, "— holds" in out) == (0, True)
    code, out, _ = command("verify-citations", "제9조", "--run", answered, "--act", "전산점검규정")
    assert (code, "does not exist" in out) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((" ",), "the text is empty"),
        (("없는.txt",), "there is no such file"),
        (("scan.pdf",), "there is no such file"),
        ((".",), "a folder is not a text"),
        ((HOLDS, "--as-of", "2025-02-30"), "is not a day"),
        ((HOLDS, "--act", "없는법"), "the corpus has no act '없는법'"),
        ((HOLDS, "--data", "elsewhere"), "leave one of them out"),
    ],
)
def test_what_cannot_be_verified_is_refused(answered, command, words, said):
    code, out, err = command("verify-citations", *words, "--run", answered)
    assert (code, out) == (1, "")
    assert said in err


def test_references_are_verified_against_documents(command, tmp_path):
    act = "---\n제목: 거래안전법\n법령구분: 법률\n시행일자: 2025-01-01\n---\n# 거래안전법\n\n##### 제1조 (목적)\n\n이 법은 전자거래의 안전을 확보하고 이용자를 보호하는 것을 목적으로 한다.\n"
    (tmp_path / "acts").mkdir()
    (tmp_path / "acts" / "거래안전법.md").write_text(act, encoding="utf-8")
    (tmp_path / "acts" / "사진.xyz").write_bytes(b"?")
    for place in (tmp_path / "acts", tmp_path / "acts" / "거래안전법.md"):
        code, out, err = command("verify-citations", "거래안전법 제1조와 제2조", "--data", place)
        assert code == 1, out + err
        assert "reading the documents in" in out
        assert "제2조 — does not exist: 「거래안전법」 has 제1조" in out
        assert ("사진.xyz" in out) == place.is_dir()
    words = ("verify-citations", "거래안전법 제1조", "--data", tmp_path / "acts", "--json")
    code, out, _ = command(*words)
    assert (code, json.loads(out)["counts"]) == (0, {"holds": 1})


def test_a_place_without_documents_is_named(command, tmp_path):
    code, _, err = command("verify-citations", HOLDS, "--data", tmp_path / "none")
    assert (code, "there is no such file or folder" in err) == (1, True)
    code, _, err = command("verify-citations", HOLDS, "--data", tmp_path)
    assert code == 1
    assert str(tmp_path) in err


def test_a_damaged_corpus_is_named(answered, command, tmp_path):
    shutil.copytree(answered / "data", tmp_path / "data")
    (tmp_path / "data" / "chunks.jsonl").rename(tmp_path / "chunks")
    code, _, err = command("verify-citations", HOLDS, "--data", tmp_path / "data")
    assert (code, "chunks.jsonl is missing" in err) == (1, True)
    (tmp_path / "chunks").rename(tmp_path / "data" / "chunks.jsonl")
    with open(tmp_path / "data" / "articles.jsonl", "a", encoding="utf-8") as handle:
        handle.write('{"id": ')
    code, _, err = command("verify-citations", HOLDS, "--data", tmp_path / "data")
    assert code == 1
    assert "articles.jsonl:19" in err
