"""Rerankers: the answering model, a cross-encoder, and none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from corpora import TEXTS, settings, write_chunks

from kofinlaw import UserError
from kofinlaw.models.engines.base import ChoiceScore, Generation
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.rerank import (
    CrossEncoderReranker,
    mixed,
    open_reranker,
    yes_or_no,
)
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


def test_mixed_scores_are_scaled_over_the_passages_of_a_question() -> None:
    even = [0.5, 1 / (1 + math.e), 1 / (1 + math.e**2)]  # logits 0, -1, -2
    assert mixed(even, [0.0, 0.4, 0.2], 1.0) == pytest.approx([1, 0.5, 0])
    assert mixed(even, [0.0, 0.4, 0.2], 0.25) == pytest.approx([0.25, 0.875, 0.375])
    assert mixed([0.3], [0.9], 0.5) == [1.0]
    assert mixed([], [], 0.5) == []


def test_a_share_keeps_some_of_the_fused_order(tmp_path: Path) -> None:
    index = built(tmp_path)
    question = "이내에 알려야 하는 오류정정과 접근매체"
    liked = "개인정보 보호법 제34조"

    def found(share: float) -> list[str]:
        reranked = settings(reranker="llm", rerank_pool=5, k=5, rerank_share=share)
        model = Model(liked="72시간")
        retriever = Retriever(index, reranked).with_model(model, TEMPLATE)  # type: ignore[arg-type]
        return units(retriever, question)

    before = units(Retriever(index, settings(k=5)), question)
    assert found(1.0)[0] == liked != before[0]
    assert found(0.01) == before
    with pytest.raises(ValueError, match="rerank_share"):
        settings(rerank_share=0)


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
    score = CrossEncoderReranker(tmp_path)
    scores = score([(question, passage) for passage in passages])
    for passage, one in zip(passages, scores, strict=True):
        inputs = fast(question, passage, return_tensors="pt")
        with torch.inference_mode():
            wanted = torch.sigmoid(model(**inputs).logits)[0, 0].item()
        assert one == pytest.approx(wanted, abs=1e-5)
        assert one != pytest.approx(score([(passage, question)])[0], abs=1e-5)
    assert open_reranker(str(tmp_path)) is not None
    fast.model_max_length = 6  # the folder's own limit cuts longer pairs
    fast.save_pretrained(tmp_path)
    short = CrossEncoderReranker(tmp_path)([(question, passages[0])])[0]
    cut = fast(question, passages[0], return_tensors="pt", truncation="longest_first")
    assert cut["input_ids"].shape[1] == 6
    with torch.inference_mode():
        assert short == pytest.approx(torch.sigmoid(model(**cut).logits)[0, 0].item(), abs=1e-5)


def test_a_reranker_that_is_not_here_is_an_error_and_none_is_none() -> None:
    assert open_reranker("none") is None
    with pytest.raises(UserError, match="needs the answering model"):
        open_reranker("llm")
    with pytest.raises(UserError):
        open_reranker("BAAI/bge-reranker-v2-m3")
    with pytest.raises(ValueError, match="smaller than k"):
        settings(reranker="llm", rerank_pool=2, k=3)
