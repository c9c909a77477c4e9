"""Define the settings of the recipe section `rag`: the index, and how passages are found."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kofinlaw.rag.weaviate_settings import WeaviateSettings
from kofinlaw.records import Kind

__all__ = [
    "PRESETS",
    "PRESET_EMBEDDER",
    "WRITTEN_FORMS",
    "Fusion",
    "Lexical",
    "Preset",
    "QueryForm",
    "RagSettings",
    "RetrieverWeights",
    "WeaviateSettings",
]

Lexical = Literal["kiwi", "bigram", "both"]
Fusion = Literal["relative_score", "ranked"]
QueryForm = Literal["stem", "stem_options", "per_option", "multi_query", "hypothetical"]
# The query forms that a language model writes.
WRITTEN_FORMS: tuple[QueryForm, ...] = ("multi_query", "hypothetical")


Preset = Literal["none", "dense", "ensemble", "multi_query"]
# The three retrievers of the retrieval study: vectors alone; words and vectors in equal parts by
# reciprocal rank; vectors of the question and of the model's rewrites.
PRESETS: dict[str, dict[str, object]] = {
    "dense": {"alpha": 1.0, "query_forms": ("stem",)},
    "ensemble": {"alpha": 0.5, "fusion": "ranked", "query_forms": ("stem",)},
    "multi_query": {"alpha": 1.0, "query_forms": ("stem", "multi_query")},
}
PRESET_EMBEDDER = "intfloat/multilingual-e5-small"


class RetrieverWeights(BaseModel):
    """How much each retriever counts.

    The weights of the lexical indexes are relative to each other: `alpha` divides lexical and
    vector search. All others are added to the fused score, which is in 0..1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kiwi: float = Field(default=1.0, ge=0, description="relative weight of the Kiwi morpheme index")
    bigram: float = Field(
        default=1.0, ge=0, description="relative weight of the character bigram index"
    )
    citation: float = Field(
        default=1.0,
        ge=0,
        description="value added to the fused score (0..1) of an article that the question cites",
    )
    document: float = Field(
        default=0.0,
        ge=0,
        description="largest value added to a passage of the document that holds most other hits",
    )
    cited_often: float = Field(
        default=0.0,
        ge=0,
        description=(
            "largest value added to an article that many other articles of the corpus refer to"
        ),
    )
    linked: float = Field(
        default=0.0, ge=0, description="largest value added to an article that other hits refer to"
    )
    walk: float = Field(
        default=0.0,
        ge=0,
        description=(
            "the same for the 30 best hits, and for an article that no retriever found: it enters "
            "the ranking with this value"
        ),
    )
    beside: float = Field(
        default=0.0, ge=0, description="largest value added to an article next to another hit"
    )
    act: float = Field(
        default=0.0,
        ge=0,
        description="value added to the text of an act (not of a decree or a rule)",
    )


class RagSettings(BaseModel):
    """Settings of the index, of retrieval, and of the evidence that a prompt gets.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset = Field(
        "none",
        description="dense, ensemble or multi_query: fills in alpha, fusion, query_forms and "
        "embedder where the recipe does not set them",
    )
    store: Literal["local", "weaviate"] = Field(
        "local", description="what runs the search: files in the index folder, or a Weaviate server"
    )
    weaviate: WeaviateSettings = Field(
        default_factory=WeaviateSettings, description="the server, where store is weaviate"
    )
    lexical: Lexical = Field(
        "kiwi",
        description="tokens of the lexical index: Kiwi morphemes, bigrams, or both indexes fused",
    )
    embedder: str | None = Field(
        None,
        description="model of the dense retriever, e.g. intfloat/multilingual-e5-small; none: off",
    )
    embed_characters: int | None = Field(
        None, ge=50, description="characters of a passage that are embedded; none: all"
    )
    alpha: float = Field(
        0.35,
        ge=0,
        le=1,
        description="share of the vectors in the fused score (0: lexical search alone)",
    )
    fusion: Fusion = Field(
        "relative_score",
        description="what each list adds to the fused score: min-max scores, or 1 / (60 + rank)",
    )
    weights: RetrieverWeights = Field(
        default_factory=RetrieverWeights, description="weight of each retriever (no unit)"
    )
    query_forms: tuple[QueryForm, ...] = Field(
        ("stem", "stem_options"),
        min_length=1,
        description="queries made from one question and fused (the model writes multi_query and "
        "hypothetical)",
    )
    rewrites: int = Field(3, ge=1, le=8, description="queries the model writes for multi_query")
    reranker: str = Field(
        "none",
        min_length=1,
        description="reranker: none, llm (the answering model says yes or no with its first "
        "token), or the "
        "id or folder of a cross-encoder (BAAI/bge-reranker-v2-m3)",
    )
    rerank_pool: int = Field(25, ge=1, le=200, description="fused passages that are reranked")
    rerank_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="share of the reranker's score in the order; the rest is the fused score, both "
        "from 0 to 1 over the pool (1: the reranker alone)",
    )
    case_votes: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the votes of court decisions for the articles they cite (0: none)",
    )
    case_pool: int = Field(40, ge=1, description="passages of court decisions that vote")
    kinds: tuple[Kind, ...] = Field(
        (), description="kinds of passages shown (statute, rule, guideline, case ...); empty: all"
    )
    citation_lookup: bool = Field(
        True, description="look up articles that the question cites (전자금융거래법 제9조)"
    )
    k: int = Field(5, ge=1, le=200, description="passages kept for a question")
    pool: int = Field(50, ge=1, description="passages taken from each retriever before fusion")
    neighbours: int = Field(
        0,
        ge=0,
        le=5,
        description="articles before and after the best one that are added behind the hits",
    )
    cross_references: int = Field(
        0, ge=0, le=10, description="articles that the hits cite, added behind the hits"
    )
    annex_rows: int = Field(
        0,
        ge=0,
        le=10,
        description="most passages of annexes (별표) that found articles name, each added behind "
        "its article",
    )
    option_passages: int = Field(
        0,
        ge=0,
        le=10,
        description="passages for each option (query: stem and option), added behind the hits",
    )
    as_of: datetime.date | None = Field(
        None,
        description="show only text in force on this day; none: the question's own day, else today",
    )
    evidence_tokens: int = Field(
        1200, ge=50, description="largest number of evidence tokens in a prompt"
    )
    workers: int = Field(1, ge=1, description="threads that cut text into morphemes")

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        preset = PRESETS.get(values.get("preset", "none"))
        return values if preset is None else {"embedder": PRESET_EMBEDDER, **preset, **values}

    @model_validator(mode="after")
    def _check_combination(self) -> RagSettings:
        if self.pool < self.k:
            raise ValueError(f"pool {self.pool} is smaller than k {self.k}")
        if self.reranker != "none" and self.rerank_pool < self.k:
            raise ValueError(f"rerank_pool {self.rerank_pool} is smaller than k {self.k}")
        lexical = self.weights.kiwi * (self.lexical != "bigram") + self.weights.bigram * (
            self.lexical != "kiwi"
        )
        if lexical == 0:
            raise ValueError("the weights of all lexical indexes in use are 0")
        if self.store == "weaviate" and self.lexical == "both":
            raise ValueError(
                "a Weaviate server fuses one lexical index: set lexical to kiwi or bigram"
            )
        if self.alpha == 1 and self.embedder is None:
            raise ValueError("alpha 1 means vectors alone, but no embedder is set")
        return self

    @property
    def lexical_kinds(self) -> tuple[str, ...]:
        """The lexical indexes that are built and searched."""
        return ("kiwi", "bigram") if self.lexical == "both" else (self.lexical,)
