import json
import random
from collections.abc import Sequence

import pytest

from kofinlaw.augment.law import read_laws
from kofinlaw.augment.ledger import ask, read_ledger, request_key
from kofinlaw.augment.settings import AugmentSettings, TeacherSettings
from kofinlaw.augment.stage import augment
from kofinlaw.augment.statements import alterations
from kofinlaw.augment.support import support, supported
from kofinlaw.augment.teacher import parse, passages, read_prompt, verdicts
from kofinlaw.data.files import read_jsonl
from kofinlaw.data.records import Example, Rejected
from kofinlaw.models.engines import Generation, Request

PASSAGE = "지급업자는 이용자가 거래내용을 서면으로 요청하는 경우에는 그 요청을 받은 날부터 2주 이내에 서면을 교부하여야 한다."


class ScriptedEngine:
    """Answers by a function and remembers what it was asked; `dies_after` requests it fails."""

    name = "scripted"
    deterministic = True

    def __init__(self, answer=lambda prompt: f"답 {len(prompt)}", dies_after: int | None = None):
        self.answer = answer
        self.dies_after = dies_after
        self.asked: list[str] = []

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        out = []
        for request in requests:
            if self.dies_after is not None and len(self.asked) >= self.dies_after:
                raise KeyboardInterrupt
            self.asked.append(request.prompt)
            out.append(Generation(self.answer(request.prompt), 1, 1, "stop", 0.0))
        return out


def requests(count: int) -> list[Request]:
    return [Request(f"질문 {n}", stop=("\n",)) for n in range(count)]


def test_every_request_gets_a_line_and_is_never_sent_again(tmp_path):
    path = tmp_path / "ledger.jsonl"
    engine = ScriptedEngine()
    first = list(ask(engine, requests(10), path, model="m", batch=4))
    assert len(engine.asked) == 10
    again = ScriptedEngine()
    assert list(ask(again, requests(10), path, model="m", batch=4)) == first
    assert again.asked == []


def test_a_run_killed_anywhere_ends_with_the_same_bytes(tmp_path):
    whole = tmp_path / "whole.jsonl"
    list(ask(ScriptedEngine(), requests(17), whole, model="m", batch=4))
    for trial in range(20):
        path = tmp_path / f"{trial}.jsonl"
        with pytest.raises(KeyboardInterrupt):
            list(ask(ScriptedEngine(dies_after=trial % 16), requests(17), path, model="m", batch=4))
        if path.exists():
            cut = random.Random(trial).randrange(path.stat().st_size + 1)
            path.write_bytes(path.read_bytes()[:cut])
        list(ask(ScriptedEngine(), requests(17), path, model="m", batch=4))
        assert path.read_bytes() == whole.read_bytes()


def test_another_prompt_or_model_is_another_request():
    base = Request("질문")
    keys = {
        request_key(base, "m"),
        request_key(base, "n"),
        request_key(Request("질문?"), "m"),
        request_key(Request("질문", temperature=0.5), "m"),
        request_key(Request("질문", seed=1), "m"),
        request_key(Request("질문", stop=("\n",)), "m"),
    }
    assert len(keys) == 6


def test_a_damaged_line_is_named_and_only_its_request_asked_again(tmp_path):
    path = tmp_path / "ledger.jsonl"
    list(ask(ScriptedEngine(), requests(4), path, model="m", batch=1))
    lines = path.read_text("utf-8").splitlines()
    lines[2] = lines[2][:20]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    assert read_ledger(path)[1] == [3]
    engine = ScriptedEngine()
    list(ask(engine, requests(4), path, model="m", batch=1))
    assert engine.asked == ["질문 2"]
    assert len(read_ledger(path)[0]) == 4


def test_a_request_the_engine_fails_on_is_recorded_as_an_error(tmp_path):
    def answer(prompt):
        if prompt == "질문 1":
            raise ValueError("too long")
        return "답"

    entries = list(ask(ScriptedEngine(answer), requests(3), tmp_path / "l.jsonl", model="m"))
    assert [e.finish for e in entries] == ["stop", "error", "stop"]
    assert "too long" in entries[1].text


@pytest.mark.parametrize(
    "text",
    ["", "   ", "답만 있다", "질문?\n질문?\n질문", "가" * 2000, '{"question": 1}', "a\n답: b"],
)
def test_garbage_is_not_parsed(text):
    assert parse(text) is None


