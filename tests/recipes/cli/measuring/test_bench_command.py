"""`kofinlaw bench`: models on published evaluation sets, from files of our own in their forms."""

import csv
import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def samples():
    path = ROOT / "rag" / "benches" / "bench_samples.py"
    spec = importlib.util.spec_from_file_location("bench_samples", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recipe(pico, tmp_path):
    """Options for the miniature recipe with an engine without weights."""
    text = (pico / "recipe.yaml").read_text("utf-8")
    text = text.replace("engine: {dtype: float32}", "engine: {engine: dummy}")
    for name in ("docs", "model", "questions.jsonl", "key.jsonl"):
        text = text.replace(f" {name}", f" {pico / name}")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    return ("--recipe", tmp_path / "recipe.yaml", "--runs", tmp_path / "runs")


def figures(folder):
    return json.loads((folder / "bench.json").read_text("utf-8"))


def test_the_sets_are_listed_with_licence_and_columns(typed):
    code, said = typed("bench")
    assert code == 0
    assert "kmmlu: KMMLU (HAERAE-HUB); licence: CC BY-ND 4.0" in said
    assert "qid, query, retrieval_gt, generation_gt" in said


def test_the_licence_is_shown_before_a_choice_set_is_answered(samples, recipe, tmp_path, typed):
    path = samples.write_rows(tmp_path / "Law-test.csv", samples.kmmlu())
    code, said = typed("bench", "KMMLU", "--file", path, *recipe)
    assert code == 0, said
    assert said.index("licence: CC BY-ND 4.0") < said.index("systems: base")
    out = tmp_path / "runs" / "pico" / "bench" / "kmmlu" / "Law-test"
    record = figures(out)
    assert record["files"][0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (record["kind"], record["questions"], record["reader"]) == ("choice", 3, 1)
    (exam,) = record["exams"]["exams"]
    assert exam["plans"] == {"base": {"full": 3}}
    assert "longest" in [row["name"] for row in exam["rows"]]
    before = (out / "base" / "answers.jsonl").read_bytes()
    assert typed("bench", "kmmlu", "--file", path, *recipe)[0] == 0
    assert (out / "base" / "answers.jsonl").read_bytes() == before


def test_gold_passages_in_the_rows_are_shown_to_the_model(samples, recipe, tmp_path, typed):
    path = samples.write_rows(tmp_path / "kcl.parquet", samples.kcl())
    code, said = typed("bench", "kcl", "--file", path, *recipe)
    assert code == 0, said
    out = tmp_path / "runs" / "pico" / "bench" / "kcl" / "kcl"
    record = figures(out)
    (exam,) = record["exams"]["exams"]
    assert exam["plans"] == {"base": {"full": 3}, "base-gold": {"full": 3}}
    assert ("base", "base-gold") in {(c["a"], c["b"]) for c in exam["comparisons"]}
    plans = (out / "base-gold" / "plan.jsonl").read_text("utf-8").splitlines()
    assert all("판결요지" in "".join(json.loads(line)["texts"]) for line in plans)
    readers = {tuple(row["reads"]) for row in exam["rows"] if row["kind"] == "solver"}
    assert readers == {(), ("base-gold",)}


def test_the_corpus_of_a_free_text_set_is_searched(samples, recipe, tmp_path, typed):
    nested = samples.autorag(gold=([["p0"]], [["p1"], ["p2", "p0"]], [["p2"]]),
                             answers=(["가"], ["나", "다"], ["라"]))  # fmt: skip
    path = samples.write_rows(tmp_path / "qa.parquet", nested)
    samples.write_rows(tmp_path / "corpus.parquet", samples.autorag_corpus())
    code, said = typed("bench", "autorag", "--file", path, *recipe)
    assert code == 0, said
    record = figures(tmp_path / "runs" / "pico" / "bench" / "autorag" / "qa")
    found = record["retrieval"]
    assert (found["passages"], found["systems"]["recipe"]["n"]) == (3, 3)
    assert found["systems"]["recipe"]["hit"]["1"]["value"] == 1.0
    assert set(found["systems"]) == {"recipe", "bigrams alone"}
    assert set(record["scores"]["systems"]) == {"base", "base-gold", "base-rag"}
    assert {(one["a"], one["b"], one["score"]) for one in record["free_pairs"]} >= {
        ("base", "base-gold", "facts"), ("base-rag", "base-gold", "facts"),
    }  # fmt: skip
    assert "| pair | only first |" not in said
    assert "| base → base-gold | facts |" in said
    assert record["corpus"]["sha256"]
    assert "further references" in " ".join(record["notes"])


def test_a_fire_safety_choice_set_reads_its_documents(samples, recipe, tmp_path, typed):
    path = samples.write_rows(tmp_path / "multihop_qa_mcq.jsonl", samples.fire_choice())
    documents = samples.write_rows(tmp_path / "docs2" / "docs.jsonl", samples.fire_documents())
    code, said = typed("bench", "searchfiresafety", "--file", path, *recipe, "--dry-run")
    assert code == 0, said
    assert "--corpus gives their texts" in said
    shown = " ".join(map(str, recipe))
    assert f"bench searchfiresafety --file {path} {shown}" in said  # the command with its options
    assert not (tmp_path / "runs").exists()  # a dry run writes nothing
    wanted = ("--system", "base-gold", "--system", "base-rag", "--sample", 2)
    code, said = typed(
        "bench", "searchfiresafety", "--file", path, "--corpus", documents, *recipe, *wanted
    )
    assert code == 0, said
    record = figures(tmp_path / "runs" / "pico" / "bench" / "searchfiresafety" / "multihop_qa_mcq")
    assert (record["questions"], record["sample"]) == (2, 2)
    (exam,) = record["exams"]["exams"]
    assert list(exam["plans"]) == ["base-gold", "base-rag"]
    assert record["retrieval"]["systems"]["recipe"]["hit"]["1"]["value"] == 1.0


def test_a_question_that_was_trained_on_is_refused_with_its_line(
    samples, recipe, tmp_path, typed, pico
):
    path = samples.write_rows(tmp_path / "Law-test.csv", samples.kmmlu())
    run = tmp_path / "runs" / "pico"
    (run / "augment").mkdir(parents=True)
    question, options, right = samples.ASKED[1]
    shuffled = "\n".join(f"({n}) {text}" for n, text in enumerate(reversed(options), 1))
    rows = [
        {"prompt": "금고는 누가 여는가?", "completion": "두 사람이 연다."},
        {"prompt": f"[문제] {question}\n{shuffled}", "completion": options[right - 1]},
    ]
    samples.write_rows(run / "augment" / "examples.jsonl", rows)
    options = (*recipe, "--model", pico / "model")
    code, said = typed("bench", "kmmlu", "--file", path, *options)
    assert code == 1
    assert "examples.jsonl:2: 1 examples of this training file contain" in said
    assert "--system base" in said
    code, said = typed("bench", "kmmlu", "--file", path, *recipe)  # the base model learned nothing
    assert code == 0, said


def test_the_next_training_of_the_run_leaves_the_questions_out(samples, recipe, tmp_path, typed):
    from kofinlaw.recipes.pipeline.run import bind, protected_examples
    from kofinlaw.recipes.pipeline.schema import load_recipe

    path = samples.write_rows(tmp_path / "Law-test.csv", samples.kmmlu())
    bound = bind(*load_recipe(str(tmp_path / "recipe.yaml")), tmp_path / "runs")
    before = protected_examples(bound)
    assert typed("bench", "kmmlu", "--file", path, *recipe)[0] == 0
    question, options, right = samples.ASKED[0]
    added = set(protected_examples(bound)) - set(before)
    assert f"{question}\n{options[right - 1]}" in added
    assert "\n".join((question, *options)) in added


def test_near_copies_are_listed_between_files(samples, recipe, tmp_path, typed):
    first = samples.write_rows(tmp_path / "a.csv", samples.kmmlu())
    second = samples.write_rows(tmp_path / "b.csv", samples.kmmlu()[1:])
    other = samples.write_rows(tmp_path / "c.jsonl", samples.licensure()[2:])
    code, said = typed(
        "bench", "kmmlu", "--file", first, "--file", second, "--compare", other, "--dry-run"
    )
    assert code == 0, said
    assert "near-copies: 3" in said
    assert f"a/row-0003: 100 % in {other}:1" in said
    assert f"a/row-0002: 100 % in {second}:1" in said


def test_an_exam_of_a_recipe_may_be_a_file_of_a_set(samples, recipe, tmp_path):
    from kofinlaw import UserError
    from kofinlaw.recipes.pipeline.run import bind, protected_examples, read_exam_of
    from kofinlaw.recipes.pipeline.schema import load_recipe

    path = samples.write_rows(tmp_path / "pro.parquet", samples.licensure())
    value = f"evaluate.exam={{path: {path}, bench: KMMLU-Pro}}"
    bound = bind(*load_recipe(str(tmp_path / "recipe.yaml"), [value]), tmp_path / "runs")
    (exam,) = bound.recipe.evaluate.exam
    assert len(read_exam_of(bound, exam).questions) == 3
    assert any(samples.ASKED[0][0] in text for text in protected_examples(bound))
    wrong = value.replace("KMMLU-Pro", "kmlu")
    bound = bind(*load_recipe(str(tmp_path / "recipe.yaml"), [wrong]), tmp_path / "runs")
    with pytest.raises(UserError, match="no evaluation set is called 'kmlu'"):
        protected_examples(bound)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kmlu", "--file", "a.csv"), "did you mean kmmlu"),
        (("kmmlu",), "no file is named"),
        (("kmmlu", "--file", "absent.csv"), "the file does not exist"),
        (("kmmlu", "--file", "a.csv", "--set", "rag.k=2"), "keeps its settings"),
        (("kmmlu", "--file", "a.csv", "--compare", "absent.csv"), "absent.csv"),
        (("autorag", "--file", "a.csv"), "lacks columns of autorag"),
    ],
)
def test_bad_input_is_one_error(tmp_path, monkeypatch, typed, words, said):
    monkeypatch.chdir(tmp_path)
    with open("a.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["question", "answer", *"ABCD"], ["가는?", 1, *"나다라마"]])
    code, text = typed("bench", *words)
    assert code == 1
    assert said in text
    assert "Traceback" not in text


def test_a_wrong_system_and_a_wrong_corpus_are_named(samples, recipe, tmp_path, typed):
    path = samples.write_rows(tmp_path / "Law-test.csv", samples.kmmlu())
    code, said = typed("bench", "kmmlu", "--file", path, *recipe, "--system", "trained")
    assert (code, "the systems are base" in said) == (1, True)
    code, said = typed("bench", "kmmlu", "--file", path, *recipe, "--corpus", path)
    assert (code, "kmmlu has no corpus of its own" in said) == (1, True)
    rows = samples.write_rows(tmp_path / "r.csv", samples.allganize())
    code, said = typed("bench", "allganize", "--file", rows, *recipe, "--corpus", path)
    assert (code, "a folder with its documents" in said) == (1, True)


def test_a_merged_model_is_measured_next_to_its_base(samples, recipe, tmp_path, typed, pico):
    run = tmp_path / "runs" / "pico"
    shutil.copytree(pico / "model", run / "merge" / "model")
    path = samples.write_rows(tmp_path / "a.jsonl", samples.kbl())
    code, said = typed("bench", "kbl", "--file", path, *recipe)
    assert code == 0, said
    (exam,) = figures(run / "bench" / "kbl" / "a")["exams"]["exams"]
    assert list(exam["plans"]) == ["base", "trained"]
    assert ("base", "trained") in {(c["a"], c["b"]) for c in exam["comparisons"] if not c["slice"]}
    rows = [{"messages": [{"role": "user", "content": samples.ASKED[0][0]},
                          {"role": "assistant", "content": samples.ASKED[0][1][1]}]}]  # fmt: skip
    samples.write_rows(run / "augment" / "examples.jsonl", rows)
    code, said = typed("bench", "kbl", "--file", path, *recipe)
    assert (code, "examples.jsonl:1" in said) == (1, True)
    assert typed("bench", "kbl", "--file", path, *recipe, "--system", "base")[0] == 0
