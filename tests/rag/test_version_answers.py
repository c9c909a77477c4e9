"""What a person is told of an act's versions: by `ask`, in evidence, in the contest's folder."""

from datetime import date
from pathlib import Path

from acts import VERSIONS, corpus
from commands import Typed, finish_run
from corpora import settings
from worlds import World, rows

from kofinlaw.rag.contest.folder import shown_texts
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever


def test_the_contests_folder_gets_the_texts_of_the_day(index: Index, tmp_path: Path) -> None:
    def fines(as_of: date | None) -> list[str]:
        texts = shown_texts(tmp_path / "data" / "chunks.jsonl", settings(as_of=as_of))
        return [text for text in texts if "제2조" in text]

    assert ["300만원" in text for text in fines(date(2023, 1, 1))] == [True]
    assert ["900만원" in text for text in fines(date(2027, 1, 1))] == [True]
    assert len(fines(None)) == 1
    assert fines(date(2018, 1, 1)) == []


def test_the_contests_folder_gets_the_kinds_asked_for(index: Index, tmp_path: Path) -> None:
    chunks = tmp_path / "data" / "chunks.jsonl"
    assert shown_texts(chunks, settings(kinds=["statute"])) == shown_texts(chunks, settings())
    assert shown_texts(chunks, settings(kinds=["case"])) == []


def test_evidence_that_is_written_down_names_its_version(index: Index, tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text(
        '{"id": "A", "question": "알리지 아니한 자의 과태료는?", "as_of": "2023-01-01"}\n',
        encoding="utf-8",
    )
    World(searcher=Retriever(index, settings(k=1))).answer(questions, tmp_path / "out")
    (row,) = rows(tmp_path / "out" / "evidence.jsonl")
    (hit,) = row["hits"]
    told = (hit["chunk"], hit["unit"], hit["version"])
    assert told == ("가람법@2022-06-10/제2조", "가람법 제2조", "시행 2022-06-10 ~ 2024-09-14")


def test_ask_names_the_days_of_the_text_and_the_act_that_had_none(
    tmp_path: Path, typed: Typed
) -> None:
    coming = {"2999-01-01": (("제1조 (예금)", "예금자는 예금의 반환을 요구할 수 있다."),)}
    run = tmp_path / "run"
    corpus(run, {"가람법": VERSIONS, "나래법": coming})
    finish_run(run)

    code, said = typed("ask", "가람법 제2조의 과태료는?", "--run", run, "--as-of", "2023-05-01")
    assert code == 0, said
    assert "가람법 제2조 (시행 2022-06-10 ~ 2024-09-14)" in said
    assert "300만원" in said
    assert "500만원" not in said

    code, said = typed("ask", "가람법 제2조의 과태료는?", "--run", run, "--as-of", "2020-01-01")
    assert code == 0, said
    assert "「가람법」: 그날 시행 중인 조문이 없습니다 (말뭉치의 첫 시행일 2022-06-10)" in said
    assert "근거 없음" in said

    code, said = typed("ask", "예금자는 예금의 반환을 요구할 수 있는가?", "--run", run)
    assert code == 0, said
    assert "나래법 제1조 (시행 예정 2999-01-01)" in said
