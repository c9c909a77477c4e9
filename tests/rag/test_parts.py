"""The small parts: overlap, agreement, costs, prompts, guarded calls, journal."""

from __future__ import annotations

import math
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.prompting.wording import choice_messages
from kofinlaw.models.engines.base import ChoiceScore, Generation
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.agreement import (
    choice_probabilities,
    combine,
    written_choice,
)
from kofinlaw.rag.answer.deadline import FULL, PLANS, Budget, Costs, choose_plan
from kofinlaw.rag.answer.fallback import (
    fallback_answer,
    overlap_choice,
    overlap_scores,
)
from kofinlaw.rag.answer.free_text import opening_of, similarity, tidy
from kofinlaw.rag.answer.journal import Journal, Turn
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer.watchdog import Overdue, ThreadCaller
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question

EVIDENCE = ["금융회사는 접근매체의 위조로 이용자에게 손해가 발생한 경우 배상할 책임을 진다."]
TEMPLATE = ChatTemplate(
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}",
    eos="<end>",
)


def test_overlap_picks_the_option_the_evidence_holds() -> None:
    options = ["이용자가 벌금을 납부한다", "금융회사가 손해를 배상한다", "국가가 보조금을 지급한다"]
    assert overlap_choice(options, EVIDENCE) == 1
    # 금융 융회 회사, 손해, 배상: five of the option's nine bigrams stand there.
    assert overlap_scores(options, EVIDENCE)[1] == 5 / 9
    assert overlap_choice(options, EVIDENCE, negative=True) in (0, 2)


def test_overlap_says_nothing_where_nothing_tells_options_apart() -> None:
    assert overlap_choice(["가", "가"], EVIDENCE) == -1
    assert overlap_choice(["우주선", "고래"], EVIDENCE) == -1
    assert overlap_choice(["배상", "책임"], []) == -1


def test_overlap_ties_do_not_depend_on_place() -> None:
    options = ["금융회사", "이용자", "고래"]
    chosen = options[overlap_choice(options, EVIDENCE)]
    turned = options[::-1]
    assert turned[overlap_choice(turned, EVIDENCE)] == chosen


def test_fallback_is_marked_and_depends_on_the_id_without_evidence() -> None:
    chosen = {
        fallback_answer(Question(f"q{i}", "무엇?", ("가", "나", "다")), ()).answer
        for i in range(50)
    }
    assert chosen == {"1", "2", "3"}
    free = fallback_answer(Question("f", "접근매체 위조 손해의 배상 책임은?"), EVIDENCE, ["a"])
    assert (free.answer, free.origin, free.evidence, free.confidence) == (
        EVIDENCE[0],
        "fallback",
        ("a",),
        0.0,
    )
    assert fallback_answer(Question("f", "무엇?"), ()).answer


def test_choice_probabilities_return_to_the_questions_order() -> None:
    scores = [
        ChoiceScore(math.log(0.6), 1),
        ChoiceScore(math.log(0.2), 1),
        ChoiceScore(math.log(0.2), 1),
    ]
    assert choice_probabilities(scores, (2, 0, 1), per_token=False) == pytest.approx(
        [0.2, 0.2, 0.6]
    )
    nan = [ChoiceScore(math.nan, 1), ChoiceScore(-1.0, 1)]
    assert choice_probabilities(nan, (0, 1), per_token=False) is None
    dead = [ChoiceScore(-math.inf, 1), ChoiceScore(-math.inf, 1)]
    assert choice_probabilities(dead, (0, 1), per_token=False) is None


def test_scores_by_token_do_not_punish_length() -> None:
    scores = [ChoiceScore(-2.0, 2), ChoiceScore(-10.0, 10)]
    assert choice_probabilities(scores, (0, 1), per_token=True) == [0.5, 0.5]


def test_a_written_choice_must_be_one_of_them() -> None:
    sure = Generation("2", 5, 1, "stop", math.log(0.8))
    assert written_choice(sure, ("1", "2"), (0, 1)) == pytest.approx([0.2, 0.8])
    assert written_choice(Generation("12", 5, 2, "length", -1.0), ("1", "2"), (0, 1)) is None


def turn(number: int, **values: object) -> Turn:
    return Turn("q", number, "full", 1, 10, 2, **values)  # type: ignore[arg-type]


def test_orders_are_averaged() -> None:
    question = Question("q", "무엇?", ("가", "나"))
    answer = combine(question, [turn(0, scores=[0.9, 0.1]), turn(1, scores=[0.3, 0.7])], ["c"])
    assert answer is not None
    assert (answer.answer, answer.confidence, answer.tokens) == ("1", 0.6, 24)
    assert combine(question, [turn(0, failed="x")], []) is None


def test_the_candidate_most_like_the_others_wins() -> None:
    texts = [
        "손해를 배상한다",
        "금융회사가 손해를 배상할 책임을 진다",
        "금융회사가 손해를 배상한다",
    ]
    answer = combine(Question("q", "?"), [turn(i, text=t) for i, t in enumerate(texts)], [])
    assert answer is not None
    assert answer.answer == texts[2]


def test_tidy_keeps_whole_sentences() -> None:
    assert tidy("첫째 문장이다. 둘째 문장이다. 셋째.", 100) == "첫째 문장이다. 둘째 문장이다."
    assert tidy("첫째 문장이다. 둘째 문장이다.", 10) == "첫째 문장이다."
    assert tidy("\n \n", 10) == ""


