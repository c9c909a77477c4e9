"""`kofinlaw exam`: one model on an exam, with and without evidence, without training."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

HEADER = ("question", "answer", "A", "B", "C", "D")
ROWS = (
    ("「전산점검 규정」에서 이상을 알리는 기한은?", "2", "1일", "3일", "7일", "10일"),
    ("「비밀번호 관리 규정」의 서류를 보관하는 기간은?", "1", "3년", "5년", "7년", "10년"),
    ("변상금을 부과하는 자가 아닌 것은?", "4", "은행장", "그 은행장", "이 은행장", "감사부"),
)


@pytest.fixture
def exam(tmp_path):
    with open(tmp_path / "bank.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *ROWS])
    return tmp_path / "bank.csv"


def test_a_recipe_without_a_run_measures_its_base_model(pico, exam, tmp_path, typed):
    out = tmp_path / "out"
    options = ("--recipe", pico / "recipe.yaml", "--runs", tmp_path / "runs", "--out", out)
    code, said = typed("exam", exam, *options)
    assert code == 0, said
    assert "### bank" in said
    assert "| model | 3 |" in said
    assert "model-rag" not in said
    record = json.loads((out / "exams.json").read_text("utf-8"))
    assert record["exams"][0]["plans"] == {"model": {"full": 3}}
    before = (out / "model" / "answers.jsonl").read_bytes()
    code, said = typed("exam", exam, *options)
    assert code == 0, said
    assert (out / "model" / "answers.jsonl").read_bytes() == before


def test_a_parquet_exam_gives_the_answers_of_the_same_csv(pico, exam, tmp_path, typed):
    table = pa.Table.from_pylist([dict(zip(HEADER, row, strict=True)) for row in ROWS])
    parquet.write_table(table, exam.with_suffix(".parquet"))
    answers = []
    for form in (".csv", ".parquet"):
        out = tmp_path / form[1:]
        options = ("--recipe", pico / "recipe.yaml", "--runs", tmp_path / "runs", "--out", out)
        code, said = typed("exam", exam.with_suffix(form), *options)
        assert code == 0, said
        lines = (out / "model" / "answers.jsonl").read_text("utf-8").splitlines()
        answers.append([(row["id"], row["answer"]) for row in map(json.loads, lines)])
    assert answers[0] == answers[1]
    assert len(answers[0]) == len(ROWS)


def test_an_index_adds_the_model_with_evidence_and_the_solvers_that_read_it(
    pico, exam, tmp_path, typed
):
    common = ("--set", "answer.budget_minutes=5", "--runs", tmp_path / "runs")
    for stage in ("data", "index"):
        code, said = typed(stage, pico / "recipe.yaml", *common)
        assert code == 0, said
    index = tmp_path / "runs" / "pico" / "index"
    code, said = typed(
        "exam", exam, "--recipe", pico / "recipe.yaml", "--model", pico / "model",
        "--index", index, "--out", tmp_path / "out", *common,
    )  # fmt: skip
    assert code == 0, said
    (one,) = json.loads((tmp_path / "out" / "exams.json").read_text("utf-8"))["exams"]
    assert one["plans"] == {"model": {"full": 3}, "model-rag": {"full": 3}}
    assert [row["reads"] for row in one["rows"] if row["name"] == "look_up"] == [["model-rag"]]
    compared = {(c["a"], c["b"]) for c in one["comparisons"] if not c["slice"]}
    assert ("model", "model-rag") in compared


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("question,answer,A,B\n가는 무엇인가?,3,가,나\n", "broken.csv:2"),
        ("ID,Question\n1,가\n", "no column `answer`"),
    ],
)
def test_a_file_that_is_no_exam_is_one_error_with_its_line(pico, tmp_path, typed, content, said):
    (tmp_path / "broken.csv").write_text(content, encoding="utf-8")
    code, text = typed(
        "exam", tmp_path / "broken.csv", "--recipe", pico / "recipe.yaml", "--out", tmp_path / "out"
    )
    assert code == 1
    assert said in text
    assert "Traceback" not in text


def test_a_runs_settings_are_not_overridden(tmp_path, exam, pico, typed):
    from kofinlaw.recipes.pipeline.run import bind
    from kofinlaw.recipes.pipeline.schema import load_recipe, resolved_yaml

    run = bind(*load_recipe(str(pico / "recipe.yaml")), tmp_path / "runs")
    run.folder.mkdir(parents=True)
    (run.folder / "recipe.yaml").write_text(resolved_yaml(run.recipe), encoding="utf-8")
    code, said = typed("exam", exam, "--run", run.folder, "--set", "rag.k=2")
    assert code == 1
    assert "keeps its settings" in said
