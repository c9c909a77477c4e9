"""The floor of a small corpus: what is always answered, and what never is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kofinlaw.data.korean.words import sentences
from kofinlaw.files import write_jsonl
from kofinlaw.rag.abstention.floor import ASSUMED
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question

SETTINGS = RagSettings(lexical="kiwi")
BANK = {
    "여신 심사 규정": [
        ("심사자료의 보관", "여신 심사자료는 대출이 끝난 날부터 오 년 동안 심사부 서고에 보관하여야 한다."),
        ("담보의 평가", "부동산 담보는 감정평가법인 두 곳의 평가액 가운데 낮은 금액으로 평가하여야 한다."),
        ("전결권", "영업점장은 신용등급이 낮은 차주에게 신용대출을 승인할 수 없다."),
        ("사후관리", "심사역은 분기마다 차주의 재무제표를 받아 부실징후를 점검하여야 한다."),
    ],
    "정보보안 지침": [
        ("비밀번호", "임직원은 업무용 비밀번호를 석 달마다 바꾸고 다른 사람에게 알려서는 아니 된다."),
        ("이동식 저장장치", "이동식 저장장치는 보안담당자의 승인을 받아 암호화한 다음 반출하여야 한다."),
        ("침해사고 보고", "침해사고를 안 임직원은 삼십 분 안에 보안관제실에 전화로 보고하여야 한다."),
        ("접속기록", "전산시스템의 접속기록은 위변조되지 않도록 별도 서버에 저장하여야 한다."),
    ],
    "창구 업무 매뉴얼": [
        ("통장 재발급", "통장을 잃어버린 고객에게는 신분증을 확인한 다음 통장을 재발급하여야 한다."),
        ("위조지폐 발견", "창구 직원이 위조지폐를 발견하면 고객의 동의를 얻어 경찰서에 신고하여야 한다."),
        ("휴면예금 지급", "휴면예금은 예금주의 청구를 받은 날 바로 지급하여야 한다."),
        ("대기표 운영", "영업점은 고령 고객을 위하여 대기표 없이 이용하는 전용 창구를 운영하여야 한다."),
    ],
}  # fmt: skip
OTHERS = {
    "식물원 관람 안내": [
        ("온실", "열대 온실의 야자나무는 겨울에도 스무 도가 넘는 온도에서 물을 주어 길러야 한다."),
        ("장미원", "장미원의 가지치기는 이른 봄에 새싹이 트기 전에 원예사가 하여야 한다."),
    ],
    "수영장 이용 수칙": [
        ("준비운동", "수영장에 들어가는 사람은 먼저 샤워를 하고 준비운동을 하여야 한다."),
        ("수영모", "모든 이용객은 물속에서 수영모를 쓰고 안전요원의 호루라기에 따라야 한다."),
    ],
}


def chunks_of(documents: dict[str, list[tuple[str, str]]]) -> list[Chunk]:
    out = []
    for title, articles in documents.items():
        for number, (heading, text) in enumerate(articles, 1):
            unit = f"{title} 제{number}조"
            body = f"{unit}({heading})\n{text}"
            out.append(Chunk(unit, title, title, "rule", unit, unit, body, "", "t", "PD", unit))
    return out


def retriever_of(folder: Path, documents: dict[str, list[tuple[str, str]]]) -> Retriever:
    write_jsonl(folder / "chunks.jsonl", chunks_of(documents))
    build_index(folder / "chunks.jsonl", folder / "index", SETTINGS)
    return Retriever(Index.load(folder / "index"), SETTINGS)


def refused(retriever: Retriever, *questions: str) -> list[str]:
    found = retriever.judge([Question(str(n), text) for n, text in enumerate(questions)])
    return [text for text, one in zip(questions, found, strict=True) if one and one.reason]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    return retriever_of(tmp_path_factory.mktemp("bank"), BANK)


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    """The same bank with documents on other subjects."""
    return retriever_of(tmp_path_factory.mktemp("larger"), {**BANK, **OTHERS})


def exact_sentences() -> list[str]:
    return [line for one in chunks_of(BANK) for line in sentences(one.text.partition("\n")[2])]


def test_a_sentence_of_a_passage_is_never_refused(bank: Retriever) -> None:
    assert refused(bank, *exact_sentences()) == []


def test_words_that_do_not_exist_are_always_refused(bank: Retriever) -> None:
    draw = random.Random(7)
    for _ in range(100):
        words = [
            "".join(
                chr(draw.randrange(ord("가"), ord("힣") + 1)) for _ in range(draw.randint(2, 4))
            )
            for _ in range(draw.randint(2, 5))
        ]
        question = f"{' '.join(words)}은 무엇인가요?"
        assert refused(bank, question) == [question]


def test_documents_on_other_subjects_do_not_make_an_answered_question_refused(
    larger: Retriever,
) -> None:
    assert refused(larger, *exact_sentences()) == []


def test_off_topic_questions_are_refused_and_users_words_are_answered(bank: Retriever) -> None:
    off = ("김치찌개는 어떻게 끓이나요?", "월드컵은 몇 년마다 열리나요?", "오늘 날씨 어때?")
    assert refused(bank, *off) == list(off)
    asked = (
        "위조지폐를 발견하면 어떻게 해요?",
        "업무용 비밀번호는 언제 바꿔요?",
        "통장 재발급 서류는?",
    )
    assert refused(bank, *asked) == []


def test_the_judgement_has_its_figures_and_the_nearest_passages(bank: Retriever) -> None:
    (one,) = bank.judge([Question("q", "침해사고는 어디에 보고하나요?")])
    assert one is not None
    assert (one.reason, one.text) == ("", "")
    assert one.score is not None
    assert one.floor is not None
    assert one.score >= one.floor
    assert one.nearest[0] == "정보보안 지침 제3조"


def test_the_floor_is_in_the_meta_and_says_how_it_was_set(bank: Retriever) -> None:
    floor = bank.index.floor
    assert floor is not None
    assert not floor.assumed
    assert floor.questions >= 19
    assert 0 < floor.rate <= 0.1
    assert floor.passed is not None
    assert floor.off_topic <= 0.1
    assert bank.index.meta["floor"]["threshold"] == floor.threshold


def test_the_floor_does_not_change_the_fingerprint(bank: Retriever) -> None:
    meta = {key: value for key, value in bank.index.meta.items() if key != "floor"}
    assert Index(bank.index.folder, meta).fingerprint == bank.index.fingerprint  # type: ignore[arg-type]


def test_a_corpus_with_too_few_questions_gets_an_assumed_floor(tmp_path: Path) -> None:
    one = {
        "쪽지": [("알림", "휴게실 정수기의 필터는 매월 첫째 월요일에 총무과에서 교체하여야 한다.")]
    }
    floor = retriever_of(tmp_path, one).index.floor
    assert floor is not None
    assert (floor.assumed, floor.rate, floor.threshold) == (True, 0.0, ASSUMED)
    assert floor.passed is None


def test_an_index_without_a_floor_judges_only_what_a_question_names(bank: Retriever) -> None:
    meta = {key: value for key, value in bank.index.meta.items() if key != "floor"}
    old = Retriever(Index(bank.index.folder, meta), SETTINGS)  # type: ignore[arg-type]
    questions = ["김치찌개는 어떻게 끓이나요?", "정보보안 지침 제9조는?"]
    assert refused(old, *questions) == questions[1:]
    (one, _) = old.judge([Question(text, text) for text in questions])
    assert one is not None
    assert (one.score, one.floor) == (None, None)
