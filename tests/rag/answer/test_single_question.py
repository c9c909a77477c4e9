"""One question with its evidence."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import simulation
from acts import VERSIONS, corpus
from commands import Typed, finish_run
from corpora import settings, write_chunks
from hypothesis import example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from worlds import rows

from kofinlaw import UserError
from kofinlaw.data.prompting.wording import FREE_RULE, NO_EVIDENCE
from kofinlaw.models.engines.base import Finish, Generation, Request
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.answer.free_text import ends_sentence
from kofinlaw.rag.answer.single_question import AskedAnswer, ask_question
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.recipes.asking.answer_lines import LineStyle, answer_lines
from kofinlaw.records import Question
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings


def test_ask_gives_the_option_and_says_what_the_model_read() -> None:
    clock = simulation.Clock()
    result = ask_question(
        "손해배상 기한은?\n1 3일\n2 10일",
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(clock),
        settings=AnswerSettings(permutations=2),
    )
    assert result.answer in ("1", "2")
    assert result.option == ("3일", "10일")[int(result.answer) - 1]
    assert result.question == "손해배상 기한은?"
    assert len(result.evidence) == 3
    assert result.evidence[0].shown
    assert (result.evidence[0].kind, result.evidence[0].day) == ("statute", "2025-01-01")
    (decisive,) = [hit for hit in result.evidence if hit.chunk == result.decisive_chunk]
    assert result.decisive in decisive.text
    assert result.evidence[0].unit.startswith("전자금융거래법 제")
    assert result.origin == "model"
    count = DummyEngine().tokenizer.count
    assert result.prompt_tokens > 2 * count(result.evidence[0].read)  # two prompts were read
    assert result.tokens == count(result.option)


def test_ask_without_documents_and_without_a_question() -> None:
    result = ask_question(
        "접근매체를 설명하세요.",
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=None,
        settings=AnswerSettings(votes=3),
    )
    assert result.answer.startswith("답변")
    assert result.evidence == ()
    with pytest.raises(UserError, match="empty"):
        ask_question(" ", engine=DummyEngine(), template=simulation.TEMPLATE, retriever=None,
            settings=AnswerSettings())  # fmt: skip


def test_a_fallback_is_a_whole_sentence_and_the_question_keeps_to_its_day() -> None:
    class Silent(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            return [Generation("", 1, 0, "error", 0.0) for _ in requests]

    searcher = simulation.FakeSearcher(simulation.Clock())
    given = {"engine": Silent(), "template": simulation.TEMPLATE, "retriever": searcher}
    settings = AnswerSettings(free_max_characters=20)
    result = ask_question("이용자의 손해를 며칠 이내에 배상하는가?", settings=settings, **given)
    assert result.origin == "fallback"
    assert result.answer.startswith("금융회사는 이용자의 손해를")
    assert result.answer.endswith("배상한다.")  # 20 characters are the limit in a file of answers
    (source,) = [hit for hit in result.evidence if hit.chunk == result.quoted]
    assert result.answer in source.text
    assert searcher.days is None
    ask_question("배상?", settings=settings, as_of=date(2020, 3, 1), **given)
    assert searcher.days == [date(2020, 3, 1)]


@pytest.mark.parametrize(
    ("written", "finish", "problem"),
    [
        ("참고 조문을 근거로 질문의 핵심어를 넣어 한두 문장으로 답하시오.", "stop", "prompt"),
        ("은행은 배상한다. " * 5, "length", "loop"),
        ("лежа 손해를 배상한다.", "stop", "script"),
        ("금융회사는 이용자의 손해를 며칠 이내", "length", "unfinished"),
    ],
)
def test_an_unusable_answer_gives_way_to_the_sentence_of_the_evidence(
    written: str, finish: Finish, problem: str
) -> None:
    class Weak(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            return [Generation(written, 9, 5, finish, -1.0) for _ in requests]

    result = ask_question(
        "이용자의 손해를 며칠 이내에 배상하는가?",
        engine=Weak(),
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(simulation.Clock()),
        settings=AnswerSettings(),
    )
    assert (result.origin, result.replaced) == ("fallback", problem)
    (source,) = [hit for hit in result.evidence if hit.chunk == result.quoted]
    assert result.answer in source.text
    assert ends_sentence(result.answer)


ASKED = "이용자의 손해를 며칠 이내에 배상하는가?"
PIECES = (
    ASKED,
    FREE_RULE,
    "[참고 조문]",
    "<end_of_turn>",
    "лежа",
    "𒌒slotBox",
    "금융회사는 이용자의 손해를",
    "금융회사는 이용자에게 배상한다.",
    "000000000000",
    "다만 그 기한은",
)


@settings_of_hypothesis(max_examples=60)
@given(st.lists(st.sampled_from(PIECES), max_size=6), st.integers(1, 4), st.booleans())
@example([PIECES[6], PIECES[7], PIECES[7]], 2, False)
def test_whatever_a_model_writes_the_answer_has_its_form(
    pieces: list[str], times: int, stopped: bool
) -> None:
    written = " ".join(pieces) * times

    class Weak(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            finish: Finish = "stop" if stopped else "length"
            return [Generation(written, 9, 5, finish, -1.0) for _ in requests]

    result = ask_question(
        ASKED,
        engine=Weak(),
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(simulation.Clock()),
        settings=AnswerSettings(),
    )
    assert not any(piece in result.answer for piece in PIECES[:6])
    assert "핵심어" not in result.answer
    assert result.answer.count("배상한다.") <= 2
    own = result.origin == "model" and stopped and written.endswith(result.answer)
    assert ends_sentence(result.answer) or own, result.answer
    if result.origin == "fallback":
        (source,) = [hit for hit in result.evidence if hit.chunk == result.quoted]
        assert result.answer in source.text


def test_ask_names_the_days_of_the_text_and_the_act_that_had_none(
    tmp_path: Path, typed: Typed
) -> None:
    coming = {"2999-01-01": (("제1조 (예금)", "예금자는 예금의 반환을 요구할 수 있다."),)}
    run = tmp_path / "run"
    corpus(run, {"가람법": VERSIONS, "나래법": coming})
    finish_run(run)

    code, said = typed("ask", "가람법 제2조의 과태료는?", "--run", run, "--as-of", "2023-05-01")
    assert code == 0, said
    assert "[1] 가람법 제2조(과태료) · 시행 2022-06-10 ~ 2024-09-14" in said
    assert "300만원" in said
    assert "500만원" not in said

    code, said = typed("ask", "가람법 제2조의 과태료는?", "--run", run, "--as-of", "2020-01-01")
    assert code == 0, said
    assert "「가람법」: 그날 시행 중인 조문이 없습니다 (말뭉치의 첫 시행일 2022-06-10)" in said
    assert "근거 없음" in said

    code, said = typed("ask", "예금자는 예금의 반환을 요구할 수 있는가?", "--run", run)
    assert code == 0, said
    assert "나래법 제1조(예금) · 시행 예정 2999-01-01" in said


def test_ask_quotes_a_sentence_and_names_its_article(tmp_path: Path, typed: Typed) -> None:
    run = tmp_path / "run"
    corpus(run, {"가람법": VERSIONS})
    finish_run(run, answer="free_by: choose, free_voters: {nearest: 1.0, question: 0.1},")
    code, said = typed("ask", "제2조를 위반한 자의 과태료는 얼마인가?", "--run", run, "--json")
    assert code == 0, said
    found = json.loads(said.splitlines()[0])
    assert found["origin"] == "quotation"
    (source,) = [hit for hit in found["evidence"] if hit["chunk"] == found["quoted"]]
    assert found["answer"] in source["text"]
    code, said = typed("ask", "제2조를 위반한 자의 과태료는 얼마인가?", "--run", run)
    assert f"{found['answer']}\n인용 · {source['unit']}\n" in said


QUESTION = "접근매체의 위조로 손해가 생기면?\n1 배상한다\n2 배상하지 않는다"


def traced(folder: Path, **values: Any) -> tuple[AskedAnswer, dict[str, list[dict[str, Any]]]]:
    """The answer and its spans by the name of their parent."""
    build_index(write_chunks(folder), folder / "index", settings())
    retriever = Retriever(Index.load(folder / "index"), settings(**{"k": 2, **values}))
    with open_tracer(TraceSettings(), folder) as tracer, tracer.span("ask"):
        answer = ask_question(
            QUESTION,
            engine=DummyEngine(),
            template=simulation.TEMPLATE,
            retriever=retriever,
            settings=AnswerSettings(),
        )
    spans = rows(folder / "traces.jsonl")
    named = {span["id"]: span["name"] for span in spans}
    out: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        out.setdefault(named.get(span["parent"], ""), []).append(span)
    return answer, out


def test_each_step_of_an_answer_is_a_span_with_what_came_out_of_it(tmp_path: Path) -> None:
    answer, spans = traced(
        tmp_path, reranker="llm", rerank_pool=4, query_forms=["stem", "multi_query"]
    )
    assert [span["name"] for span in spans[""]] == ["ask"]
    retrieval, packing, score = spans["ask"]
    assert [retrieval["name"], packing["name"], score["name"]] == ["retrieval", "packing", "score"]

    written, rerank = spans["retrieval"]
    queries, forms = retrieval["attributes"]["queries"], retrieval["attributes"]["forms"]
    assert forms == ["stem", *["multi_query"] * len(written["attributes"]["queries"])]
    assert queries == ["접근매체의 위조로 손해가 생기면?", *written["attributes"]["queries"]]
    (item,) = rerank["items"]
    assert rerank["attributes"]["pairs"] == len(item["documents"]) == 3

    (found,) = retrieval["items"]
    evidence = [(hit.chunk, hit.score, hit.by) for hit in answer.evidence]
    assert [(hit["id"], hit["score"], hit["by"]) for hit in found["documents"]] == evidence
    assert [hit["id"] for hit in item["documents"]][:2] == [hit["id"] for hit in found["documents"]]

    (packed,) = packing["items"]
    assert packed["documents"] == [hit.chunk for hit in answer.evidence if hit.shown]
    (said,) = score["items"]
    assert answer.evidence[0].text.splitlines()[-1] in said["prompt"]
    assert said["answer"].index(max(said["answer"])) + 1 == int(answer.answer)


def test_a_passage_that_packing_left_out_is_not_said_to_be_read(tmp_path: Path) -> None:
    answer, spans = traced(tmp_path, k=4, evidence_tokens=50)
    (packed,) = spans["ask"][1]["items"]
    shown = [hit.chunk for hit in answer.evidence if hit.shown]
    assert packed["documents"] == shown
    assert 0 < len(shown) < packed["found"] == len(answer.evidence)


def test_without_an_open_span_nothing_is_traced(tmp_path: Path) -> None:
    build_index(write_chunks(tmp_path), tmp_path / "index", settings())
    ask_question(
        QUESTION,
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=Retriever(Index.load(tmp_path / "index"), settings()),
        settings=AnswerSettings(),
    )
    assert not (tmp_path / "traces.jsonl").exists()


def test_a_question_typed_on_a_mac_and_a_day_with_a_time_are_read() -> None:
    searcher = simulation.FakeSearcher(simulation.Clock())
    given = {"template": simulation.TEMPLATE, "settings": AnswerSettings(), "retriever": searcher}
    asked = "손해배상 기한은?\n가. 3일\n나. 10일"
    results = [
        ask_question(text, engine=DummyEngine(), as_of=datetime(2020, 3, 1, 12), **given)
        for text in (asked, unicodedata.normalize("NFD", asked), asked + "\ud800")
    ]
    assert searcher.days == [date(2020, 3, 1)]
    assert results[0] == results[1]
    assert results[1].option in ("3일", "10일")
    assert results[2].option in ("3일", "10일\ufffd")


@pytest.mark.parametrize(
    "abstain,choice,refused",
    [("never", False, False), ("free", False, True), ("free", True, False), ("always", True, True)],
)
def test_a_question_that_no_passage_bears_on_is_refused_as_the_recipe_says(
    abstain: Any, choice: bool, refused: bool
) -> None:
    class Judging(simulation.FakeSearcher):
        def judge(self, questions: Sequence[Question]) -> list[Any]:
            return [Judgement("below_floor", NO_EVIDENCE, 0.1, 0.5, ("법 제1조",), 0.1, 0.3)]

    result = ask_question(
        "비의 양은?" + ("\n1 3일\n2 10일" if choice else ""),
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=Judging(simulation.Clock()),
        settings=AnswerSettings(abstain=abstain),
    )
    assert result.abstained == refused
    assert (result.origin == "abstention") == refused
    assert (result.answer == NO_EVIDENCE) == refused
    assert (result.judgement is None) == (abstain == "never")
    if refused:
        assert (result.option, result.evidence, result.confidence) == ("", (), 0.0)
        lines = answer_lines(result, LineStyle(debug=True))
        assert "가장 가까운 조문 · 법 제1조" in lines
        assert (
            "[bearing 0.1000, floor 0.5000 (bound 10%, 30% pass when hidden), below_floor]" in lines
        )
