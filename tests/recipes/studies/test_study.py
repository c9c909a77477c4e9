"""The retrieval study: its cells, what runs again after a stop, and its errors."""

import json

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json, write_jsonl
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.runner import run_stages
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.studies.cells import cells_of
from kofinlaw.recipes.studies.study import study_stages
from kofinlaw.records import Key, Question
from kofinlaw.trace_files import read_traces

ACT = """---
제목: 반출 관리 규정
시행일자: 2025-01-02
공포일자: 2024-12-20
라이선스: Apache-2.0
---

# 반출 관리 규정

##### 제1조 (목적)

이 규정은 자료의 외부 반출에 관하여 필요한 사항을 정함을 목적으로 한다.

##### 제2조 (보고)

담당부서는 반출절차에 이상이 있으면 3일 이내에 은행장에게 보고하여야 한다.

##### 제3조 (보관)

담당부서는 반출 기록을 5년 동안 보관하여야 한다.
"""
OPTIONS = ("1일", "3일", "7일", "10일")
QUESTIONS = [
    Question("q1", "반출절차의 이상을 은행장에게 보고하는 기한은?", OPTIONS),
    Question("q2", "담당부서가 반출 기록을 보관하는 기간은?", ("1년", "5년", "7년", "10년")),
    Question("q3", "이상을 며칠 이내에 은행장에게 보고하는가?", OPTIONS),
    Question("f1", "반출 기록은 얼마 동안 보관하는가?"),
]
KEYS = [
    *(
        Key(f"q{n}", answer="2", units=(f"반출 관리 규정 제{unit}조",))
        for n, unit in enumerate((2, 3, 2), 1)
    ),
    Key("f1", reference="5년 동안 보관한다.", keywords=("5년",), units=("반출 관리 규정 제3조",)),
]
STUDY = """
name: pico
model: {id: pico/pico-llama, path: model}
data: {sources: [{path: docs, license: Apache-2.0}]}
augment: {items: 4, answer_form: text}
rag: {k: 2, evidence_tokens: 2000}
answer: {answer_form: text, context_tokens: 8000, engine: {engine: dummy}}
evaluate: {questions: questions.jsonl, key: key.jsonl}
trace: {to: [jsonl]}
score: {embedder: null, bootstrap_samples: 100, text_scores: false}
study:
  trained: model
  choice_items: 2
  free_items: 1
  retrievers:
    none: null
    lexical: {query_forms: [stem], citation_lookup: false}
    multi-query: {query_forms: [stem, multi_query], rewrites: 2}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """A study with an engine that needs no weights, only the tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("study")
    (folder / "docs").mkdir()
    (folder / "docs" / "반출.md").write_text(ACT, encoding="utf-8")
    write_jsonl(folder / "questions.jsonl", QUESTIONS)
    write_jsonl(folder / "key.jsonl", KEYS)
    model = folder / "model"
    model.mkdir()
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({c: n for n, c in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(model / "tokenizer.json"))
    write_json(model / "tokenizer_config.json", {"bos_token": "<s>", "eos_token": "</s>"})
    write_json(model / "config.json", {"model_type": "llama"})
    (model / "model.safetensors").write_bytes(b"\x02" + 7 * b"\x00" + b"{}")
    (folder / "recipe.yaml").write_text(STUDY, encoding="utf-8")
    return folder / "recipe.yaml"


def bound(recipe, runs, *overrides):
    loaded, recipe_file = load_recipe(str(recipe), overrides)
    return bind(loaded, recipe_file, runs, cache=runs / "cache")


def test_a_study_runs_cell_by_cell_and_only_a_lost_cell_runs_again(recipe, tmp_path):
    run = bound(recipe, tmp_path)
    first = run_stages(study_stages(run), run.folder)
    assert {outcome.how for outcome in first} == {"ran"}
    result = json.loads((run.folder / "study/study.json").read_text(encoding="utf-8"))
    assert [cell["system"] for cell in result["cells"]] == [
        "base", "base-lexical", "base-multi-query",
        "trained", "trained-lexical", "trained-multi-query",
    ]  # fmt: skip
    assert (result["counts"]["choice"], result["counts"]["free"]) == (2, 1)
    plain, lexical, written = result["cells"][:3]
    assert plain["hit_3"] is None
    assert lexical["hit_3"] > 0
    assert written["tokens"] > lexical["tokens"] > plain["tokens"]
    assert lexical["in_context"] is not None
    traced = read_traces(run.folder / "answer-base-lexical" / "traces.jsonl")
    assert {item["id"] for _, span in traced for item in span["items"]} >= {"f1"}
    # "Trained" is the same model here: the same retriever finds and answers the same.
    assert result["cells"][4]["choice"] == lexical["choice"]
    goals = [one["goal"] for one in result["conclusions"]]
    assert goals == ["choice", "time", "tokens"]
    assert "chance" not in result["conclusions"][0]["en"]  # two questions prove nothing
    page = (run.folder / "study/study.md").read_text(encoding="utf-8")
    assert page.count("\n| ") == 8

    answers = (run.folder / "answer-base-lexical/answers.jsonl").read_bytes()
    (run.folder / "answer-base-lexical/stage.json").unlink()
    again = {o.stage: o.how for o in run_stages(study_stages(run), run.folder)}
    assert again.pop("answer-base-lexical") == "ran"
    assert set(again.values()) == {"skipped"}
    assert (run.folder / "answer-base-lexical/answers.jsonl").read_bytes() == answers

    # Cells were cut off: the model's answers are still stored, its queries are not.
    for name in ("answer-base-lexical", "answer-base-multi-query"):
        record = read_record(run.folder / name)
        (run.folder / name).rename(run.folder / f".{name}.partial")
        write_json(run.folder / f".{name}.partial/stage.json", {**record, "status": "running"})
    (run.folder / "study/stage.json").unlink()
    again = {o.stage: o.how for o in run_stages(study_stages(run), run.folder)}
    assert again["answer-base-lexical"] == again["answer-base-multi-query"] == "resumed"
    result = json.loads((run.folder / "study/study.json").read_text(encoding="utf-8"))
    assert result["cells"][1]["tokens"] == lexical["tokens"]
    assert result["cells"][2]["tokens"] is None


def test_a_study_with_redacted_traces_runs_its_cells_again(recipe, tmp_path):
    def settings(redact):
        run = bound(recipe, tmp_path, f"trace={{to: [jsonl], redact: {redact}}}")
        return {stage.name: stage.settings for stage in study_stages(run)}

    plain, redacted = settings("false"), settings("true")
    changed = {name for name in plain if plain[name] != redacted[name]}
    assert changed == {name for name in plain if name.startswith("answer-")}


def test_without_a_checkpoint_the_study_trains_one(recipe, tmp_path):
    names = [stage.name for stage in study_stages(bound(recipe, tmp_path, "study.trained=null"))]
    assert names[:6] == ["data", "index", "augment", "questions", "train", "merge"]
    base_alone = bound(recipe, tmp_path, "study.trained=null", "study.models=[base]")
    assert "train" not in [stage.name for stage in study_stages(base_alone)]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("study.retrievers={a: {embeder: x}}", "rag has no key embeder"),
        ("study.retrievers={A b: null}", "names a folder"),
    ],
)
def test_a_mistake_in_the_recipe_is_named(recipe, tmp_path, override, message):
    with pytest.raises(UserError, match=message):
        bound(recipe, tmp_path, override)


def test_a_retriever_the_index_cannot_serve_is_refused(recipe, tmp_path):
    run = bound(recipe, tmp_path, "study.retrievers={dense: {embedder: intfloat/e5}}")
    with pytest.raises(UserError, match="the index is built with None") as caught:
        cells_of(run)
    assert "study.retrievers.dense" in str(caught.value)
    run = bound(recipe, tmp_path, "study.retrievers={dense: {alpha: 1}}")
    with pytest.raises(UserError, match="no embedder"):
        cells_of(run)


def test_a_checkpoint_that_is_not_there_and_a_recipe_without_a_study_are_refused(recipe, tmp_path):
    with pytest.raises(UserError, match="there is no checkpoint here"):
        study_stages(bound(recipe, tmp_path, "study.trained=nowhere"))
    with pytest.raises(UserError, match="no retrievers to study"):
        study_stages(bound(recipe, tmp_path, "study.retrievers={}"))
