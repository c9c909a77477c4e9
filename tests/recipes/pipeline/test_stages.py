"""The stages of a recipe: what their fingerprints cover, and which run again after a change."""

import shutil
from dataclasses import replace

import code_graph
import pytest
from counts import Counts

from kofinlaw import UserError
from kofinlaw.augment.review.verdict_file import VERDICT_FILE, VerdictFile
from kofinlaw.augment.review.verdicts import Verdict
from kofinlaw.recipes.pipeline.code_hash import code_sha256
from kofinlaw.recipes.pipeline.integrity.fingerprints import fingerprint
from kofinlaw.recipes.pipeline.run import bind, comparison_settings
from kofinlaw.recipes.pipeline.runner import run_stages
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.pipeline.stages import build_stages
from kofinlaw.recipes.studies.study import study_stages
from kofinlaw.stage_names import FIRST_STAGES, LAST_STAGES, REPORT_STAGE


def bound(pico, runs, *overrides):
    loaded, recipe_file = load_recipe(str(pico / "recipe.yaml"), overrides)
    return bind(loaded, recipe_file, runs, cache=runs / "cache")


def shipped(name, runs, *overrides):
    return bind(*load_recipe(name, overrides), runs, cache=runs / "cache")


def marks(run):
    found: dict[str, str] = {}
    for stage in build_stages(run):
        found[stage.name] = fingerprint(stage, found)
    return found


@pytest.mark.parametrize("judge", [False, True])
def test_other_trace_settings_run_the_answers_again(pico, tmp_path, judge):
    judged = ["score.judge={model: {id: google/gemma-3-270m}}"] if judge else []
    plain = marks(bound(pico, tmp_path, "trace={to: [jsonl]}", *judged))
    redacted = marks(bound(pico, tmp_path, "trace={to: [jsonl], redact: true}", *judged))
    changed = {name for name in plain if plain[name] != redacted[name]}
    answers = {"answer-base", "answer-base-rag", "answer-trained-rag"}
    assert changed == answers | {"score", "report"}  # what reads the answers follows
    alone = {s.name: s.settings for s in build_stages(bound(pico, tmp_path, *judged))}
    assert ("trace" in alone["score"]) == judge


def test_only_verdicts_that_change_an_example_run_the_training_again(pico, tmp_path):
    run = bound(pico, tmp_path)
    plain = marks(run)
    run.folder.mkdir(parents=True)
    file = VerdictFile(run.folder / VERDICT_FILE)

    def say(name, judgement, reader="kim"):
        verdict = Verdict(name, "0" * 64, reader, judgement, "", None, False, "2026-11-30")
        file.append([verdict])
        return {stage for stage, mark in marks(run).items() if mark != plain[stage]}

    assert say("quantity-1", "right") == set()
    assert say("quantity-2", "unclear") == set()
    changed = say("quantity-3", "wrong")
    assert changed == set(plain) - {"data", "index"}
    assert say("quantity-3", "right", "lee") == set()  # readers who differ change nothing
    assert say("quantity-3", "withdrawn", "lee") == changed
    with open(file.path, "a") as handle:
        handle.write("broken\n")
    with pytest.raises(UserError, match="this line is not a verdict"):
        marks(run)


QUICKSTART = (
    "data",
    "index",
    "augment",
    "questions",
    "train",
    "merge",
    "verify",
    "answer-base",
    "answer-base-rag",
    "answer-trained-rag",
    "score",
    "report",
)
ANSWERS = {"answer-base", "answer-base-rag", "answer-trained-rag"}
# By package: the stages that reach its code themselves.
USERS = {
    "data": set(QUICKSTART),
    "models": set(QUICKSTART),
    "augment": {"augment"},
    "trainer": {"train", "merge", "verify"},
    "rag": set(QUICKSTART) - {"train", "merge", "verify"},
    "scoring": {"score", "report"},
    "recipes": set(),
}
# By changed package: the stages that run again, those that follow a user included.
RUN_AGAIN = {
    "data": set(QUICKSTART),
    "models": set(QUICKSTART),
    "augment": set(QUICKSTART) - {"data", "index"},
    "trainer": {"train", "merge", "verify", "answer-trained-rag", "score", "report"},
    "rag": set(QUICKSTART),
    "scoring": {"score", "report"},
    "recipes": set(),
}
# Modules of `recipes` whose code shapes what every stage writes.
SHARED = ("recipes/pipeline/run.py", "recipes/pipeline/stage_functions.py")


def append_a_byte(path):
    assert path.is_file(), path
    with open(path, "ab") as handle:
        handle.write(b"\n")


def small(stages):
    """The same stages with work that writes one line."""

    def work(out, progress):
        (out / "records.jsonl").write_text("{}\n", encoding="utf-8")
        progress("writing", 1, 1)
        return Counts(records=1)

    return [replace(stage, work=work) for stage in stages]