def test_a_completion_is_parsed():
    assert parse(" 2주 이내에 교부하여야 한다.\n질문: 언제까지 교부하여야 하는가?\n") == (
        "언제까지 교부하여야 하는가?",
        "2주 이내에 교부하여야 한다.",
    )


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ("지급업자는 3주 이내에 서면을 교부하여야 한다.", "figures"),
        ("지급업자는 2주 이내에 서면을 교부할 수 있다.", "negation"),
        ("지급업자는 2주 이내에 서면을 교부하지 아니한다.", "negation"),
        ("이용자는 2주 이내에 서면을 교부하여야 한다.", "actor"),
        ("지급업자는 2주 이내에 영수증을 교부하여야 한다.", "terms"),
        ("지급업자는 제9조에 따라 2주 이내에 서면을 교부하여야 한다.", "articles"),
        ("지급업자는 2주 이후에 서면을 교부하여야 한다.", "negation"),
    ],
)
def test_a_planted_fault_is_found(answer, check):
    failed = [v.check for v in support(answer, PASSAGE) if not v.ok]
    assert check in failed


@pytest.mark.parametrize(
    "answer",
    [
        "지급업자는 2주 이내에 서면을 교부하여야 한다.",
        "지급업자는 요청을 받은 날부터 2주 이내에 교부하여야 한다.",
        PASSAGE,
    ],
)
def test_a_sound_answer_passes(answer):
    assert supported(support(answer, PASSAGE))


def test_an_answer_that_loses_who_it_is_about_is_refused():
    passage = "개인정보처리자가 정보를 처리할 때 권리를 침해받은 사람은 위원회에 그 사실을 신고할 수 있다."
    answer = "개인정보처리자가 정보를 처리할 때 위원회에 그 사실을 신고할 수 있다."
    assert [v.check for v in support(answer, passage) if not v.ok] == ["actor"]


def test_faults_planted_in_an_act_are_rejected(acts):
    rng = random.Random(0)
    laws = read_laws(acts)
    planted = [
        (text, clause.main)
        for law in laws.acts
        for clause in law.clauses
        for _, text in alterations(law, clause, rng)
    ]
    assert len(planted) > 15
    caught = sum(not supported(support(text, source)) for text, source in planted)
    assert caught / len(planted) >= 0.95


def test_the_prompts_own_example_is_refused():
    prompt = read_prompt()
    found = verdicts(
        "다른 사람의 비밀번호를 사용할 수 있는가?",
        "누구든지 다른 사람의 비밀번호를 사용하여서는 아니 된다.",
        PASSAGE,
        prompt,
    )
    assert not next(v for v in found if v.check == "not_the_prompt").ok


def _teach(corpus, out, monkeypatch, answer):
    from kofinlaw.augment import teacher

    class Held:
        def __enter__(self):
            return ScriptedEngine(answer)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(teacher, "_engine", lambda *_: Held())
    settings = AugmentSettings(
        items=5,
        free_share=0,
        teacher=TeacherSettings.model_validate(
            {"model": {"id": "google/gemma-3-270m"}, "engine": {"engine": "dummy"}, "items": 6}
        ),
    )
    return augment(settings, corpus, out, seed=1)


def test_what_a_teacher_writes_becomes_examples_with_its_licence(corpus, tmp_path, monkeypatch):
    def answer(prompt):
        passage = prompt.rsplit("조문: ", 1)[1].split("\n")[0]
        return f" {passage}\n질문: {passage[:20]} 무엇을 하여야 하는가?"

    _teach(corpus, tmp_path, monkeypatch, answer)
    taught = [
        e for e in read_jsonl(tmp_path / "examples.jsonl", Example) if e.task == "teacher_free"
    ]
    assert taught
    for example in taught:
        assert example.provenance["teacher"] == "google/gemma-3-270m"
        assert example.provenance["teacher_license"]
        assert all(check["ok"] for check in example.checks)
    lines = (tmp_path / "ledger.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 6
    assert {"key", "text", "model"} <= set(json.loads(lines[0]))


def test_a_teacher_of_garbage_gives_no_example(corpus, tmp_path, monkeypatch):
    _teach(corpus, tmp_path, monkeypatch, lambda prompt: "asdf " * 50)
    assert not [
        e for e in read_jsonl(tmp_path / "examples.jsonl", Example) if e.task == "teacher_free"
    ]
    reasons = [r.reason for r in read_jsonl(tmp_path / "rejected.jsonl", Rejected)]
    assert reasons.count("unparsed") == 6


def test_passages_are_the_same_for_the_same_seed(acts):
    laws = read_laws(acts).acts
    assert passages(laws, 5, 3) == passages(laws, 5, 3)
    assert len(passages(laws, 5, 3)) == 5
