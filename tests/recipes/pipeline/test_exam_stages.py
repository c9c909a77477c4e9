"""A recipe with exams: their stages, scores and page, and the fence around their questions."""

import csv
import json
import shutil
from dataclasses import replace

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.exam_stages import exam_stage, refuse_trained_exams
from kofinlaw.recipes.pipeline.execution import execute_stages
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.plan import make_plan
from kofinlaw.recipes.pipeline.run import bind, protected_examples
from kofinlaw.recipes.pipeline.runner import run_stages
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.pipeline.stages import build_stages

HEADER = ("question", "answer", "A", "B", "C", "D", "domain", "id")
ROWS = (
    ("「전산점검 규정」에서 이상을 안 부서가 은행장에게 알려야 하는 기한은?", "2", "1일", "3일", "7일", "10일", "점검", "e1"),
    ("「비밀번호 관리 규정」의 서류 보관 기간은?", "1", "3년", "5년", "7년", "10년", "비밀번호", "e2"),
    ("「외부반출 관리 규정」에 관한 설명으로 옳지 않은 것은?", "4", "서류는 10년 동안 보관한다",
     "보고 기한은 10일이다", "은행장은 4주 안에 조치한다", "변상금은 없다", "반출", "e3"),
    ("변상금을 부과하는 자는?", "3", "담당부서", "감사부", "은행장", "총무부", "반출", "e4"),
    ("긴급한 경우에 은행장이 조치하는 때는?", "1", "즉시", "2주 안", "4주 안", "한 달 안", "점검", "e5"),
    ("보관하는 서류가 아닌 것은?", "4", "점검표", "이상 보고서", "교육 기록부", "출장 명령서", "점검", "e6"),
)  # fmt: skip
FOREIGN = """---
제목: 창구 응대 규정
시행일자: 2025-03-02
라이선스: Apache-2.0
---

# 창구 응대 규정

##### 제1조 (대기)

창구 직원은 고객이 번호표를 받은 때부터 15분 이내에 응대하여야 한다.
"""


def write_exam(path, rows=ROWS):
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


@pytest.fixture
def bank(pico, tmp_path):
    """The miniature run's folder with an exam next to it."""
    shutil.copytree(pico, tmp_path / "bank")
    write_exam(tmp_path / "bank" / "exam.csv")
    return tmp_path / "bank"


def bound(folder, *overrides):
    loaded, recipe_file = load_recipe(str(folder / "recipe.yaml"), overrides)
    return bind(loaded, recipe_file, folder / "runs", cache=folder / "cache")


def with_exam(folder, value="exam.csv", *overrides):
    return bound(folder, f"evaluate.exam={value}", *overrides)


def test_the_run_measures_every_system_next_to_solvers_and_shows_it(bank, monkeypatch):
    monkeypatch.chdir(bank)
    run = with_exam(
        bank, "{path: exam.csv, name: bank}", "evaluate.systems=[base-rag, trained-rag]"
    )
    said = []
    execute_stages(run, say=said.append)
    systems = ("base", "base-rag", "trained", "trained-rag")
    record = json.loads((run.folder / "exams" / "exams.json").read_text("utf-8"))
    (exam,) = record["exams"]
    assert (exam["name"], exam["n"], record["pooled"]) == ("bank", 6, [])
    assert [row["name"] for row in exam["rows"] if row["kind"] == "system"] == list(systems)
    assert exam["plans"] == {name: {"full": 6} for name in systems}
    assert exam["slices"]["rows:odd"] == exam["slices"]["rows:even"] == 3
    assert exam["slices"]["negative"] == 2
    readers = {tuple(row["reads"]) for row in exam["rows"] if row["kind"] == "solver"}
    assert readers == {(), ("base-rag", "trained-rag")}
    compared = {(c["a"], c["b"]) for c in exam["comparisons"] if not c["slice"]}
    best = next(row["name"] for row in exam["rows"] if row["best"] and row["reads"] != [])
    assert {("base-rag", "trained-rag"), ("base", "trained"), ("base", "base-rag")} <= compared
    assert (best, "trained-rag") in compared
    for name in systems:
        answers = (run.folder / f"exam-bank.{name}" / "answers.jsonl").read_text("utf-8")
        right = sum(
            json.loads(line)["answer"]
            == dict((row[-1], row[1]) for row in ROWS)[json.loads(line)["id"]]
            for line in answers.splitlines()
        )
        shown = next(row["all"] for row in exam["rows"] if row["name"] == name)
        assert shown["value"] == pytest.approx(right / 6)
        plan = (run.folder / f"exam-bank.{name}" / "plan.jsonl").read_text("utf-8").splitlines()
        evidence = [json.loads(line)["texts"] for line in plan]
        assert all(evidence) == name.endswith("rag")
    page = (run.folder / "report" / "report.html").read_text("utf-8")
    assert '<section id="exams">' in page
    assert "base + retrieval → trained + retrieval" in page
    for solver in ("evidence overlap, bigrams", "look-up in the evidence", "stem overlap"):
        assert solver in page
    assert "### bank" in (run.folder / "report" / "report.md").read_text("utf-8")
    before = (run.folder / "exams" / "exams.json").read_bytes()
    outcomes = execute_stages(run, say=said.append)
    assert {outcome.how for outcome in outcomes} == {"skipped"}
    assert (run.folder / "exams" / "exams.json").read_bytes() == before


