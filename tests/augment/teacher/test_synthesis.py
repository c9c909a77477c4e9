import importlib.util
import json
import resource
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from kofinlaw import UserError
from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.augment.teacher.synthesis import sources_of
from kofinlaw.augment.teacher.tasks import TASKS
from kofinlaw.files import read_jsonl
from kofinlaw.models.engines.base import Generation
from kofinlaw.records import Example, Rejected


@pytest.fixture(scope="module")
def scripted():
    spec = importlib.util.spec_from_file_location("scripted", Path(__file__).parent / "scripted.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def teach(scripted, corpus, tmp_path, monkeypatch):
    """Run the stage with a teacher that answers by a function; (engine, examples, rejected)."""

    def run(answer=scripted.sound, items=36, out="out", ledger="ledger.jsonl", **teacher):
        engine = scripted.Scripted(answer)
        monkeypatch.setattr("kofinlaw.models.engines.factory.open_engine", lambda *_, **__: engine)
        settings = scripted.settings_of(items, **teacher)
        folder = tmp_path / out
        generate_examples(settings, corpus, folder, seed=1, ledger=tmp_path / ledger)
        examples = list(read_jsonl(folder / "examples.jsonl", Example))
        taught = [e for e in examples if e.task.startswith("teacher_")]
        rejected = list(read_jsonl(folder / "rejected.jsonl", Rejected))
        return engine, taught, [r for r in rejected if r.id.startswith("teacher-")]

    return run


def test_every_task_gives_examples_of_its_form_with_the_teachers_licence(teach):
    _, taught, rejected = teach()
    tasks = {e.task.removeprefix("teacher_") for e in taught}
    assert tasks == set(TASKS), [(r.reason, r.detail) for r in rejected]
    for example in taught:
        roles = [m["role"] for m in example.messages]
        assert roles == ["user", "assistant"] * (2 if example.task == "teacher_dialogue" else 1)
        assert example.provenance["teacher_license"] == "Gemma"
        assert example.provenance["version"]
        assert all(check["ok"] for check in example.checks)
    refusal = next(e for e in taught if e.task == "teacher_refusal")
    assert "찾을 수 없습니다" in refusal.messages[-1]["content"]


def test_a_teacher_that_disagrees_with_itself_is_refused(teach, scripted):
    def answer(prompt):
        if scripted.task_of(prompt) == "reanswer":
            return '{"answer": "협회장은 매년 벌금을 99억원 물려야 한다."}'
        return scripted.sound(prompt)

    _, taught, rejected = teach(answer)
    open_ended = {e.task for e in taught if e.choice["answer"] < 0}
    assert open_ended == {"teacher_explanation", "teacher_summary"}
    assert "reanswer" in {r.reason for r in rejected}


def test_a_judge_has_the_last_word(teach, scripted):
    def answer(prompt):
        return "아니요" if scripted.task_of(prompt) == "judge" else scripted.sound(prompt)

    _, taught, rejected = teach(answer, judge=True)
    assert taught == []
    assert "judge" in {r.reason for r in rejected}


def test_an_invented_article_is_refused(teach, scripted):
    def answer(prompt):
        task = scripted.task_of(prompt)
        if task != "explanation":
            return scripted.sound(prompt)
        fields = json.loads(scripted.sound(prompt))
        fields["explanation"] += " 이는 이 법 제9999조와 같다."
        return json.dumps(fields, ensure_ascii=False)

    _, taught, rejected = teach(answer)
    assert "teacher_explanation" not in {e.task for e in taught}
    assert any("citations: 「" in r.detail and "no 제9999조" in r.detail for r in rejected)


def test_the_card_shows_the_funnel_and_accounts_for_every_output(teach, tmp_path):
    _, taught, rejected = teach()
    card = json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))["teacher"]
    assert card["license"] == "Gemma"
    assert sum(c["asked"] for c in card["funnel"].values()) == len(taught) + len(rejected)
    assert sum(c["accepted"] for c in card["funnel"].values()) == len(taught)
    assert sum(sum(c.values()) for c in card["refused"].values()) == len(rejected)
    assert "| asked |" in (tmp_path / "out" / "card.md").read_text("utf-8")


