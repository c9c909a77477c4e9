"""The stage that scores several systems."""

import json
import shutil
from dataclasses import replace

import pytest

from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.records import Answer, Key, Question
from kofinlaw.scoring.report.page_scores import score_context
from kofinlaw.scoring.score import score_answers
from kofinlaw.scoring.stats.paired import mcnemar_exact

RAG = ("base-rag", "trained-rag")
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
    assert result["schema"] == "kofinlaw.scores/2"
    solvers = {"majority", "longest", "uniform", "stem_overlap"}
    solvers |= {f"{kind}:{rag}" for kind in ("overlap", "look_up") for rag in RAG}
    free = {"echo", *(f"sentence:{rag}" for rag in RAG)}
    assert set(result["baselines"]) == solvers | free
    assert set(result["solvers"]) == solvers
    assert result["embedder"]["name"] == "bigram-64"
    assert len(result["sha256"]) == 6
    assert figures["trained-rag.choice"] == round(
        result["systems"]["trained-rag"]["choice"]["value"], 4
    )
    rows = (tmp_path / "a" / "items.jsonl").read_text().splitlines()
    assert len(rows) == 3 * 72


def test_every_system_is_tested_against_the_baselines_that_read_what_it_read(run_folder):
    result = json.loads((run_folder / "score" / "scores.json").read_text())
    found = {(one["system"], one["baseline"]): one for one in result["against"]}
    plain = {name for name in result["solvers"] if ":" not in name}
    assert {baseline for system, baseline in found if system == "base"} == plain
    for rag in RAG:
        own = {f"overlap:{rag}", f"look_up:{rag}"}
        assert {baseline for system, baseline in found if system == rag} == plain | own
    for (system, baseline), one in found.items():
        value = result["systems"][system]["choice"]["value"]
        assert one["difference"] == pytest.approx(value - result["baselines"][baseline]["value"])
        assert one["p_value"] == mcnemar_exact(one["only_baseline"], one["only_system"])
        broken = one["difference"] * one["n"] - (one["only_system"] - one["only_baseline"])
        assert abs(broken) <= one["tied"]


def test_the_recorded_text_is_what_baselines_and_claims_read(run_folder, tmp_path, settings):
    """Only the text decides: the same answers with the key's option in the prompt, or without."""
    questions = list(read_jsonl(run_folder / "questions/questions.jsonl", Question))
    key = {k.id: k for k in read_jsonl(run_folder / "questions/key.jsonl", Key)}
    choice = [q for q in questions if q.options]

    def scored(name, texts_of, plans=("full",)):
        folder = tmp_path / name
        shutil.copytree(run_folder / "answer-base-rag", folder)
        rows = []
        for place, q in enumerate(choice):
            texts = texts_of(q)
            plan = plans[place % len(plans)]
            rows.append({"id": q.id, "turn": 0, "plan": plan, "shown": len(texts), "texts": texts})
        write_jsonl(folder / "plan.jsonl", rows)
        score_answers(
            run_folder / "questions/questions.jsonl",
            run_folder / "questions/key.jsonl",
            {"base-rag": folder, "trained-rag": run_folder / "answer-trained-rag"},
            run_folder / "data/chunks.jsonl",
            folder / "score",
            settings=settings.model_copy(update={"embedder": None}),
            seed=42,
        )
        return json.loads((folder / "score" / "scores.json").read_text())

    def right_option(q):
        wanted = int(key[q.id].answer) - 1
        shown = [o for n, o in enumerate(q.options) if (n == wanted) != is_negative(q.question)]
        return [" / ".join(shown)]

    with_key = scored("key", right_option, plans=("full", "half-context"))
    assert with_key["solvers"]["look_up:base-rag"]["basis"] == "shown"
    assert with_key["solvers"]["look_up:trained-rag"]["basis"] == "passages"
    assert with_key["baselines"]["look_up:base-rag"]["value"] > 0.9
    assert with_key["systems"]["base-rag"]["plans"] == {"full": 30, "half-context": 30}
    without = scored("nothing", lambda q: ["아무 관계 없는 글"])
    assert without["baselines"]["look_up:base-rag"]["value"] < 0.4
    assert "30 of 60 answers not under the full plan" in (
        tmp_path / "key" / "score" / "scores.md"
    ).read_text("utf-8")


def test_every_question_is_an_item_and_the_pairs_add_up(run_folder):
    result = json.loads((run_folder / "score" / "scores.json").read_text())
    for pair in result["pairs"]:
        assert pair["both"] + pair["only_a"] + pair["only_b"] + pair["neither"] == pair["n"] == 60
        value = {n: result["systems"][n]["choice"]["value"] for n in (pair["a"], pair["b"])}
        assert value[pair["b"]] - value[pair["a"]] == pytest.approx(pair["difference"])


def test_cited_law_is_verified_in_scores_and_report(run_folder, tmp_path, settings, embedder):
    cited = {
        "base": "가람은행 전자금융규정 제9조와 제100조, 가람은행 전자금융규정 제200조",
        "base-rag": "정해진 바가 없다.",
    }
    for name, text in cited.items():
        answers = list(read_jsonl(run_folder / f"answer-{name}" / "answers.jsonl", Answer))
        free = [replace(a, answer=text) if a.id.startswith("FR") else a for a in answers]
        write_jsonl(tmp_path / name / "answers.jsonl", free)
    score_answers(
        run_folder / "questions/questions.jsonl",
        run_folder / "questions/key.jsonl",
        {name: tmp_path / name for name in cited},
        run_folder / "data/chunks.jsonl",
        tmp_path / "out",
        settings=settings,
        embedder=embedder,
    )
    scores = json.loads((tmp_path / "out" / "scores.json").read_text(encoding="utf-8"))
    found = scores["systems"]["base"]["law_citations"]
    assert (found["citations"], found["holds"], found["refuted"]) == (36, 12, 24)
    assert scores["systems"]["base-rag"]["law_citations"] is None
    page = (tmp_path / "out" / "scores.md").read_text(encoding="utf-8")
    assert "| base | 12 | 36 | 33.3 | 24 | 0 |" in page
    (row,) = score_context(scores)["law_citations"]
    assert row["l"] == found