def test_an_interrupted_answer_stage_continues_with_the_same_bytes(bank, monkeypatch):
    monkeypatch.chdir(bank)
    run = with_exam(bank)
    stages = build_stages(run)
    run_stages(stages, run.folder, only=["data", "index", "exam-exam", "exam-exam.base-rag"])
    whole = (run.folder / "exam-exam.base-rag" / "answers.jsonl").read_bytes()
    done = run.folder / "exam-exam.base-rag"
    partial = run.folder / ".exam-exam.base-rag.partial"
    done.rename(partial)
    record = read_record(partial)
    (partial / "stage.json").write_text(json.dumps({**record, "status": "running"}), "utf-8")
    plan = (partial / "plan.jsonl").read_text("utf-8").splitlines(keepends=True)
    (partial / "plan.jsonl").write_text("".join(plan[:2]), encoding="utf-8")
    (partial / "answers.jsonl").unlink()
    (outcome,) = run_stages(stages, run.folder, only=["exam-exam.base-rag"])
    assert outcome.how == "resumed"
    assert (done / "answers.jsonl").read_bytes() == whole


def test_the_exams_own_documents_get_an_index_and_nothing_is_trained_on_them(bank, monkeypatch):
    monkeypatch.chdir(bank)
    (bank / "foreign").mkdir()
    (bank / "foreign" / "창구.md").write_text(FOREIGN, encoding="utf-8")
    write_exam(
        bank / "counter.csv",
        [("창구 직원이 응대하여야 하는 시간은?", "3", "5분", "10분", "15분", "30분", "창구", "c1")],
    )
    run = with_exam(
        bank, "[exam.csv, {path: counter.csv, sources: foreign, systems: [base-rag, trained-rag]}]"
    )
    names = [stage.name for stage in build_stages(run)]
    assert "exam-exam.index" not in names
    execute_stages(run, only=names[: names.index("exams") + 1])
    evidence = (run.folder / "exam-counter.base-rag" / "evidence.jsonl").read_text("utf-8")
    (hit,) = json.loads(evidence)["hits"]
    assert hit["unit"].startswith("창구 응대 규정")
    for name in ("data/chunks.jsonl", "augment/examples.jsonl"):
        assert "창구" not in (run.folder / name).read_text("utf-8")
    record = json.loads((run.folder / "exams" / "exams.json").read_text("utf-8"))
    assert [exam["n"] for exam in record["exams"]] == [6, 1]
    pooled = {(c["a"], c["b"]): c["n"] for c in record["pooled"]}
    assert pooled[("base-rag", "trained-rag")] == pooled[("best solver", "trained-rag")] == 7


def test_without_documents_the_systems_that_search_are_left_out(bank):
    recipe = (bank / "recipe.yaml").read_text("utf-8")
    lines = [line for line in recipe.splitlines() if not line.startswith(("data:", "evaluate:"))]
    (bank / "ready.jsonl").write_text('{"text": "하나"}\n', encoding="utf-8")
    lines += ["examples: ready.jsonl", "evaluate: {exam: exam.csv}"]
    (bank / "recipe.yaml").write_text("\n".join(lines), encoding="utf-8")
    names = [stage.name for stage in build_stages(bound(bank))]
    assert [n for n in names if n.startswith("exam")] == [
        "exam-exam", "exam-exam.base", "exam-exam.trained", "exams",
    ]  # fmt: skip
    with pytest.raises(UserError, match="answered from documents only"):
        bound(bank, "evaluate.exam={path: exam.csv, systems: [base-rag]}")


def test_weights_are_not_fitted_without_documents_of_the_recipe(bank):
    (bank / "ready.jsonl").write_text('{"text": "하나"}\n', encoding="utf-8")
    (bank / "r.yaml").write_text(
        "name: r\nmodel: {id: google/gemma-3-270m}\nexamples: ready.jsonl\n"
        "answer: {choose_by: contrast, voters: fit}\n"
        "evaluate: {exam: {path: exam.csv, sources: docs}}\n",
        encoding="utf-8",
    )
    with pytest.raises(UserError, match=r"`answer\.voters: fit` is fitted with the recipe's doc"):
        load_recipe(str(bank / "r.yaml"))
    load_recipe(
        str(bank / "r.yaml"), ["evaluate.exam={path: exam.csv, sources: docs, systems: [base]}"]
    )
    load_recipe(str(bank / "r.yaml"), ["answer.voters={reading: 1.0}"])


