"""The recipe's sections `rag` and `answer`."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.records import Kind

__all__ = ["AnswerSettings", "RagSettings"]

Lexical = Literal["kiwi", "bigram", "both"]
Fusion = Literal["relative_score", "ranked"]
QueryForm = Literal["stem", "stem_options", "per_option", "multi_query", "hypothetical"]
# The forms a language model writes.
WRITTEN_FORMS: tuple[QueryForm, ...] = ("multi_query", "hypothetical")


Preset = Literal["none", "dense", "ensemble", "multi_query"]
# The three retrievers of the retrieval study: vectors alone, words and vectors by reciprocal rank
# in equal parts, vectors for the question and the model's wordings of it.
PRESETS: dict[str, dict[str, Any]] = {
    "dense": {"alpha": 1.0, "query_forms": ("stem",)},
    "ensemble": {"alpha": 0.5, "fusion": "ranked", "query_forms": ("stem",)},
    "multi_query": {"alpha": 1.0, "query_forms": ("stem", "multi_query")},
}
PRESET_EMBEDDER = "intfloat/multilingual-e5-small"


class RetrieverWeights(BaseModel):
    """How much each retriever counts among its own kind before `alpha` divides the kinds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kiwi: float = Field(default=1.0, ge=0, description="share of the Kiwi morpheme index, relative")
    bigram: float = Field(
        default=1.0, ge=0, description="share of the character bigram index, relative"
    )
    citation: float = Field(
        default=1.0,
        ge=0,
        description="added to the fused score (0..1) of an article the question cites",
    )
    document: float = Field(
        default=0.0,
        ge=0,
        description="added at most for a passage of the document where most other hits lie",
    )
    cited_often: float = Field(
        default=0.0,
        ge=0,
        description="added at most for an article that many others of the corpus refer to",
    )
    linked: float = Field(
        default=0.0, ge=0, description="added at most for an article that other hits refer to"
    )
    beside: float = Field(
        default=0.0, ge=0, description="added at most for an article next to another hit"
    )
    act: float = Field(
        default=0.0, ge=0, description="added for an act's text (not a decree's or a rule's)"
    )


class WeaviateSettings(BaseModel):
    """The server behind `store: weaviate`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(
        None, description="http://host:port of the server; none: the variable WEAVIATE_URL"
    )
    grpc_port: int = Field(50051, ge=1, le=65535, description="the server's gRPC port")
    collection: str = Field(
        "Kofinlaw",
        pattern=r"^[A-Z][A-Za-z0-9_]*$",
        description="name of the collection; the index's fingerprint is added to it",
    )
    tokenization: Literal["kagome_kr", "whitespace"] = Field(
        "kagome_kr",
        description="who cuts Korean: the server (must be started with "
        "ENABLE_TOKENIZER_KAGOME_KR=true), or whitespace over the tokens made here",
    )
    batch_passages: int = Field(200, ge=1, description="passages sent in one batch")


class RagSettings(BaseModel):
    """What the index holds, and how passages are found and packed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset = Field(
        "none",
        description="dense, ensemble or multi_query: fills in alpha, fusion, query_forms and "
        "embedder where the recipe does not set them",
    )
    store: Literal["local", "weaviate"] = Field(
        "local", description="what searches: files in the index folder, or a Weaviate server"
    )
    weaviate: WeaviateSettings = Field(
        default_factory=WeaviateSettings, description="the server, where store is weaviate"
    )
    lexical: Lexical = Field(
        "kiwi", description="tokens of the lexical index: Kiwi morphemes, bigrams, or both fused"
    )
    embedder: str | None = Field(
        None, description="dense retriever's model, e.g. intfloat/multilingual-e5-small; none: off"
    )
    embed_characters: int | None = Field(
        None, ge=50, description="characters of a passage that are embedded (none: all of them)"
    )
    alpha: float = Field(
        0.35, ge=0, le=1, description="the vectors' share of the fused score (0 lexical alone)"
    )
    fusion: Fusion = Field(
        "relative_score", description="min-max scores added, or places (1 / (60 + rank)) added"
    )
    weights: RetrieverWeights = Field(
        default_factory=RetrieverWeights, description="weight of each retriever (no unit)"
    )
    query_forms: tuple[QueryForm, ...] = Field(
        ("stem", "stem_options"),
        min_length=1,
        description="queries made of one question, fused (multi_query and hypothetical are "
        "written by the model)",
    )
    rewrites: int = Field(3, ge=1, le=8, description="queries the model writes for multi_query")
    reranker: str = Field(
        "none",
        min_length=1,
        description="none, llm (the model says yes or no by its first token), or a "
        "cross-encoder's id or folder (BAAI/bge-reranker-v2-m3)",
    )
    rerank_pool: int = Field(25, ge=1, le=200, description="fused passages that are reranked")
    case_votes: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the votes of court decisions for the articles they cite (0: none)",
    )
    case_pool: int = Field(40, ge=1, description="passages of decisions that vote")
    kinds: tuple[Kind, ...] = Field(
        (), description="kinds of passages shown (statute, rule, guideline, case …); empty: all"
    )
    citation_lookup: bool = Field(
        True, description="look up articles the question cites (전자금융거래법 제9조)"
    )
    k: int = Field(5, ge=1, le=200, description="passages kept for a question")
    pool: int = Field(50, ge=1, description="passages taken from each retriever before fusion")
    neighbours: int = Field(
        0, ge=0, le=5, description="articles before and after the best one added behind it"
    )
    cross_references: int = Field(
        0, ge=0, le=10, description="articles that the found ones cite, added behind them"
    )
    as_of: datetime.date | None = Field(
        None, description="only text in force on this day; none: the question's own day, else today"
    )
    evidence_tokens: int = Field(
        1200, ge=50, description="model tokens of evidence in a prompt at most"
    )
    workers: int = Field(1, ge=1, description="threads that cut text into morphemes")

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, values: Any) -> Any:
        preset = PRESETS.get(values.get("preset", "none")) if isinstance(values, dict) else None
        return values if preset is None else {"embedder": PRESET_EMBEDDER, **preset, **values}

    @model_validator(mode="after")
    def _possible(self) -> RagSettings:
        if self.pool < self.k:
            raise ValueError(f"pool {self.pool} is smaller than k {self.k}")
        if self.reranker != "none" and self.rerank_pool < self.k:
            raise ValueError(f"rerank_pool {self.rerank_pool} is smaller than k {self.k}")
        lexical = self.weights.kiwi * (self.lexical != "bigram") + self.weights.bigram * (
            self.lexical != "kiwi"
        )
        if lexical == 0:
            raise ValueError("all weights of the lexical retrievers in use are 0")
        if self.store == "weaviate" and self.lexical == "both":
            raise ValueError("a Weaviate server fuses one lexical index: lexical kiwi or bigram")
        if self.alpha == 1 and self.embedder is None:
            raise ValueError("alpha 1 asks for vectors alone, but there is no embedder")
        return self