@pytest.mark.parametrize(
    ("question", "opening"),
    [
        ("전자금융거래의 안전성 확보의무를 설명하시오.", "전자금융거래의 안전성 확보의무는"),
        ("접근매체란 무엇인가?", "접근매체는"),
        ("금융회사의 배상책임에 대하여 간략히 서술하세요.", "금융회사의 배상책임은"),
        ("갑은 은행에서 대출을 받았다. 이때 은행은 며칠 안에 알려야 하는가?", ""),
    ],
)
def test_an_answer_opens_with_the_subject_where_one_is_seen(question: str, opening: str) -> None:
    assert opening_of(question) == opening


@given(st.text(alphabet="가나다라 ", max_size=20), st.text(alphabet="가나다라 ", max_size=20))
def test_similarity_is_a_symmetric_share(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0.0 <= similarity(one, other) <= 1.0


def test_budget_counts_from_the_start_and_ignores_a_clock_that_runs_back() -> None:
    now = SimpleNamespace(t=100.0)
    budget = Budget(60, 10, lambda: now.t, started=95.0, used_before=5.0)
    assert budget.left() == 60 - 10 - 5 - 5
    now.t = 50.0
    assert budget.left() == 40
    now.t = 52.0
    assert budget.left() == 38
    assert Budget(None, 10, lambda: now.t).left() == math.inf


def test_the_best_plan_that_fits_is_chosen() -> None:
    costs = Costs()
    assert choose_plan(costs, 10.0, lambda plan: {"choice": 100.0}, plans=PLANS) is FULL
    costs.observe("choice", 100.0, 10.0)
    chosen = choose_plan(
        costs, 60.0, lambda plan: {"choice": 100 + 900 * plan.evidence_share}, plans=PLANS
    )
    assert chosen is not None
    assert chosen.name == "quarter-context"
    assert choose_plan(costs, 1.0, lambda plan: {"choice": 100.0}, plans=PLANS) is PLANS[-1]
    assert choose_plan(costs, 0.0, lambda plan: {"choice": 100.0}, plans=PLANS) is None


def test_a_machine_that_slows_down_is_noticed_at_once_and_warming_up_forgotten() -> None:
    costs = Costs()
    for seconds in (100.0, 1.0, 1.0):
        costs.observe("free", 10.0, seconds)
    assert costs.forecast("free", 10.0) == 1.0
    costs.observe("free", 10.0, 3.0)
    assert costs.forecast("free", 10.0) == 3.0
    assert costs.forecast("choice", 10.0) == 3.0


def prompter(context: int = 4096, **values: object) -> Prompter:
    settings = AnswerSettings(context_tokens=context, free_max_tokens=8, **values)  # type: ignore[arg-type]
    return Prompter(TEMPLATE, settings, 200, len)


def test_the_prompt_is_the_one_training_builds() -> None:
    passage = SimpleNamespace(text="전자금융거래법 제9조\n금융회사가 배상한다.")
    question = Question("q", "누가 배상하나?", ("이용자", "금융회사"))
    prompt = prompter(answer_form="label").build(question, [passage], FULL)  # type: ignore[list-item]
    expected = TEMPLATE.render(
        choice_messages(question.question, question.options, [passage.text]),
        add_generation_prompt=True,
    )
    assert prompt.text == expected
    assert (prompt.choices, prompt.order, prompt.shown, prompt.cut) == (
        ("1", "2"),
        (0, 1),
        1,
        False,
    )


def test_a_turn_rotates_the_options_and_remembers_which_is_which() -> None:
    question = Question("q", "무엇?", ("가", "나", "다"))
    prompt = prompter(answer_form="text", permutations=3).build(question, [], FULL, 1)
    assert (prompt.choices, prompt.order) == (("나", "다", "가"), (1, 2, 0))
    assert "1 나\n2 다\n3 가" in prompt.text
    assert prompter(answer_form="text").build(question, [], PLANS[-1], 1).choices == ("1", "2", "3")


def test_what_does_not_fit_loses_evidence_then_its_middle() -> None:
    passages = [SimpleNamespace(text=f"제{i}조\n" + "금융회사의 책임이다.\n" * 8) for i in range(3)]
    question = Question("q", "짧은 물음?", ("가", "나"))
    prompt = prompter(180).build(question, passages, FULL)  # type: ignore[arg-type]
    assert prompt.tokens <= 180
    assert not prompt.cut
    long = Question("q", "처음" + "가나다라" * 500 + "끝은?", ("가", "나"))
    prompt = prompter(300).build(long, passages, FULL)  # type: ignore[arg-type]
    assert prompt.tokens <= 300
    assert prompt.cut
    assert "처음" in prompt.text
    assert "끝은?" in prompt.text


def test_a_thread_that_hangs_is_left_and_the_next_call_works() -> None:
    beats: list[int] = []
    call = ThreadCaller(lambda: beats.append(1))
    assert call(lambda: 3, 5.0) == 3
    with pytest.raises(Overdue):
        call(lambda: time.sleep(3), 0.05)
    assert call(lambda: 4, 5.0) == 4
    with pytest.raises(ValueError, match="inside"):
        call(lambda: int("inside"), 5.0)
    assert beats


def test_the_journal_keeps_whole_lines_and_the_first_of_two(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"seed": 1})
    assert journal.record(turn(0, text="답"))
    assert not journal.record(turn(0, text="다른 답"))
    with open(tmp_path / "plan.jsonl", "a", encoding="utf-8") as handle:
        handle.write('{"id": "q", "tu')
    again = Journal(tmp_path, {"seed": 1})
    assert [t.text for t in again.turns.values()] == ["답"]
    with pytest.raises(UserError, match="seed changed"):
        Journal(tmp_path, {"seed": 2})


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        AnswerSettings(budget_minutes=1, reserve_minutes=2)
    with pytest.raises(ValueError, match="no embedder"):
        RagSettings(alpha=1.0)
    with pytest.raises(ValueError, match="pool 5 is smaller"):
        RagSettings(pool=5, k=10)
