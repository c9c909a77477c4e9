"""Verdicts of a scripted judge: all kept, both orders asked, unreadable ones counted."""

import importlib.util
import json
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.models.settings import EngineSettings, ModelSettings
from kofinlaw.models.templates import built_in_template
from kofinlaw.records import Answer, Key, Question
from kofinlaw.scoring.answers import answer_sheet
from kofinlaw.scoring.judge.verdicts import judge_systems
from kofinlaw.scoring.score import score_answers
from kofinlaw.scoring.settings import JudgeSettings, ScoreSettings
from kofinlaw.trace_files import open_tracer, read_traces
from kofinlaw.trace_settings import TraceSettings

_spec = importlib.util.spec_from_file_location(
    "scripted_judge", Path(__file__).with_name("scripted_judge.py")
)
scripted_judge = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scripted_judge)
ScriptedJudge = scripted_judge.ScriptedJudge
fair = scripted_judge.fair


TEMPLATE = built_in_template("chatml", eos="<|im_end|>")

QUESTIONS = [
    Question(f"Q{i}", f"전자금융사고 {i}의 보고 기한은 언제까지인가?") for i in range(1, 5)
]

GOLDS = {
    q.id: Key(q.id, reference=f"안 날부터 {place}일 이내") for place, q in enumerate(QUESTIONS)
}


def sheets():
    good = answer_sheet(Answer(q.id, GOLDS[q.id].reference, (), 0.5, 3) for q in QUESTIONS)
    bad = answer_sheet(Answer(q.id, "모릅니다", (), 0.5, 3) for q in QUESTIONS[:-1])
    return {"base": bad, "trained": good}


def settings(**given):
    return JudgeSettings(
        model=ModelSettings(id="local/judge"), engine=EngineSettings(engine="dummy"), **given
    )


def judged(tmp_path, script, **given):
    engine = ScriptedJudge(script)
    result = judge_systems(
        QUESTIONS,
        GOLDS,
        sheets(),
        tmp_path,
        engine=engine,
        template=TEMPLATE,
        settings=settings(**given),
    )
    return result, engine


def test_a_fair_judge_scores_both_systems_and_distinguishes_the_controls(tmp_path):
    result, _ = judged(tmp_path, fair)
    correct = result["criteria"]["correctness"]
    assert correct["trained"]["figure"]["value"] == 1
    assert correct["base"]["figure"]["value"] == 0
    assert correct["base"]["items"] == 4  # the unanswered question is judged too
    assert result["controls"]["correctness"]["auc"] == 1
    (pair,) = result["pairs"]
    assert (pair["wins_a"], pair["wins_b"], pair["unstable"]) == (0, 4, 0)
    assert pair["p_value"] == pytest.approx(0.125)
    assert json.loads((tmp_path / "judge.json").read_text(encoding="utf-8")) == result


def test_a_judge_that_always_prefers_the_first_answer_gives_no_wins(tmp_path):
    result, _ = judged(
        tmp_path,
        lambda prompt, request: '{"score": "1"}' if "<답안1>" in prompt else '{"score": 1}',
    )
    (pair,) = result["pairs"]
    assert (pair["wins_a"], pair["wins_b"], pair["unstable"]) == (0, 0, 4)
    assert result["controls"]["correctness"]["auc"] == 0.5


def test_unreadable_verdicts_are_counted_and_bound_the_mean(tmp_path):
    def silent_on_the_first(prompt, request):
        return "잘 모르겠습니다" if "사고 1의" in prompt else fair(prompt, request)

    result, _ = judged(tmp_path, silent_on_the_first, repeats=1)
    one = result["criteria"]["correctness"]["trained"]
    assert (one["items"], one["judged"], one["unreadable"]) == (4, 3, 1)
    assert one["figure"]["value"] == 1
    assert (one["worst"], one["best"]) == (0.75, 1)
    assert result["pairs"][0]["unreadable"] == 1


def test_without_readable_verdicts_there_is_no_figure(tmp_path):
    result, _ = judged(tmp_path, lambda prompt, request: "점수: 좋음")
    one = result["criteria"]["helpfulness"]["base"]
    assert one["figure"] is None
    assert (one["unreadable_share"], one["worst"], one["best"]) == (1, 0, 1)
    assert result["controls"]["helpfulness"]["auc"] is None


def test_the_first_verdict_is_greedy_and_repeats_have_their_own_seeds(tmp_path):
    _, engine = judged(
        tmp_path, fair, repeats=3, pairwise=False, controls=False, criteria=("correctness",)
    )
    first = [r for r in engine.asked if r.prompt == engine.asked[0].prompt]
    assert [r.temperature for r in first] == [0, 0.7, 0.7]
    assert len({r.seed for r in first}) == 3
    assert not any(r.logprob for r in engine.asked)  # nobody reads it, and it costs a pass


def test_an_interrupted_judge_asks_only_for_missing_verdicts(tmp_path):
    result, engine = judged(tmp_path, fair)
    path = tmp_path / "verdicts.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:10]) + lines[10][:40], encoding="utf-8")
    again, second = judged(tmp_path, fair)
    assert again == result
    assert len(second.asked) == len(engine.asked) - 10


def test_judging_without_free_text_questions_is_refused(tmp_path):
    with pytest.raises(UserError, match="free-text questions"):
        judge_systems(
            [Question("Q1", "고르시오", ("가", "나"))], {"Q1": Key("Q1", answer="1")}, {}, tmp_path,
            engine=ScriptedJudge(fair), template=TEMPLATE, settings=settings(),
        )  # fmt: skip


def test_verdicts_are_traced(tmp_path):
    with open_tracer(TraceSettings(), tmp_path) as tracer:
        judge_systems(
            QUESTIONS, GOLDS, sheets(), tmp_path, engine=ScriptedJudge(fair), template=TEMPLATE,
            settings=settings(criteria=("correctness",), controls=False, pairwise=False), tracer=tracer,
        )  # fmt: skip
    (span,) = [span for _, span in read_traces(tmp_path / "traces.jsonl")]
    assert span["name"] == "judge"
    assert {item["id"] for item in span["items"]} == {"Q1", "Q2", "Q3", "Q4"}


def test_scoring_a_run_traces_its_judge(tmp_path):
    write_jsonl(tmp_path / "questions.jsonl", QUESTIONS)
    write_jsonl(tmp_path / "key.jsonl", GOLDS.values())
    write_jsonl(tmp_path / "answers.jsonl", sheets()["trained"].answers.values())
    judge = JudgeSettings(
        model=ModelSettings(id="google/gemma-3-270m"), engine=EngineSettings(engine="dummy")
    )
    settings = ScoreSettings(embedder=None, text_scores=False, bootstrap_samples=100, judge=judge)
    score_answers(
        tmp_path / "questions.jsonl",
        tmp_path / "key.jsonl",
        {"trained": tmp_path / "answers.jsonl"},
        None,
        tmp_path / "score",
        settings=settings,
        trace=TraceSettings(),
    )
    spans = [span for _, span in read_traces(tmp_path / "score" / "judge" / "traces.jsonl")]
    assert {span["name"] for span in spans} == {"judge"}
    assert (tmp_path / "score" / "judge" / "verdicts.jsonl").is_file()
