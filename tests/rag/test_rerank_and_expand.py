"""Query forms, rerankers, the day asked about, and what is put behind the hits."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from corpora import TEXTS, chunk, settings, write_chunks

from kofinlaw import UserError
from kofinlaw.models.engines.base import ChoiceScore, Generation
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.in_force import Calendar
from kofinlaw.rag.retrieve.query_forms import queries_of, write_queries
from kofinlaw.rag.retrieve.rerank import cross_encoder, open_reranker, yes_or_no
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question

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


def units(retriever: Retriever, question: str, **values: Any) -> list[str]:
    return [hit.chunk.unit for hit in retriever.search([Question("1", question)], **values)[0]]


def test_a_model_words_the_question_anew_and_each_wording_is_searched(tmp_path: Path) -> None:
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


def test_the_model_reranks_by_its_first_word(tmp_path: Path) -> None:
    model = Model(liked="72시간")
    scores = yes_or_no(model, TEMPLATE)(  # type: ignore[arg-type]
        [("언제까지 알리나?", "14일 이내에"), ("언제까지 알리나?", "72시간 이내에")]
    )
    assert scores == [pytest.approx(0.2), pytest.approx(0.9)]
    assert model.prompts[0].index("14일") < model.prompts[0].index("언제까지")
    retriever = Retriever(built(tmp_path), settings(reranker="llm", rerank_pool=5, k=2))
    question = "이내에 알려야 하는 오류정정과 접근매체"
    before = units(retriever, question)
    assert before[0] != "개인정보 보호법 제34조"
    assert retriever.needs_model == ("reranker llm",)
    retriever = retriever.with_model(model, TEMPLATE)  # type: ignore[arg-type]
    hits = retriever.search([Question("1", question)])[0]
    assert hits[0].chunk.unit == "개인정보 보호법 제34조"
    assert hits[0].by[-1] == "rerank"
    assert len(hits) == 2
    assert units(retriever, question, rerank=False) == before


def test_a_cross_encoder_scores_question_and_passage_in_this_order(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig
    from transformers import XLMRobertaForSequenceClassification as Classifier

    words = ["<s>", "<pad>", "</s>", "<unk>", *{w for text in TEXTS.values() for w in text.split()}]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=60
    )
    fast.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, num_labels=1, pad_token_id=1, max_position_embeddings=600,
        initializer_range=1.0,
    )  # fmt: skip
    model = Classifier(config).eval()
    torch.nn.init.normal_(model.classifier.out_proj.weight)
    model.save_pretrained(tmp_path)
    question, *passages = TEXTS.values()
    score = cross_encoder(tmp_path)
    scores = score([(question, passage) for passage in passages])
    for passage, one in zip(passages, scores, strict=True):
        inputs = fast(question, passage, return_tensors="pt")
        with torch.inference_mode():
            wanted = torch.sigmoid(model(**inputs).logits)[0, 0].item()
        assert one == pytest.approx(wanted, abs=1e-5)
        assert one != pytest.approx(score([(passage, question)])[0], abs=1e-5)
    assert open_reranker(str(tmp_path)) is not None


def test_a_reranker_that_is_not_here_is_an_error_and_none_is_none() -> None:
    assert open_reranker("none") is None
    with pytest.raises(UserError, match="needs the answering model"):
        open_reranker("llm")
    with pytest.raises(UserError):
        open_reranker("BAAI/bge-reranker-v2-m3")
    with pytest.raises(ValueError, match="smaller than k"):
        settings(reranker="llm", rerank_pool=2, k=3)


VERSIONS = [
    chunk("가법 제1조", "벌금은 100만원으로 한다.", as_of="2020-01-01"),
    chunk("가법 제2조", "과태료는 없어질 것이다.", as_of="2020-01-01"),
    chunk("가법 제1조", "벌금은 200만원으로 한다.", as_of="2024-07-01"),
    chunk("가법 제1조", "벌금은 300만원으로 한다.", as_of="2030-01-01"),
    chunk("나법 제1조", "벌금은 500만원으로 한다.", as_of="2019-01-01"),
    chunk("판례1 제1", "벌금 100만원을 선고한 사례", as_of="2021-01-01", kind="case"),
    chunk("판례1 제1", "벌금 900만원을 선고한 사례", as_of="2029-01-01", kind="case"),
]


@pytest.mark.parametrize(
    ("day", "places"),
    [
        ("2018-12-31", []),
        ("2020-01-01", [0, 1, 4]),
        ("2024-06-30", [0, 1, 4, 5]),
        ("2024-07-01", [2, 4, 5]),  # 제2조 went with the version that held it
        ("2031-01-01", [3, 4, 5, 6]),
    ],
)
def test_only_the_newest_text_not_after_the_day_is_in_force(day: str, places: list[int]) -> None:
    mask = Calendar(VERSIONS).on(datetime.date.fromisoformat(day))
    assert mask.nonzero()[0].tolist() == places


def test_each_question_is_answered_from_the_law_of_its_day(tmp_path: Path) -> None:
    index = built(tmp_path, VERSIONS)
    days = [datetime.date(2023, 5, 1), datetime.date(2025, 5, 1), None]
    questions = [Question(str(i), "가법 제1조 벌금은 얼마인가?") for i in range(3)]
    found = Retriever(index, settings(k=1)).search(questions, as_of=days)
    assert ["100만원" in found[0][0].chunk.text, "200만원" in found[1][0].chunk.text] == [True] * 2
    fixed = Retriever(index, settings(k=5, as_of="2031-02-03"))
    assert "300만원" in fixed.search(questions[:1])[0][0].chunk.text
    cited = Retriever(index, settings(k=5, citation_lookup=True)).search(
        questions[:1], as_of=days[0]
    )[0]
    assert {hit.chunk.as_of for hit in cited} <= {"2020-01-01", "2019-01-01", "2021-01-01"}


def test_articles_that_the_found_ones_cite_stand_behind_them(tmp_path: Path) -> None:
    edges = [
        ("전자금융거래법 제9조", "개인정보 보호법 제34조", True),
        ("전자금융거래법 제9조", "전자금융거래법 제9조", True),
        ("전자금융거래법 제9조", "민법 제750조", False),
        ("전자금융거래법 제6조", "개인정보 보호법 제15조", True),
        ("전자금융거래법 제6조", "개인정보 보호법 제34조", True),
    ]
    rows = [{"source": s, "target": t, "resolved": r} for s, t, r in edges]
    (tmp_path / "citations.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    index = built(tmp_path)
    question = "접근매체의 위조로 발생한 손해"
    assert units(Retriever(index, settings(k=2)), question) == [
        "전자금융거래법 제9조",
        "전자금융거래법 제6조",
    ]
    one = Retriever(index, settings(k=2, cross_references=1)).search([Question("1", question)])[0]
    assert (one[2].chunk.unit, one[2].by) == ("개인정보 보호법 제34조", ("reference",))
    both = units(Retriever(index, settings(k=2, cross_references=5, neighbours=1)), question)
    assert both[2:] == [
        "전자금융거래법 제9조의2",
        "개인정보 보호법 제34조",
        "개인정보 보호법 제15조",
    ]
    assert index.fingerprint != built(tmp_path / "other").fingerprint


def test_a_preset_fills_in_what_the_recipe_leaves_open() -> None:
    dense, ensemble, multi = (
        settings(preset=name) for name in ("dense", "ensemble", "multi_query")
    )
    assert {one.embedder for one in (dense, ensemble, multi)} == {"intfloat/multilingual-e5-small"}
    assert (dense.alpha, dense.query_forms) == (1.0, ("stem",))
    assert (ensemble.alpha, ensemble.fusion) == (0.5, "ranked")
    assert (multi.alpha, multi.query_forms) == (1.0, ("stem", "multi_query"))
    assert settings(preset="ensemble", alpha=0.7, embedder="pico").alpha == 0.7
    # What a preset filled in stands in the resolved settings, and reads back as the same.
    assert type(dense).model_validate(dense.model_dump()) == dense
    with pytest.raises(ValueError, match="preset"):
        settings(preset="dence")