def test_another_prompt_version_asks_only_its_own_rows_again(teach, monkeypatch):
    from kofinlaw.augment.teacher import synthesis as teacher

    first, taught, _ = teach()
    real = teacher.read_prompt

    def changed(name):
        prompt = real(name)
        if name != "summary":
            return prompt
        return type(prompt)(name, "새 지시. " + prompt.text, "9", "0" * 64)

    monkeypatch.setattr(teacher, "read_prompt", changed)
    second, again, _ = teach(out="again")
    summaries = sum(e.task == "teacher_summary" for e in taught)
    assert first.asked
    assert summaries == 3
    assert len(second.asked) == summaries
    assert all(text.startswith("새 지시", text.index("새")) for text in second.asked)
    assert {e.provenance["version"] for e in again if e.task == "teacher_summary"} == {"9"}


def model_in(folder, weights):
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}', "utf-8")
    (folder / "tokenizer_config.json").write_text('{"bos_token": "<s>"}', "utf-8")
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    save_file({"model.norm.weight": np.full(4, weights, np.float32)}, folder / "model.safetensors")
    return {"id": "m", "path": str(folder)}


def test_only_the_same_model_run_in_the_same_way_is_not_asked_again(teach, tmp_path):
    old, new = model_in(tmp_path / "old", 1.0), model_in(tmp_path / "new", 2.0)
    moved = model_in(tmp_path / "moved", 1.0)
    plain, nf4 = {"engine": "transformers"}, {"engine": "transformers", "quantization": "nf4"}

    def asked(model, engine):
        return len(teach(items=9, model=model, engine=engine)[0].asked)

    first = asked(old, plain)
    assert first > 0
    assert asked(moved, plain) == 0
    assert asked(new, plain) == first
    assert asked(old, nf4) == first
    assert asked(old, {"engine": "llamacpp"}) == first
    assert asked(old, plain) == 0