def test_ready_examples_and_mixtures_with_an_exam_question_are_fenced_off(bank, monkeypatch):
    monkeypatch.chdir(bank)
    question, answer, *options = ROWS[2][:6]
    right = options[int(answer) - 1]
    shuffled = "\n".join(f"{n}) {options[i]}" for n, i in enumerate((2, 0, 3, 1), 1))
    rows = [
        {"prompt": "점검표는 얼마나 보관하는가?", "completion": "5년"},
        {"prompt": f"[문제] {question}\n{shuffled}\n정답:", "completion": right},
        {"prompt": f"질문: {question} ", "completion": right},
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (bank / "ready.jsonl").write_text(text, encoding="utf-8")
    run = with_exam(bank, "exam.csv", "examples=ready.jsonl")
    run_stages(build_stages(run), run.folder, only=["data", "augment"])
    kept = (run.folder / "augment" / "examples.jsonl").read_text("utf-8").splitlines()
    rejected = (run.folder / "augment" / "rejected.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in kept] == ["line-1"]
    assert [json.loads(line)["id"] for line in rejected] == ["line-2", "line-3"]
    mixed = with_exam(bank, "exam.csv", "train.mixture=[{path: ready.jsonl}]")
    with pytest.raises(UserError, match=r"ready\.jsonl:2"):
        run_stages(build_stages(mixed), mixed.folder, only=["data", "augment"])


def test_generated_examples_never_hold_an_exam_question(bank, monkeypatch):
    monkeypatch.chdir(bank)
    free = bound(bank)
    run_stages(build_stages(free), free.folder, only=["data", "augment"])
    made = [json.loads(line) for line in open(free.folder / "augment" / "examples.jsonl", "rb")]
    choice = [one["choice"] for one in made if one["choice"]["options"]]
    taken = [
        (c["question"], str(c["answer"] + 1), *(*c["options"], "", "")[:4], "점검", f"t{i}")
        for i, c in enumerate(choice)
        if len(c["options"]) == 4
    ]
    assert taken
    write_exam(bank / "exam.csv", taken)
    fenced = replace(with_exam(bank), folder=bank / "fenced")
    run_stages(build_stages(fenced), fenced.folder, only=["data", "augment"])
    again = [json.loads(line) for line in open(fenced.folder / "augment" / "examples.jsonl", "rb")]
    stems = {one["choice"]["question"] for one in again}
    assert not stems & {row[0] for row in taken}
    reasons = [
        json.loads(line)["reason"]
        for line in open(fenced.folder / "augment" / "rejected.jsonl", "rb")
    ]
    assert "contaminated" in reasons
    assert len(protected_examples(fenced)) > 2 * len(taken)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("data.sources=[{path: docs}, {path: copy.csv}]",), "copy.csv"),
        (("data.sources=[{path: docs}, {path: exam.csv}]",), "exam.csv"),
        (("examples=copy.csv",), r"examples: .*copy\.csv"),
        (("train.mixture=[{path: copy.csv}]",), r"train\.mixture: .*copy\.csv"),
    ],
)
def test_an_exam_that_is_also_trained_on_is_refused(bank, monkeypatch, overrides, said):
    monkeypatch.chdir(bank)
    shutil.copy(bank / "exam.csv", bank / "copy.csv")
    run = with_exam(bank, "exam.csv", *overrides)
    with pytest.raises(UserError, match=said):
        execute_stages(run)
    assert not run.folder.exists()
    assert any("exam.csv" in p or "copy.csv" in p for p in make_plan(run)["problems"])


def test_an_exam_may_not_be_searched_as_its_own_evidence(bank, monkeypatch):
    monkeypatch.chdir(bank)
    run = with_exam(bank, "{path: exam.csv, sources: exam.csv}")
    with pytest.raises(UserError, match="protected file"):
        refuse_trained_exams(run)
    refuse_trained_exams(with_exam(bank))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[exam.csv, exam.csv]", "two exams are named `exam`"),
        ("시험.csv", "has no Latin letter"),
        ("{path: exam.csv, name: a.b}", "evaluate.exam.0.name"),
        ("{path: exam.csv, source: docs}", "did you mean `sources`"),
    ],
)
def test_a_mistake_in_the_settings_is_named(bank, value, said):
    with pytest.raises(UserError, match=said):
        with_exam(bank, value)


def test_a_missing_exam_is_a_problem_of_the_plan_and_an_error_of_the_run(bank, monkeypatch):
    monkeypatch.chdir(bank)
    run = with_exam(bank, "none.csv")
    assert any("none.csv" in problem for problem in make_plan(run)["problems"])
    with pytest.raises(UserError, match=r"none\.csv"):
        run_stages(build_stages(run), run.folder, only=["exam-none"])


def test_paths_of_exams_start_at_the_recipe(bank):
    text = (bank / "recipe.yaml").read_text("utf-8")
    text = text.replace(
        "key: key.jsonl}", "key: key.jsonl, exam: [{path: exam.csv, sources: [docs]}]}"
    )
    (bank / "recipe.yaml").write_text(text, encoding="utf-8")
    (exam,) = bound(bank).recipe.evaluate.exam
    assert (exam.path, exam.sources[0].path) == (str(bank / "exam.csv"), str(bank / "docs"))
    assert exam_stage(exam, "index") == "exam-exam.index"
