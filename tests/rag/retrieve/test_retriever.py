"""Searching one index: batches, cited articles, acts without a text on the day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from corpora import TEXTS, settings

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


def test_the_same_questions_find_the_same_alone_and_together(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "index", settings())
    retriever = Retriever(Index.load(tmp_path / "index"), settings())
    questions = [Question(str(i), text) for i, text in enumerate(TEXTS.values())]
    together = retriever.search(questions)
    assert together == [retriever.search([question])[0] for question in questions]


def test_an_article_the_question_cites_comes_first(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "index", settings())
    index = Index.load(tmp_path / "index")
    question = Question("1", "개인정보 보호법 제15조에 따르면 유출을 알려야 하는 시간은?")
    without = Retriever(index, settings()).search([question])[0]
    cited = Retriever(index, settings(citation_lookup=True)).search([question])[0]
    assert without[0].chunk.unit == "개인정보 보호법 제34조"
    assert cited[0].chunk.unit == "개인정보 보호법 제15조"
    assert "citation" in cited[0].by
    assert len(cited) == 3


TODAY = date(2026, 11, 22)


def test_a_day_before_the_first_version_finds_nothing_and_says_which_act(index: Index) -> None:
    question = Question("1", "가람법의 과태료는 얼마인가?", as_of="2021-12-31")
    retriever = Retriever(index, settings(k=1), today=TODAY)
    hits = retriever.search([question], as_of=date(2021, 12, 31))[0]
    assert {hit.chunk.title for hit in hits} <= {"나래법"}
    assert retriever.absent(question) == (AbsentAct("가람법", "2022-06-10"),)
    assert retriever.absent(Question("2", question.question, as_of="2022-06-10")) == ()
    assert retriever.absent(Question("3", question.question)) == ()