def test_a_disk_that_fills_up_under_the_examples_costs_no_request(teach, tmp_path):
    teach(out="whole", ledger="whole.jsonl")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Room for the ledger, not for the examples: a file's limit cuts it as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (40000, before[1]))
    try:
        with pytest.raises(UserError, match=r"cut/examples\.jsonl: no space left"):
            teach(out="cut", ledger="cut.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "cut" / "examples.jsonl").exists()
    engine, _, _ = teach(out="cut", ledger="cut.jsonl")
    assert engine.asked == []
    for name in ("examples.jsonl", "rejected.jsonl", "card.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


BAD = {
    "garbage": ("asdf " * 50, "parses"),
    "empty": ("", "parses"),
    "endless": (Generation('{"question": "' + "가" * 3000, 1, 400, "length", 0.0), "parses"),
    "invalid JSON": ("{'question': '무엇인가?'}", "parses"),
    "an error": (Generation("", 1, 0, "error", 0.0), "answered"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_output_is_refused_with_its_reason_and_the_run_goes_on(teach, scripted, how):
    text, reason = BAD[how]

    def answer(prompt):
        return text if scripted.task_of(prompt) == "summary" else scripted.sound(prompt)

    _, taught, rejected = teach(answer)
    assert {r.reason for r in rejected if json.loads(r.record)["task"] == "summary"} == {reason}
    assert taught


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("The operator shall deliver the written statement within two weeks.", "korean"),
        ("支払業者は二週間以内に書面を交付しなければならない。", "korean"),
        (
            "은행은 고객이 거래내역을 서면으로 요청하면 7일 이내에 서면을 내주어야 한다.",
            "not_the_prompt",
        ),
    ],
)
def test_another_language_and_the_prompt_itself_are_refused(teach, scripted, field, reason):
    def answer(prompt):
        if scripted.task_of(prompt) == "summary":
            return json.dumps({"summary": field}, ensure_ascii=False)
        return scripted.sound(prompt)

    _, _, rejected = teach(answer)
    assert {r.reason for r in rejected if json.loads(r.record)["task"] == "summary"} == {reason}


def test_outputs_that_repeat_each_other_count_once(teach, scripted):
    text = json.dumps({"question": "언제까지 교부하여야 하는가?"}, ensure_ascii=False)

    def answer(prompt):
        return text if scripted.task_of(prompt) == "rephrasing" else scripted.sound(prompt)

    _, taught, rejected = teach(answer, tasks={"rephrasing": 1})
    assert len(taught) <= 1
    assert {r.reason for r in rejected} <= {
        "new",
        "about_the_passage",
        "question_from_the_passage",
        "same_parties",
        "reanswer",
    }


def test_the_same_provisions_for_the_same_seed(acts):
    laws = read_laws(acts).acts
    settings = TeacherSettings.model_validate({"model": {"id": "m"}, "items": 24})
    drafts = list(draft_questions(read_laws(acts), 3))
    found = sources_of(settings, laws, 3, drafts)
    assert found == sources_of(settings, laws, 3, drafts)
    assert len(found) == 24
    assert len(sources_of(settings, laws, 3)) == 20  # two tasks show questions by rule


def choice_examples(taught):
    return [e for e in taught if e.choice["answer"] >= 0]


def test_a_multiple_choice_example_has_the_parts_of_its_choice(teach):
    _, taught, _ = teach(items=72)
    found = choice_examples(taught)
    assert {e.task for e in found} == {
        *("teacher_choice_scenario", "teacher_choice_paraphrase", "teacher_comparison"),
    }
    for example in found:
        choice = example.choice
        assert example.answer_key == str(choice["answer"] + 1)
        assert example.messages[-1]["content"] == choice["options"][choice["answer"]]
        assert choice["question"] in example.messages[0]["content"]
        assert all(text in example.messages[0]["content"] for text in choice["evidence"])
        assert len(choice["evidence"]) == (2 if example.task == "teacher_comparison" else 1)
        assert len(example.provenance["chunks"]) == len(
            {t.split("\n")[0] for t in choice["evidence"]}
        )
    assert all(e.choice["options"] == [] for e in taught if e not in found)


def test_a_choice_that_the_teacher_cannot_answer_is_refused(teach, scripted):
    def answer(prompt):
        if scripted.task_of(prompt) != "pick":
            return scripted.sound(prompt)
        options = scripted.options_of(prompt)
        return str(int(scripted.pick(prompt)) % len(options) + 1)

    _, taught, rejected = teach(answer)
    assert {json.loads(r.record)["task"] for r in rejected if r.reason == "reanswer"} >= {
        "choice_scenario",
        "comparison",
    }
    assert len(choice_examples(taught)) < 3


@pytest.mark.parametrize("direction", ["entails", "entailed"])
def test_a_paraphrase_must_hold_in_both_directions(teach, scripted, direction):
    asked = []

    def answer(prompt):
        if scripted.task_of(prompt) != "same_question":
            return scripted.sound(prompt)
        first, second = prompt.split("첫째: ")[-1].removesuffix("\n판정:").split("\n둘째: ")
        asked.append((first, second))
        backward = (second, first) in asked
        return "아니요" if backward == (direction == "entailed") else "예"

    _, taught, rejected = teach(answer, tasks={"rephrasing": 1}, items=6)
    reasons = {r.reason for r in rejected}
    assert taught == []
    assert direction in reasons
    assert ("entailed" in reasons) == (direction == "entailed")


def test_a_checker_reads_the_paraphrases_and_its_answers_are_kept(teach, scripted, tmp_path):
    checker = {"model": {"id": "Qwen/Qwen2.5-7B-Instruct"}, "engine": {"engine": "dummy"}}
    checker["prompting"] = "completion"
    first, taught, _ = teach(tasks={"rephrasing": 1}, items=6, checker=checker)
    assert taught
    models = {
        json.loads(line)["model"].split("@")[0]
        for line in open(tmp_path / "out" / "ledger.jsonl", encoding="utf-8")
    }
    assert models == {"google/gemma-3-270m", "Qwen/Qwen2.5-7B-Instruct"}
    again, repeated, _ = teach(tasks={"rephrasing": 1}, items=6, checker=checker, out="again")
    assert first.asked
    assert again.asked == []
    assert repeated == taught


def test_a_provision_an_output_and_an_example_that_fail_are_rejections(
    teach, scripted, tmp_path, monkeypatch
):
    from kofinlaw.augment.teacher import synthesis

    def failing(name, at):
        function, calls = getattr(synthesis, name), []

        def call(*args, **options):
            calls.append(1)
            if len(calls) == at:
                raise ValueError("은행\ud83d")
            return function(*args, **options)

        monkeypatch.setattr(synthesis, name, call)

    failing("passages", 1)  # one act of one task
    failing("_is_protected", 4)
    failing("verdicts", 5)
    failing("accepted_example", 2)
    _, taught, _ = teach()
    rejected = read_jsonl(tmp_path / "out" / "rejected.jsonl", Rejected)
    failed = [r for r in rejected if "ValueError: 은행" in r.detail]
    assert sorted(r.reason for r in failed) == ["checked", "failed", "failed", "written"]
    assert taught
