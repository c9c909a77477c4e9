"""Requests to the engine: reasoning before a choice, log-probabilities only where needed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import simulation
from worlds import World, assert_complete, rows, same_bytes

from kofinlaw.data.prompting.contrast import bare_messages, contrast_messages, contrast_text
from kofinlaw.data.prompting.wording import CITING_RULE, NO_EVIDENCE, REASONED_CUE
from kofinlaw.models.engines.base import ChoiceScore, Finish, Generation, Request
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.rag.answer.engine_calls import Reply, ask_engine, missing_bare_scores
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer.single_question import AskedAnswer, ask_question
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.bare_scores import BareScores
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.rag.retrieve.query_forms import generate_with
from kofinlaw.records import Chunk, Question


@pytest.mark.parametrize("choose_by", ["score", "generate"])
def test_reasoning_is_written_first_and_the_choice_follows_it(
    tmp_path: Path, few: Path, choose_by: str
) -> None:
    world = World()
    figures = world.answer(
        few, tmp_path / "out", reasoning_tokens=64, answer_form="label", choose_by=choose_by
    )
    assert figures["fallback"] == 0
    first, second = (
        [p for p in world.prompts if CITING_RULE in p and p.endswith(end)]
        for end in ("<assistant>", REASONED_CUE)
    )
    assert len(first) == len(second) == 20
    assert all(any(p.startswith(q) for q in first) for p in second)
    turns = [turn for turn in rows(tmp_path / "out/plan.jsonl") if turn["scores"]]
    assert all(turn["reasoning"] for turn in turns)


def test_log_probabilities_are_asked_for_only_where_they_are_read() -> None:
    wanted: dict[str, set[bool]] = {}

    class Noting(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            kind = "choice" if requests[0].choices else "reasons"
            wanted.setdefault(kind, set()).update(request.logprob for request in requests)
            return super().generate(requests)

    asked = {"engine": Noting(), "template": simulation.TEMPLATE, "retriever": None}
    reasoned = AnswerSettings(reasoning_tokens=32, choose_by="generate")
    ask_question("기한은?\n1 3일\n2 10일", settings=reasoned, **asked)
    assert wanted == {"reasons": {False}, "choice": {True}}

    wanted.clear()
    generate_with(Noting(), simulation.TEMPLATE)(["검색문을 쓰십시오.", "조문을 쓰십시오."])
    assert wanted == {"reasons": {False}}


class Scoring(DummyEngine):
    """Notes what is scored."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        self.asked += [(p, tuple(row)) for p, row in zip(prompts, choices, strict=True)]
        return super().score(prompts, choices)


BARE = simulation.TEMPLATE.render(bare_messages(), add_generation_prompt=True)


def by_contrast(stem: str, options: Sequence[str], **values: object) -> AskedAnswer:
    settings = AnswerSettings(choose_by="contrast", **values)  # type: ignore[arg-type]
    asked = "\n".join([stem, *(f"{n} {text}" for n, text in enumerate(options, 1))])
    return ask_question(
        asked,
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(simulation.Clock()),
        settings=settings,
    )


@pytest.mark.parametrize(
    "voters", [{"contrast": 1.0}, {"contrast": 0.5, "evidence": 1.0, "overlap": 0.3}]
)
def test_the_options_order_does_not_matter_by_contrast(voters: dict[str, float]) -> None:
    options = ("3일", "5일 이내", "10일", "30일")
    found = {
        (answer.option, answer.confidence)
        for order in itertools.permutations(options)
        for answer in [by_contrast("통지 기한은?", order, voters=voters)]
    }
    assert len(found) == 1
    assert next(iter(found))[0] in options


def test_a_negative_stem_takes_the_option_that_fits_least() -> None:
    engine = Scoring()
    turns = {}
    for stem in ("다음 중 옳은 것은?", "다음 중 옳지 않은 것은?"):
        question = Question("q", stem, ("3일", "5일", "10일"))
        settings = AnswerSettings(choose_by="contrast")
        prompt = Prompter(simulation.TEMPLATE, settings, 0, len).build(question, [], FULL)
        # Both stems get the same scores, so that only the sign differs.
        prompt = replace(prompt, text="같은 물음")
        bare = BareScores(missing_bare_scores(engine, [prompt], BareScores()))
        (reply,) = ask_engine(
            engine, [prompt], [(0, 0)], settings, stop="<end>", plan=FULL, bare=bare
        )
        assert reply is not None
        turns[stem] = reply
    positive, negative = turns.values()
    assert positive.votes == negative.votes
    assert positive.scores.index(max(positive.scores)) == negative.scores.index(
        min(negative.scores)
    )


