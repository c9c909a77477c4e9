"""A recipe with ready examples: no documents and no generated questions."""

import json
from dataclasses import replace

import pytest

from kofinlaw import UserError, silent
from kofinlaw.files import read_json_lines, write_text
from kofinlaw.recipes.pipeline.plan import make_plan
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.runner import run_stages
from kofinlaw.recipes.pipeline.schema import load_recipe, resolved_yaml
from kofinlaw.recipes.pipeline.stage_functions import export_merged
from kofinlaw.recipes.pipeline.stages import build_stages
from kofinlaw.recipes.studies.study import study_stages

RECIPE = """
name: ready
model: {id: pico/pico-llama, path: model}
examples: examples.jsonl
train: {quantization: none, dtype: float32, effective_batch: 2, max_steps: 2, lora: {rank: 2, alpha: 4}}
merge: {base: original, dtype: float32}
score: {embedder: null, bootstrap_samples: 200}
"""
ASKED = """
evaluate: {questions: questions.jsonl, key: key.jsonl, systems: [base, trained]}
answer: {engine: {dtype: float32, context_tokens: 1024}}
"""


@pytest.fixture
def ready(pico, tmp_path):
    for name in ("model", "questions.jsonl", "key.jsonl"):
        (tmp_path / name).symlink_to(pico / name)
    rows = [
        {"prompt": "점검 기한은? ", "completion": "3일 이내이다."},
        {
            "id": "b",
            "messages": [
                {"role": "user", "content": "보관 기간은?"},
                {"role": "assistant", "content": "5년이다."},
            ],
        },
        {"text": "담당부서는 점검표를 보관하여야 한다."},
        {
            "prompt": "문제: 「전산점검 규정」에 따라 이상을 은행장에게 알려야 하는 기한은? 1일 3일 7일 10일",
            "completion": "3일",
        },
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "examples.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def bound(folder, *overrides):
    loaded, recipe_file = load_recipe(str(folder / "recipe.yaml"), overrides)
    return replace(bind(loaded, recipe_file, folder / "runs"), cache=folder / "cache")


def test_the_plan_counts_them_and_shows_the_first_with_its_mask(ready):
    plan = make_plan(bound(ready))
    assert plan["ok"], plan["problems"]
    assert plan["lengths"]["examples"] == 4
    assert "⟦3일 이내이다." in plan["first_example"]["rendered"]


def with_choices(folder):
    """Give every second example a choice; its options double its length in a packed row."""
    path = folder / "examples.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for row in rows[1::2]:
        row["choice"] = {
            "question": "점검 기한은?",
            "options": ["3일 이내", "7일 이내", "10일 이내"],
            "evidence": ["이상은 3일 이내에 은행장에게 알린다."],
            "answer": 0,
            "negative": False,
            "twin": "",
        }
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def test_the_plan_counts_the_tokens_of_packed_items(ready):
    problem = "no example has a `choice`"
    assert problem in " ".join(make_plan(bound(ready, "train.objective=contrast"))["problems"])
    with_choices(ready)
    lengths = {}
    for objective in ("text", "contrast", "both"):
        plan = make_plan(bound(ready, f"train.objective={objective}"))
        assert plan["ok"], plan["problems"]
        lengths[objective] = plan["lengths"]
    assert [lengths[o]["examples"] for o in lengths] == [4, 4, 6]
    guessed = {}  # without the tokenizer: from the characters of the same texts
    for objective in ("text", "contrast"):
        run = bound(ready, f"train.objective={objective}", "model={id: google/gemma-3-270m}")
        guessed[objective] = make_plan(run)["lengths"]["mean_tokens"]
    assert lengths["contrast"]["mean_tokens"] > 1.5 * lengths["text"]["mean_tokens"]
    assert guessed["contrast"] > 1.5 * guessed["text"]
    for model in ((), ("model={id: google/gemma-3-270m}",)):  # by tokens, and by characters
        none, bare, stem = (
            make_plan(
                bound(ready, "train.objective=contrast", f"train.contrast.reference={name}", *model)
            )["lengths"]["mean_tokens"]
            for name in ("none", "bare", "stem")
        )
        assert none < bare < stem


def test_items_train_through_every_stage(ready):
    with_choices(ready)
    settings = ["train.objective=both", "train.effective_batch=3", "merge.adapter_weight=0.5"]
    run = bound(ready, *settings)
    outcomes = run_stages(build_stages(run), run.folder)
    assert outcomes[1].record["counts"]["choices"] > 0
    assert outcomes[3].record["counts"]["verdict"] == "pass"
    record = json.loads((run.folder / "merge" / "model" / "kofinlaw.json").read_text("utf-8"))
    assert record["adapter"]["combined"]["weights"] == [0.5]
    assert "Accuracy on training items" in (run.folder / "report" / "report.html").read_text()


def test_without_questions_it_trains_merges_proves_and_reports(ready):
    run = bound(ready)
    names = [stage.name for stage in build_stages(run)]
    assert names == ["augment", "train", "merge", "verify", "report"]
    outcomes = run_stages(build_stages(run), run.folder)
    assert outcomes[0].record["counts"] == {"examples": 4, "rejected": 0}
    assert outcomes[3].record["counts"]["verdict"] == "pass"
    assert (run.folder / "report" / "report.html").is_file()


def test_with_questions_an_example_that_holds_one_is_left_out(ready):
    (ready / "recipe.yaml").write_text(RECIPE + ASKED, encoding="utf-8")
    run = bound(ready)
    stages = build_stages(run)
    assert "index" not in [stage.name for stage in stages]
    run_stages(stages, run.folder, only=["augment", "questions"])
    (rejected,) = (run.folder / "augment" / "rejected.jsonl").read_text("utf-8").splitlines()
    assert json.loads(rejected)["reason"] == "contaminated"
    assert json.loads(rejected)["id"] == "line-4"


def test_a_question_that_only_the_choice_of_an_example_holds_is_found(ready):
    with_choices(ready)
    path = ready / "examples.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    rows[1]["choice"]["question"] = rows[3].pop("prompt")
    rows[3] = {"text": "다른 글이다."}
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    (ready / "recipe.yaml").write_text(RECIPE + ASKED, encoding="utf-8")
    run = bound(ready)
    run_stages(build_stages(run), run.folder, only=["augment", "questions"])
    (rejected,) = (run.folder / "augment" / "rejected.jsonl").read_text("utf-8").splitlines()
    assert json.loads(rejected)["id"] == "b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RECIPE.replace("examples: examples.jsonl\n", ""), "`data.sources` is required"),
        (RECIPE + ASKED.replace("[base, trained]", "[base-rag]"), "reads documents"),
        (RECIPE + "evaluate: {submission: q.csv}\n", "answered from documents"),
        (RECIPE + "evaluate: {heldout: true}\n", "`examples` are ready"),
    ],
)
def test_what_needs_documents_is_refused_without_them(ready, text, said):
    (ready / "recipe.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        load_recipe(str(ready / "recipe.yaml"))


@pytest.mark.parametrize("by", ["stage", "command"])
def test_with_documents_the_merged_model_is_exported_and_measured_on_them(ready, pico, by, typed):
    (ready / "docs").symlink_to(pico / "docs")
    documents = "data: {sources: [{path: docs, license: Apache-2.0}]}\n"
    (ready / "recipe.yaml").write_text(
        RECIPE + documents + "export: {formats: [bnb-4bit]}\n"
        "verify: {max_export_perplexity_ratio: 1.0e9, passages: 2}\n",
        encoding="utf-8",
    )
    run = bound(ready)
    run_stages(build_stages(run), run.folder, only=["data", "augment"])
    (run.folder / "merge").mkdir()
    (run.folder / "merge" / "model").symlink_to(ready / "model")
    if by == "stage":
        export_merged(run, run.folder / "export", silent)
    else:
        write_text(run.folder / "recipe.yaml", resolved_yaml(run.recipe))
        out = run.folder / "export"
        code, said = typed(
            "export", ready / "model", "--to", "bnb-4bit", "--out", out, "--run", run.folder
        )
        assert code == 0, said
    proof = json.loads((run.folder / "export" / "proof.json").read_text(encoding="utf-8"))
    assert proof["bnb-4bit"]["perplexity_on"] == "chunks, which may have been trained on"


def test_a_command_without_its_stage_in_the_recipe_is_an_error(ready, typed):
    for command in ("data", "index"):
        code, said = typed(command, ready / "recipe.yaml", "--runs", ready / "runs")
        assert code == 1
        assert f"this recipe has no stage `{command}`" in said
    code, said = typed("augment", ready / "recipe.yaml", "--runs", ready / "runs")
    assert code == 0, said
    assert "card.md" not in said


def test_a_study_without_documents_is_refused(ready):
    with pytest.raises(UserError, match="find documents"):
        study_stages(bound(ready, "study.retrievers={none: null}"))


def test_a_broken_line_is_rejected_with_its_place_and_a_broken_file_is_an_error(ready):
    bad = '{broken\n[1]\n{"messages": [7]}\n'
    (ready / "examples.jsonl").write_text('{"text": "하나"}\n' + bad, encoding="utf-8")
    run = bound(ready)
    run_stages(build_stages(run), run.folder, only=["augment"])
    rows = [row for _, row in read_json_lines(run.folder / "augment" / "rejected.jsonl")]
    places = [row["detail"].partition(": ")[0] for row in rows]
    assert places == [f"examples.jsonl:{n}" for n in (2, 3, 4)]
    (ready / "examples.jsonl").write_text(bad, encoding="utf-8")
    with pytest.raises(UserError, match=r"examples\.jsonl:1"):
        run_stages(build_stages(bound(ready)), run.folder, only=["augment"])
