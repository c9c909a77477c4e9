"""The plan: memory, policy and dates checked without weights."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ACT = """---
제목: 전자서명법
법령ID: '000001'
법령구분: 법률
시행일자: {day}
공포일자: {day}
---

# 전자서명법

##### 제1조 (목적)

이 법은 전자문서의 안전성을 확보하기 위하여 {what}을 정함을 목적으로 한다.
"""
ARTICLES = "\n\n".join(
    f"##### 제{n}조 (보고)\n\n담당부서는 제{n}호의 일을 안 날부터 {n}일 이내에 은행장에게 보고하여야 한다."
    for n in range(3, 30)
)
# The statute of the fixture is the only document that is held out.
TRAINABLE = [
    "augment.items=40",
    "augment.holdout_documents=[전자서명법]",
    "evaluate.heldout=false",
    "train.effective_batch=2",
]


def git(folder: Path, *arguments: str, day: str) -> None:
    stamp = f"{day}T09:00:00+09:00"
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp},
    )


@pytest.fixture
def statutes(tmp_path) -> Path:
    """A git clone of a statute, in the version of 2024 and one of 2026 on top, and of a rulebook
    from which examples can be made.
    """
    folder = tmp_path / "statutes"
    folder.mkdir()
    git(folder, "init", "-q", day="2024-01-02")
    head, _, _ = ACT.replace("전자서명법", "점검 규정").partition("##### 제1조")
    text = head.format(day="2024-01-02") + ARTICLES
    (folder / "점검 규정.md").write_text(text, encoding="utf-8")
    for day, what in (("2024-01-02", "기본적인 사항"), ("2026-01-02", "새로운 사항")):
        (folder / "전자서명법.md").write_text(ACT.format(day=day, what=what), encoding="utf-8")
        git(folder, "add", ".", day=day)
        git(folder, "commit", "-q", "-m", day, day=day)
    return folder


@pytest.mark.parametrize("recipe", ["exaone-3.5-7.8b", "solar-10.7b", "qwen2.5-7b"])
def test_the_card_recipes_plan_without_weights(command, tmp_path, statutes, recipe):
    code, out, _ = command(
        "plan",
        recipe,
        "--json",
        "--runs",
        str(tmp_path),
        "--set",
        f"data.sources={statutes}",
        *[word for value in TRAINABLE for word in ("--set", value)],
    )
    plan = json.loads(out)
    assert plan["problems"] == []
    assert code == 0
    assert plan["machine"]["gib"] == 24
    assert not plan["machine"]["here"]
    assert "this machine does not have" in plan["machine"]["origin"]
    assert any("hf download" in warning for warning in plan["warnings"])
    assert 4 < plan["memory"]["total_gib"] < 24
    assert plan["memory"]["limit_gib"] == 24
    assert plan["training"]["hours"] < 24
    assert plan["training"]["tokens"] > 1000
    assert 15 < plan["answering"]["total_gib"] < 24
    assert 1 < plan["answering"]["terms_gib"]["embedder"] < 1.5  # in half precision
    contest = next(row for row in plan["answering_times"] if row["file"] == "submission")
    assert (contest["questions"], contest["budget_minutes"]) == (515, 270)
    assert 0 < contest["minutes"] < contest["minutes_all"] < 270
    assert contest["basis"] == "arithmetic"
    assert plan["memory"]["micro_batch"] >= 1
    assert plan["answering"]["budget_minutes"] == 270


def test_text_in_force_after_the_cut_off_is_refused_with_its_date(command, tmp_path, statutes):
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "전자서명법.md").write_text((statutes / "전자서명법.md").read_text("utf-8"), "utf-8")
    code, out, _ = command(
        "plan",
        "qwen2.5-7b",
        "--json",
        "--runs",
        str(tmp_path),
        "--set",
        f"data.sources={plain}",
        "--set",
        "data.as_of=null",
    )
    assert code == 1
    assert any("전자서명법" in p and "2026-01-02" in p for p in json.loads(out)["problems"])


def test_the_contest_refuses_the_sample_corpus(command, tmp_path):
    code, out, _ = command(
        "plan",
        "quickstart",
        "--json",
        "--runs",
        str(tmp_path),
        "--set",
        "policy=contest-2025",
    )
    problems = "\n".join(json.loads(out)["problems"])
    assert code == 1
    assert "gemma-3-270m" in problems
    assert "2026" in problems


@pytest.mark.parametrize("recipe", ["exaone-teacher", "solar-teacher", "qwen-teacher"])
def test_the_teacher_recipes_plan_memory_first_and_hours_after_the_data_stage(
    command, tmp_path, statutes, recipe
):
    words = [recipe, "--runs", str(tmp_path), "--set", f"data.sources={statutes}"]
    words += ["--set", "augment.holdout_documents=[]", "--set", "augment.holdout_items=0"]
    words += ["--set", "evaluate.heldout=false", "--set", "train.memory_limit_gib=24"]
    _, out, _ = command("plan", *words, "--json")
    plan = json.loads(out)
    assert plan["problems"] == []
    teacher = plan["teacher"]
    assert teacher["outputs"] == 2400
    assert 4 < teacher["total_gib"] < 24
    assert (teacher["requests"], teacher["hours"]) == (None, None)
    folder = tmp_path / recipe / "data"
    folder.mkdir(parents=True)
    rows = _articles(ARTICLES)
    (folder / "articles.jsonl").write_text(rows, encoding="utf-8")
    plan = json.loads(command("plan", *words, "--json")[1])
    assert plan["teacher"]["requests"] > 0
    assert plan["teacher"]["hours"] > 0
    shown = command("plan", *words)[1]
    assert f"{plan['teacher']['requests']} requests" in shown


def _articles(act):
    from kofinlaw.data.law.statute import parse_statute
    from kofinlaw.files import dumps
    from kofinlaw.records import Article

    found = []
    for node in parse_statute(act).articles:
        names = (f"점검 규정 {node.number}", "점검 규정", "점검 규정", "rule", node.number)
        rest = (node.deleted, "2025-01-01", "test", "test", ())
        found.append(
            Article(*names, node.heading, "", node.lead, node.text, node.provisions, *rest)
        )
    return "".join(dumps(article) + "\n" for article in found)


def test_an_exaone_teacher_is_refused_for_another_student(command, tmp_path, statutes):
    words = ["exaone-teacher", "--runs", str(tmp_path), "--set", f"data.sources={statutes}"]
    words += ["--set", "model.id=Qwen/Qwen2.5-7B-Instruct", "--set", "merge.name=Qwen-kofinlaw"]
    code, out, _ = command("plan", *words)
    assert code == 1
    assert "may train only EXAONE derivatives" in out


def test_a_checker_must_be_allowed_to_teach_too(command, tmp_path, statutes):
    words = ["qwen-teacher", "--runs", str(tmp_path), "--set", f"data.sources={statutes}"]
    words += ["--set", "augment.teacher.checker.model.id=LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"]
    code, out, _ = command("plan", *words)
    assert code == 1
    assert "may train only EXAONE derivatives" in out


def test_a_recipe_that_only_asks_needs_no_space_for_a_merged_model(command, statutes, tmp_path):
    words = ("--json", "--runs", str(tmp_path), "--set", f"data.sources={statutes}")
    needed = json.loads(command("plan", "ask-documents", *words)[1])["disk"]["needed_gib"]
    assert needed == 1.0


def test_a_recipe_that_trains_an_embedder_shows_what_it_takes(command, statutes, tmp_path):
    words = ("--runs", str(tmp_path), "--set", f"data.sources={statutes}")
    plan = json.loads(command("plan", "fit-retriever", "--json", *words)[1])
    assert plan["retriever"] is None  # every article has the same heading and one sentence
    assert any("no pairs to train on" in problem for problem in plan["problems"])
    (statutes / "보존 규정.md").write_text(
        "# 보존 규정\n\n##### 제1조 (기록의 보존)\n\n회사는 기록을 보존한다.\n\n"
        "##### 제2조 (보존한 기록의 파기)\n\n회사는 기록을 파기한다.\n",
        encoding="utf-8",
    )
    plan = json.loads(command("plan", "fit-retriever", "--json", *words)[1])
    assert plan["retriever"]["method"] == "static"
    assert plan["retriever"]["pairs"] == sum(plan["retriever"]["kinds"].values()) > 0
    assert "fit-retriever: static" in command("plan", "fit-retriever", *words)[1]
    assert json.loads(command("plan", "ask-documents", "--json", *words)[1])["retriever"] is None


def test_the_option_card_decides_memory_and_hours(command, pico, tmp_path):
    words = ["plan", str(pico / "recipe.yaml"), "--runs", str(tmp_path), "--json"]
    code, out, _ = command(*words, "--card", "24")
    plan = json.loads(out)
    assert code == 0
    assert (plan["machine"]["gib"], plan["machine"]["origin"]) == (24, "--card 24")
    assert plan["memory"]["limit_gib"] == 24
    assert plan["training"]["basis"] == "arithmetic"
    shown = command(*words[:-1], "--card", "24GB")[1]
    assert "planned for a card with 24.0 GiB (--card 24)" in shown
    assert "# on a machine with 24 GiB of card memory" in shown
    code, out, _ = command(*words, "--card", "none")
    assert not json.loads(out)["machine"]["gpu"]
    assert code == 0


def test_a_card_that_is_none_is_one_error(command, pico):
    for wrong in ("-24", "big", "0"):
        code, out, error = command("plan", str(pico / "recipe.yaml"), "--card", wrong)
        assert (code, out) == (1, "")
        assert error.count("error:") == 1
        assert "--card 24" in error


def test_a_plan_shows_examples_tests_and_minutes(command, pico, tmp_path):
    words = ["--runs", str(tmp_path), "--set", "augment.holdout_share=0.3"]
    words += ["--set", "augment.holdout_items=20", "--set", "evaluate.heldout=true"]
    words += ["--set", "augment.items=300", "--set", "answer.budget_minutes=30"]
    code, shown, _ = command("plan", str(pico / "recipe.yaml"), *words)
    assert code == 0, shown
    assert "training examples: " in shown
    assert "300 asked for; counted on your documents" in shown
    assert "test questions: " in shown
    assert " of 30 minutes" in shown
    assert "(arithmetic)" in shown
    assert "no problem found" in shown
    assert not list(tmp_path.iterdir())  # nothing is written to the runs folder
