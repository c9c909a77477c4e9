"""The queries made of one question, with and without a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from corpora import settings, write_chunks

from kofinlaw.models.engines.base import ChoiceScore, Generation
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.query_forms import queries_of, write_queries
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


def test_query_forms_share_the_weight() -> None:
    made = queries_of(Question("q", "물음?", ("가", "나")), ("stem", "stem_options", "per_option"))
    assert [text for _, text, _ in made] == ["물음?", "물음?\n가\n나", "물음?\n가", "물음?\n나"]
    assert sum(share for _, _, share in made) == pytest.approx(1.0)
    assert queries_of(Question("q", "물음?"), ("stem_options",)) == [("stem", "물음?", 1.0)]


TEMPLATE = ChatTemplate("{{ messages[0].content }}<끝>", eos="<끝>")


class Model:
    """An engine that answers by rule; `prompts` keeps what it was asked."""

    def __init__(self, answer: str = "", liked: str = "") -> None:
        self.answer, self.liked = answer, liked
        self.prompts: list[str] = []

    def generate(self, requests: Sequence[Any]) -> list[Generation]:
        self.prompts += [request.prompt for request in requests]
        return [Generation(self.answer, 1, 1, "stop", 0.0) for _ in requests]

    def score(self, prompts: Sequence[str], choices: Any) -> list[list[ChoiceScore]]:
        self.prompts += prompts
        likes = [0.9 if self.liked in prompt else 0.2 for prompt in prompts]
        return [[ChoiceScore(math.log(p), 1), ChoiceScore(math.log(1 - p), 1)] for p in likes]


def built(folder: Path, chunks: Any = None, **values: Any) -> Index:
    build_index(write_chunks(folder, chunks), folder / "index", settings(**values))
    return Index.load(folder / "index")


def test_a_model_rewrites_the_question_and_each_rewrite_is_searched(tmp_path: Path) -> None:
    recipe = settings(query_forms=("stem", "multi_query"), rewrites=2)
    retriever = Retriever(built(tmp_path), recipe)
    assert retriever.needs_model == ("query form multi_query",)
    question = Question("1", "통장을 빌려주면 어떻게 되나요?")
    alone = retriever.search([question])
    model = Model("1. 접근매체를 제3자에게 대여\n- 접근매체 대여 금지\n3) 셋째는 넘친다")
    retriever = retriever.with_model(model, TEMPLATE)  # type: ignore[arg-type]
    assert retriever.needs_model == ()
    lists = retriever.lists([question])[0]
    assert [one.by for one in lists] == ["bigram:stem", "bigram:multi_query", "bigram:multi_query"]
    assert [one.weight for one in lists] == [0.5, 0.25, 0.25]
    assert retriever.search([question])[0][0].chunk.unit == "전자금융거래법 제6조"
    assert alone == [[]]
    assert len(model.prompts) == 1  # the second search asked nothing again


def test_a_hypothetical_article_is_searched_for_and_an_empty_one_is_not() -> None:
    question = Question("1", "물음?", ("가", "나"))
    made = write_queries([question], ("hypothetical",), lambda asked: ["제6조(대여 금지) …"], 3)
    forms = ("stem", "hypothetical")
    assert queries_of(question, forms, made) == [
        ("stem", "물음?", 0.5),
        ("hypothetical", "제6조(대여 금지) …", 0.5),
    ]
    empty = write_queries([question], ("hypothetical",), lambda asked: ["  "], 3)
    assert queries_of(question, forms, empty) == [("stem", "물음?", 1.0)]
    assert queries_of(question, ("hypothetical",)) == [("stem", "물음?", 1.0)]