def test_options_are_not_listed_and_each_text_is_scored_bare_once(
    tmp_path: Path, questions: Path
) -> None:
    engine = Scoring()
    World().answer(
        questions,
        tmp_path / "out",
        open_engine=lambda: engine,
        choose_by="contrast",
        batch_questions=4,
    )
    bare = [text for prompt, row in engine.asked if prompt == BARE for text in row]
    asked = {o for q in read_questions(questions).questions for o in q.options}
    assert sorted(bare) == sorted(asked)
    shown = [(prompt, row) for prompt, row in engine.asked if prompt != BARE]
    assert len(shown) == 40
    assert not any(option in prompt for prompt, row in shown for option in row)
    for turn in rows(tmp_path / "out/plan.jsonl"):
        voters = [vote["voter"] for vote in turn["votes"]]
        expected = ["contrast", "likelihood", "look_up", "overlap", "passages", "reading"]
        assert voters == (expected if turn["scores"] else [])


def test_answers_by_contrast_do_not_depend_on_batches(tmp_path: Path, questions: Path) -> None:
    for name, size in (("a", 3), ("b", 16)):
        World().answer(
            questions,
            tmp_path / name,
            choose_by="contrast",
            voters={"contrast": 1.0, "evidence": 1.0},
            batch_questions=size,
        )
    same_bytes(tmp_path / "a", tmp_path / "b", ("answers.jsonl", "plan.jsonl", "bare.jsonl"))


def test_a_replay_repeats_the_bytes_of_a_choice_by_contrast(
    tmp_path: Path, questions: Path
) -> None:
    World().answer(questions, tmp_path / "first", choose_by="contrast")
    world = World()
    plan = tmp_path / "first/plan.jsonl"
    world.answer(questions, tmp_path / "again", choose_by="contrast", replay=plan)
    same_bytes(tmp_path / "first", tmp_path / "again", ("answers.jsonl", "plan.jsonl"))
    assert BARE not in world.prompts


def test_an_engine_that_fails_leaves_complete_answers_by_contrast(
    tmp_path: Path, questions: Path
) -> None:
    faults = simulation.Faults(crash=0.1, memory=0.1, stall=0.05, empty=0.3, short=0.1)
    world = World(faults=faults, seed=3)
    world.answer(
        questions,
        tmp_path / "out",
        choose_by="contrast",
        voters={"contrast": 1.0, "evidence": 0.5},
        budget_minutes=600,
    )
    assert_complete(tmp_path / "out", questions)
    failed = [turn for turn in rows(tmp_path / "out/plan.jsonl") if turn["failed"]]
    assert len(failed) < 10


def test_every_plan_chooses_by_contrast_and_the_last_shows_no_evidence(
    tmp_path: Path, questions: Path
) -> None:
    world = World(faults=simulation.Faults(seconds_per_token=0.01))
    figures = world.answer(
        questions,
        tmp_path / "out",
        choose_by="contrast",
        voters={"contrast": 1.0, "evidence": 1.0},
        budget_minutes=4,
    )
    assert figures["fallback"] == 0
    assert figures["plan_label-only"] > 0
    for turn in rows(tmp_path / "out/plan.jsonl"):
        if turn["scores"]:
            voters = [vote["voter"] for vote in turn["votes"]]
            assert ("evidence" in voters) == bool(turn["shown"])
            assert voters[0] == "contrast"
            assert 0 < turn["bearing"] <= 1


def test_only_voters_with_a_weight_for_the_question_are_scored(
    tmp_path: Path, questions: Path
) -> None:
    def answer(name: str, weight: float) -> tuple[list[tuple[str, object]], set[str]]:
        engine = Scoring()
        World().answer(
            questions,
            tmp_path / name,
            open_engine=lambda: engine,
            choose_by="contrast",
            voters={"reading": 1.0, "evidence": 0.2, "contrast": weight},
            unrelated_voters={"likelihood": 0.5, "evidence": weight},
            bearing_from=0.3,
        )
        answers = [(row["id"], row["answer"]) for row in rows(tmp_path / name / "answers.jsonl")]
        return answers, {prompt for prompt, _ in engine.asked}

    needed, asked = answer("needed", 0.0)
    everything, more = answer("all", 1e-9)
    assert needed == everything
    assert asked < more
    assert BARE in more - asked
    kinds = set()
    for turn in rows(tmp_path / "needed/plan.jsonl"):
        if turn["scores"]:
            voters = {vote["voter"] for vote in turn["votes"]}
            assert "contrast" not in voters
            assert ("evidence" in voters) == (turn["bearing"] >= 0.3)
            kinds.add("evidence" in voters)
    assert kinds == {True, False}


