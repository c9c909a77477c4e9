"""The stage that scores several systems."""

import json

import pytest

from kofinlaw.files import write_jsonl
from kofinlaw.records import Answer, Key, Question
from kofinlaw.scoring.score import score_answers

CHOICE = [Question(f"q{i}", "다음 중 옳은 것은?", ("가", "나", "다", "라")) for i in range(1, 5)]

CHOICE_KEY = [Key(f"q{i}", answer=str(i), units=(f"법 제{i}조",)) for i in range(1, 5)]


def answer(name, text, evidence=(), **more):
    return Answer(name, text, tuple(evidence), **{"confidence": 0.5, "tokens": 1, **more})


def test_questions_without_a_key_are_left_out_and_counted(tmp_path, settings, embedder):
    write_jsonl(tmp_path / "q.jsonl", CHOICE)
    write_jsonl(tmp_path / "k.jsonl", CHOICE_KEY[:3])
    write_jsonl(tmp_path / "a" / "answers.jsonl", [answer(f"q{i}", "1") for i in range(1, 5)])
    score_answers(
        tmp_path / "q.jsonl",
        tmp_path / "k.jsonl",
        {"base": tmp_path / "a"},
        None,
        tmp_path / "out",
        settings=settings,
        embedder=embedder,
    )
    result = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert result["counts"] == {"questions": 3, "choice": 3, "free": 0, "without_key": 1}
    assert result["systems"]["base"]["foreign"] == []


def test_a_submission_is_scored_against_the_contests_question_file(tmp_path, settings):
    (tmp_path / "test.csv").write_text(
        'ID,Question\nq1,"다음 중 옳은 것은?\n1 가\n2 나\n3 다\n4 라"\nq2,"다음 중 옳은 것은?\n1 가\n2 나\n3 다\n4 라"\n',
        encoding="utf-8-sig",
    )
    (tmp_path / "submission.csv").write_text("ID,Answer\nq1,1\nq2,3\n", encoding="utf-8-sig")
    write_jsonl(tmp_path / "k.jsonl", CHOICE_KEY[:2])
    score_answers(
        tmp_path / "test.csv",
        tmp_path / "k.jsonl",
        {"answers": tmp_path / "submission.csv"},
        None,
        tmp_path / "out",
        settings=settings,
    )
    result = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert result["systems"]["answers"]["choice"]["value"] == 0.5
    assert result["embedder"] is None


def test_the_stage_writes_the_same_bytes_twice(run_folder, tmp_path, settings, embedder):
    def once(out):
        systems = {n: run_folder / f"answer-{n}" for n in ("base", "base-rag", "trained-rag")}
        return score_answers(
            run_folder / "questions/questions.jsonl",
            run_folder / "questions/key.jsonl",
            systems,
            run_folder / "data/chunks.jsonl",
            out,
            settings=settings,
            embedder=embedder,
            seed=42,
        )

    figures = once(tmp_path / "a").to_record()
    once(tmp_path / "b")
    for name in ("items.jsonl", "scores.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    result, again = (json.loads((tmp_path / run / "scores.json").read_text()) for run in "ab")
    for one in (result, again):
        del one["environment"]  # a commit by someone else between the two would change it
    assert result == again
    assert result["schema"] == "kofinlaw.scores/1"
    assert set(result["baselines"]) >= {"majority", "longest", "uniform", "echo"}
    assert result["embedder"]["name"] == "bigram-64"
    assert len(result["sha256"]) == 6
    assert figures["trained-rag.choice"] == round(
        result["systems"]["trained-rag"]["choice"]["value"], 4
    )
    rows = (tmp_path / "a" / "items.jsonl").read_text().splitlines()
    assert len(rows) == 3 * 72


def test_every_question_is_an_item_and_the_pairs_add_up(run_folder):
    result = json.loads((run_folder / "score" / "scores.json").read_text())
    for pair in result["pairs"]:
        assert pair["both"] + pair["only_a"] + pair["only_b"] + pair["neither"] == pair["n"] == 60
        value = {n: result["systems"][n]["choice"]["value"] for n in (pair["a"], pair["b"])}
        assert value[pair["b"]] - value[pair["a"]] == pytest.approx(pair["difference"])