def run_small(run):
    code_sha256.cache_clear()
    outcomes = run_stages(small(build_stages(run)), run.folder)
    return {outcome.stage for outcome in outcomes if outcome.how == "ran"}


@pytest.mark.parametrize("pattern", ["*.py", "*/[a-z]*.py"])
def test_a_changed_byte_runs_exactly_the_stages_again_that_depend_on_it(
    code_copy, tmp_path, pattern
):
    run = shipped("quickstart", tmp_path / "runs")
    assert [stage.name for stage in build_stages(run)] == list(QUICKSTART)
    assert run_small(run) == set(QUICKSTART)
    for package, expected in RUN_AGAIN.items():
        assert run_small(run) == set(), "nothing changed"
        append_a_byte(min((code_copy / package).glob(pattern)))
        assert run_small(run) == expected, package


@pytest.mark.parametrize("file", ["records.py", *SHARED])
def test_a_changed_byte_of_shared_code_runs_every_stage_again(code_copy, tmp_path, file):
    run = shipped("quickstart", tmp_path / "runs")
    run_small(run)
    append_a_byte(code_copy / file)
    assert run_small(run) == set(QUICKSTART)
    assert run_small(run) == set()


@pytest.mark.parametrize("package", sorted(USERS))
def test_a_changed_package_changes_the_stages_that_use_it(code_copy, tmp_path, package):
    stages = build_stages(shipped("quickstart", tmp_path / "runs"))
    before = dict.fromkeys(QUICKSTART, "unchanged")

    def fingerprints():
        code_sha256.cache_clear()
        return {stage.name: fingerprint(stage, before) for stage in stages}

    first = fingerprints()
    append_a_byte(code_copy / package / "__init__.py")
    second = fingerprints()
    assert {name for name in QUICKSTART if first[name] != second[name]} == USERS[package]


def test_the_same_code_elsewhere_runs_nothing_again(code_copy, tmp_path, monkeypatch):
    run = shipped("quickstart", tmp_path / "runs")
    assert run_small(run) == set(QUICKSTART)
    monkeypatch.undo()
    assert run_small(run) == set()


def test_a_room_without_code_stops_the_run(code_copy, tmp_path):
    shutil.rmtree(code_copy / "scoring")
    (code_copy / "scoring").mkdir()
    with pytest.raises(RuntimeError, match=r"kofinlaw\.scoring has no source file"):
        run_small(shipped("quickstart", tmp_path / "runs"))


@pytest.fixture
def every_stage(tmp_path):
    """Every stage that a recipe can have: generated and ready examples, export, exams, twins,
    forced evidence, study.
    """
    examples = tmp_path / "examples.jsonl"
    examples.write_text('{"text": "하나"}\n', encoding="utf-8")
    extras = ("export.formats=[gguf-q8_0]", f"evaluate.submission={examples}")
    systems = "evaluate.systems=[base, base-rag, trained, trained-rag]"
    exam = f"evaluate.exam={{path: {examples}, sources: {tmp_path}}}"
    held = ("augment.holdout_documents=[규정]", "augment.holdout_items=4", "evaluate.twins=true")
    forced = "evaluate.evidence=[gold, retrieved]"
    full = shipped("quickstart", tmp_path, systems, *extras, exam, *held, forced)
    ready = shipped("lora-rank-sweep", tmp_path, f"examples={examples}")
    study = shipped("retriever-study", tmp_path)
    return [*build_stages(full), *build_stages(ready), *study_stages(study)]


def test_each_stage_names_exactly_the_code_that_it_can_reach(every_stage):
    names = {stage.name for stage in every_stage}
    assert names >= {*QUICKSTART, "answer-trained", "submission", "export", "asked", "study"}
    parts = ("", ".data", ".index", ".base", ".base-rag", ".trained", ".trained-rag")
    assert names >= {"twins", "twins-base", "twins-trained"}
    assert names >= {"evidence", "evidence-base-gold", "evidence-trained-gold"}
    assert names >= {"exams", *(f"exam-examples{part}" for part in parts)}
    for stage in every_stage:
        packages, modules = code_graph.reached(stage.work)
        followed = set(packages)
        while (
            more := {r for package in followed for r in code_graph.imported_packages(package)}
            - followed
        ):
            followed |= more
        assert set(stage.packages) == followed, stage.name
        assert set(stage.modules) == modules, stage.name


def answering(stages):
    """The stages that answer with a model."""
    work = ("answer_as", "answer_forced", "answer_twins", "answer_exam")
    return [stage for stage in stages if stage.work.func.__name__ in work]


