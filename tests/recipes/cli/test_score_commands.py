"""The command `score`: a run without paths, one system, and a file of any origin."""

import shutil

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
