"""The recipe's sections `rag` and `answer`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kofinlaw.data.records import Kind
from kofinlaw.models.settings import EngineSettings

Lexical = Literal["kiwi", "bigram", "both"]
Fusion = Literal["relative_score", "ranked"]
QueryForm = Literal["stem", "stem_options", "per_option"]


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


class RagSettings(BaseModel):
    """What the index holds, and how passages are found and packed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lexical: Lexical = Field(
        "kiwi", description="tokens of the lexical index: Kiwi morphemes, bigrams, or both fused"
    )
    embedder: str | None = Field(
        None, description="dense retriever's model, e.g. intfloat/multilingual-e5-small; none: off"
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
        ("stem", "stem_options"), min_length=1, description="queries made of one question, fused"
    )
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
    evidence_tokens: int = Field(
        1200, ge=50, description="model tokens of evidence in a prompt at most"
    )
    workers: int = Field(1, ge=1, description="threads that cut text into morphemes")

    @model_validator(mode="after")
    def _possible(self) -> RagSettings:
        if self.pool < self.k:
            raise ValueError(f"pool {self.pool} is smaller than k {self.k}")
        lexical = self.weights.kiwi * (self.lexical != "bigram") + self.weights.bigram * (
            self.lexical != "kiwi"
        )
        if lexical == 0:
            raise ValueError("all weights of the lexical retrievers in use are 0")
        if self.alpha == 1 and self.embedder is None:
            raise ValueError("alpha 1 asks for vectors alone, but there is no embedder")
        return self


class AnswerSettings(BaseModel):
    """How questions are answered, and until when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineSettings = Field(
        default_factory=EngineSettings, description="what runs the model"
    )
    budget_minutes: float | None = Field(
        None, gt=0, description="minutes from process start, loading included; none: no deadline"
    )
    reserve_minutes: float = Field(
        1.0, ge=0, description="minutes of the budget kept for writing the last answers"
    )
    answer_form: Literal["label", "text"] = Field(
        "text", description="what a choice is told by: its number, or its text (as in training)"
    )
    choose_by: Literal["score", "generate"] = Field(
        "score",
        description="log-probabilities of the choices, or generation constrained to the choices",
    )
    permutations: int = Field(
        1, ge=1, le=9, description="orders of the options averaged (1: as they stand)"
    )
    votes: int = Field(
        1, ge=1, le=15, description="candidates of a free-text answer, chosen by agreement"
    )
    temperature: float = Field(
        0.7, gt=0, le=2, description="of the candidates after the first, which is greedy"
    )
    free_max_tokens: int = Field(96, ge=8, description="tokens of a free-text answer at most")
    free_max_characters: int = Field(
        160, ge=20, description="characters of a free-text answer at most, cut at a sentence's end"
    )
    context_tokens: int = Field(
        4096, ge=64, description="prompt and answer together, in tokens; longer ones are cut"
    )
    batch_questions: int = Field(
        16, ge=1, description="questions handed to the engine in one call and recorded together"
    )
    stall_seconds: float = Field(
        300.0, gt=0, description="a call is given up after this, or 10 times its forecast if longer"
    )
    restarts: int = Field(3, ge=0, description="times a crashed or stalled engine is loaded again")
    sample_submission: Path | None = Field(
        None, description="CSV whose columns and order the submission keeps; none: the questions'"
    )

    @model_validator(mode="after")
    def _possible(self) -> AnswerSettings:
        if self.budget_minutes is not None and self.reserve_minutes >= self.budget_minutes:
            raise ValueError(
                f"reserve_minutes {self.reserve_minutes:g} leaves nothing of "
                f"budget_minutes {self.budget_minutes:g}"
            )
        if self.free_max_tokens >= self.context_tokens:
            raise ValueError("free_max_tokens must be smaller than context_tokens")
        return self