EVERY_ANSWER = (
    "answer.choose_by=contrast",
    "answer.unrelated_voters={}",
    "evaluate.systems=[base, base-rag, trained-rag]",
    "augment.holdout_documents=[규정]",
    "augment.holdout_items=4",
    "evaluate.twins=true",
    "evaluate.evidence=[gold, retrieved]",
)


def test_another_file_of_weights_runs_every_answer_again(tmp_path):
    weights = tmp_path / "voters.json"
    exam = f"evaluate.exam={{path: {tmp_path / 'exam.csv'}, sources: {tmp_path}}}"
    named = (f"evaluate.submission={tmp_path / 'asked.csv'}", f"answer.voters={weights}")
    run = shipped("quickstart", tmp_path, *EVERY_ANSWER, exam, *named)
    stages = answering(build_stages(run))
    kinds = {name.split("-")[0] for name in (stage.name for stage in stages)}
    assert kinds == {"answer", "submission", "evidence", "twins", "exam"}
    assert [stage.name for stage in stages if weights not in stage.inputs] == []


def test_fitted_weights_follow_the_examples_and_the_runs_own_index(tmp_path):
    exam = f"evaluate.exam={{path: {tmp_path / 'exam.csv'}, sources: {tmp_path}}}"
    run = shipped("quickstart", tmp_path, *EVERY_ANSWER, exam, "answer.voters=fit")
    for stage in answering(build_stages(run)):
        assert "augment" in stage.after, stage.name
        alone = stage.name.endswith(("-base", ".base", ".trained"))
        if not alone or stage.name == "twins-base":
            assert "index" in stage.after, stage.name


ASK = ("ask_only=true", "evaluate={}")
UNTESTED = ("evaluate={}",)


def names(run):
    return [stage.name for stage in build_stages(run)]


def test_a_recipe_that_only_asks_has_no_stage_that_trains(pico, tmp_path):
    assert names(bound(pico, tmp_path, *ASK)) == ["data", "index", "report"]
    asked = (
        "ask_only=true",
        "evaluate={questions: questions.jsonl, key: key.jsonl, systems: [base-rag]}",
    )
    expected = ["data", "index", "questions", "answer-base-rag", "score", "report"]
    assert names(bound(pico, tmp_path, *asked)) == expected


def test_a_recipe_without_a_test_trains_and_reports_but_asks_nothing(pico, tmp_path):
    expected = ["data", "index", "augment", "train", "merge", "verify", "report"]
    assert names(bound(pico, tmp_path, *UNTESTED)) == expected
    with_file = names(bound(pico, tmp_path, "evaluate={submission: questions.csv}"))
    assert with_file == [*expected[:-1], "submission", "report"]


def test_the_evaluation_is_asked_without_the_deadline_and_a_submission_with_it(tmp_path):
    budget = "answer.budget_minutes=7"
    file = "evaluate.submission=questions.csv"
    plain = shipped("quickstart", tmp_path, budget, file)
    timed = shipped("quickstart", tmp_path, budget, file, "evaluate.deadline=true")
    assert comparison_settings(plain).budget_minutes is None
    assert comparison_settings(timed).budget_minutes == 7
    for run, minutes in ((plain, None), (timed, 7)):
        stages = {stage.name: stage for stage in build_stages(run)}
        assert stages["answer-base-rag"].work.keywords["settings"].budget_minutes == minutes
        assert "settings" not in stages["submission"].work.keywords  # the recipe's, with deadline
    before, after = marks(plain), marks(timed)
    changed = {name for name in before if before[name] != after[name]}
    assert {"answer-base", "answer-base-rag", "score"} < changed
    assert "submission" not in changed


def test_the_names_that_a_report_sorts_by_are_those_of_the_stages_in_order(tmp_path):
    everything = (
        *EVERY_ANSWER,
        "evaluate.submission=questions.csv",
        "export={formats: [hf]}",
        f"evaluate.exam={{path: {tmp_path / 'exam.csv'}}}",
    )
    found = names(shipped("quickstart", tmp_path, *everything))
    first = [name for name in found if name in FIRST_STAGES]
    last = [name for name in found if name in LAST_STAGES]
    assert first == list(FIRST_STAGES)
    assert last == list(LAST_STAGES)
    assert found[-1] == REPORT_STAGE
    others = [name for name in found if name not in (*first, *last, REPORT_STAGE)]
    assert all(name.startswith(("answer-", "evidence-", "twins", "exam-")) for name in others)
    assert found.index(others[0]) > found.index(first[-1])


def test_the_index_does_not_run_again_when_training_is_added(pico, tmp_path):
    asking, training = (marks(bound(pico, tmp_path, *words)) for words in (ASK, UNTESTED))
    assert asking["index"] == training["index"]
    assert asking["data"] == training["data"]