def test_rules_alone_choose_without_the_model(tmp_path: Path, questions: Path) -> None:
    engine = Scoring()
    World().answer(
        questions,
        tmp_path / "out",
        open_engine=lambda: engine,
        choose_by="contrast",
        voters={"reading": 1.0, "overlap": 0.5},
    )
    assert engine.asked == []
    chosen = [turn for turn in rows(tmp_path / "out/plan.jsonl") if turn["scores"]]
    assert chosen
    assert all(turn["shown"] for turn in chosen)


@pytest.mark.parametrize("form", ["chat", "plain"])
def test_choices_are_generated_from_two_prompts_which_change_places_for_a_negative_stem(
    form: str,
) -> None:
    asked: list[Request] = []

    class Writing(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            asked.extend(requests)
            return [Generation(r.choices[1].strip(), 5, 2, "stop", -0.1) for r in requests]

    def replies(weight: float) -> list[list[float]]:
        asked.clear()
        settings = AnswerSettings(
            choose_by="generate", contrast_decoding=weight, contrast_form=form, votes=2
        )
        prompter = Prompter(simulation.TEMPLATE, settings, 100, len)
        questions = [
            Question("q1", "기한으로 옳은 것은?", ("3일", "10일", "5일")),
            Question("q2", "기한으로 옳지 않은 것은?", ("3일", "10일", "5일")),
        ]
        prompts = [prompter.build(q, [], FULL, turn) for turn in (0, 1) for q in questions]
        seeds = [(7, turn) for turn in (0, 0, 1, 1)]
        stop = simulation.TEMPLATE.stop
        out = ask_engine(Writing(), prompts, seeds, settings, stop=stop, plan=FULL)
        return [reply.scores for reply in out if reply is not None]

    replies(0.0)
    assert [request.reference for request in asked] == [""] * 4
    on = replies(0.5)
    assert [scores.index(max(scores)) for scores in on] == [1] * 4
    assert [request.reference_weight for request in asked] == [0.5, 2.0, 0.5, 2.0]
    for request, question in zip(asked, ["옳은", "옳지 않은"] * 2, strict=True):
        alone = contrast_messages(f"기한으로 {question} 것은?")
        assert request.reference == contrast_text(simulation.TEMPLATE, alone, form)  # type: ignore[arg-type]
        assert "3일" not in request.prompt
    blank = " " if form == "plain" else ""
    assert asked[0].choices == tuple(blank + text for text in ("3일", "10일", "5일"))
    assert [request.temperature for request in asked] == [0.0, 0.0, 0.7, 0.7]
    assert asked[0].seed != asked[2].seed


LAW = [
    Chunk(f"법/제{i}조", "법", "법", "statute", "", f"법 제{i}조", text, "", "t", "PD", "")
    for i, text in enumerate(
        [
            "가람법 제0조(배상)\n① 은행은 손해를 배상한다.\n② 은행은 사고를 공시한다.",
            "가람법 제1조(기록)\n① 은행은 기록을 5년 동안 보관한다.",
        ]
    )
]
FREE = Question("f", "은행은 기록을 몇 년 동안 보관하는가?")


def test_a_chosen_answer_is_a_sentence_of_the_evidence_with_its_passage() -> None:
    engine = Scoring()
    answered = {}
    for name, voters in {
        "rule": {"nearest": 1.0},
        "model": {"contrast": 1.0, "evidence": 1.0, "question": 1.0},
        "both": {"nearest": 9.0, "question": 0.1},
    }.items():
        settings = AnswerSettings(free_by="choose", free_voters=voters)
        prompt = Prompter(simulation.TEMPLATE, settings, 400, len).build(FREE, LAW, FULL)
        engine.asked.clear()
        bare = BareScores(missing_bare_scores(engine, [prompt], BareScores()))
        (reply,) = ask_engine(
            engine, [prompt], [(0, 0)], settings, stop="<end>", plan=FULL, bare=bare
        )
        assert reply is not None
        turn = reply.turn("f", 0, "full")
        assert turn.candidates[turn.scores.index(max(turn.scores))] == turn.text
        answered[name] = (turn, list(engine.asked))
    rule, calls = answered["rule"]
    assert (rule.text, rule.quoted) == ("은행은 기록을 5년 동안 보관한다.", "법/제1조")
    assert [vote["voter"] for vote in rule.votes] == ["nearest"]
    assert calls == []
    assert answered["both"][0].text == rule.text
    turn, calls = answered["model"]
    voters = [vote["voter"] for vote in turn.votes]
    assert voters == ["contrast", "likelihood", "evidence", "question", "nearest"]
    assert sorted(turn.candidates) == [
        "은행은 기록을 5년 동안 보관한다.",
        "은행은 사고를 공시한다.",
        "은행은 손해를 배상한다.",
    ]
    after = [prompt for prompt, row in calls if row == (FREE.question,)]
    assert len(after) == 3
    assert all(sentence in prompt for sentence, prompt in zip(turn.candidates, after, strict=True))
    assert not any(FREE.question in prompt for prompt in after)


def test_free_text_without_evidence_is_generated_in_the_same_batch() -> None:
    settings = AnswerSettings(free_by="choose", free_voters={"nearest": 1.0, "likelihood": 1.0})
    prompter = Prompter(simulation.TEMPLATE, settings, 400, len)
    prompts = [prompter.build(FREE, found, FULL) for found in ([], LAW, [])]
    first, chosen, last = ask_engine(
        DummyEngine(), prompts, [(0, 0)] * 3, settings, stop="<end>", plan=FULL, bare=BareScores(
            missing_bare_scores(DummyEngine(), prompts, BareScores())
        ),
    )  # fmt: skip
    assert first is not None
    assert chosen is not None
    assert last is not None
    assert first.text == last.text
    assert first.text.startswith("답변")
    assert (chosen.quoted != "", first.quoted) == (True, "")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "empty"),
        ("[참고 조문] 가람법 제1조(기록)", "prompt"),
        ("보관. " * 9, "loop"),
        ("은행은 기록을 다섯 해 동", "unfinished"),
    ],
)
def test_unusable_text_is_replaced_by_the_nearest_sentence(written: str, problem: str) -> None:
    class Weak(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            finish: Finish = "length" if problem == "unfinished" else "stop"
            return [Generation(written, 9, 5, finish, -1.0) for _ in requests]

    def reply(passages: Sequence[Chunk] = LAW, **values: object) -> Reply | None:
        settings = AnswerSettings(**values)  # type: ignore[arg-type]
        prompt = Prompter(simulation.TEMPLATE, settings, 400, len).build(FREE, passages, FULL)
        return ask_engine(Weak(), [prompt], [(0, 0)], settings, stop="<end>", plan=FULL)[0]

    replaced = reply()
    assert replaced is not None
    assert (replaced.text, replaced.quoted) == ("은행은 기록을 5년 동안 보관한다.", "법/제1조")
    assert replaced.replaced == problem
    alone = reply([])
    if problem == "empty":
        assert alone is None  # asked again with less
    else:
        assert alone is not None
        assert (alone.text, alone.quoted, alone.replaced) == (NO_EVIDENCE, "", problem)
    kept = reply(free_replace=False)
    assert (kept is None) if problem == "empty" else (kept is not None and not kept.replaced)


def test_a_file_of_questions_quotes_and_records_its_passages(
    tmp_path: Path, questions: Path
) -> None:
    for name, size in (("a", 2), ("b", 16)):
        figures = World().answer(
            questions,
            tmp_path / name,
            free_by="choose",
            free_voters={"nearest": 1.0, "contrast": 0.2, "evidence": 0.5, "question": 0.5},
            votes=3,
            batch_questions=size,
        )
        assert figures["fallback"] == 0
        assert_complete(tmp_path / name, questions)
    same_bytes(tmp_path / "a", tmp_path / "b", ("answers.jsonl", "plan.jsonl", "bare.jsonl"))
    free = [row for row in rows(tmp_path / "a/answers.jsonl") if row["id"][0] == "F"]
    assert {row["origin"] for row in free} == {"quotation"}
    assert all(row["quoted"] in row["evidence"] and 0 < row["confidence"] <= 1 for row in free)
    turns = [turn for turn in rows(tmp_path / "a/plan.jsonl") if turn["id"][0] == "F"]
    assert len(turns) == 5
    for turn in turns:
        assert turn["text"] in turn["candidates"]
        assert {len(vote["values"]) for vote in turn["votes"]} == {len(turn["candidates"])}


def test_a_plan_without_evidence_chooses_among_the_best_passages(
    tmp_path: Path, questions: Path
) -> None:
    world = World(faults=simulation.Faults(seconds_per_token=0.05))
    world.answer(
        questions,
        tmp_path / "out",
        free_by="choose",
        free_voters={"nearest": 1.0, "likelihood": 0.2},
        budget_minutes=4,
    )
    turns = [turn for turn in rows(tmp_path / "out/plan.jsonl") if turn["id"][0] == "F"]
    assert any(turn["plan"] == "label-only" and not turn["shown"] for turn in turns)
    assert all(turn["quoted"] for turn in turns if not turn["failed"])
