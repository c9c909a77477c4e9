"""Define the recipe's section `retriever`: how an embedder is trained on the recipe's documents."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kofinlaw.trainer.retriever.reranker_settings import RerankerSettings

__all__ = ["RetrieverSettings"]


PairKind = Literal[
    "heading", "sentence", "citing", "delegation", "definition", "decision",
    "question", "everyday", "scenario",
]  # fmt: skip


class RetrieverSettings(BaseModel):
    """Settings of `kofinlaw fit-retriever`.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str = Field(
        "intfloat/multilingual-e5-small",
        description="the embedder to start from: a name of the catalogue, or a folder that "
        "sentence-transformers saved",
    )
    method: Literal["full", "lora", "static"] = Field(
        "full",
        description="full: all weights but the embeddings of tokens; lora: an adapter, merged at "
        "the end; static: a table of token vectors, distilled from the base and then trained",
    )
    lora_rank: int = Field(16, ge=1, le=512, description="rank of the adapter, with `method: lora`")
    kinds: tuple[PairKind, ...] = Field(
        ("heading", "sentence", "citing", "delegation", "definition", "decision"),
        description="kinds of pairs that are built from the documents; [] builds none",
    )
    pairs: str | None = Field(
        None,
        description="own pairs (JSON Lines: `anchor`, `positive`, and optionally `negative`), "
        "relative to the recipe; trained on in addition to the kinds",
    )
    own_share: float = Field(
        0.4,
        gt=0,
        le=1,
        description="share of own pairs and court issues in every batch, if there are any",
    )
    negatives: bool = Field(
        True,
        description="add a hard negative to each pair: a passage that BM25 finds, and that "
        "does not answer",
    )
    steps: int = Field(300, ge=1, description="optimizer steps")
    batch: int | None = Field(
        None,
        ge=2,
        description="pairs in a step, whose passages are negatives of each other; none: 32, 256 "
        "with `method: static`, and at most as many as there are units",
    )
    pass_pairs: int = Field(
        32,
        ge=1,
        description="pairs in one forward pass; smaller needs less memory, same gradient; "
        "`method: static` takes all at once",
    )
    learning_rate: float | None = Field(
        None, gt=0, description="highest learning rate; none: 1e-4, and 1e-2 with `method: static`"
    )
    temperature: float | None = Field(
        None,
        gt=0,
        description="the similarities are divided by it before the softmax; none: 0.02, and 0.05 "
        "with `method: static`",
    )
    query_tokens: int = Field(96, ge=8, description="longest query in training, in tokens")
    passage_tokens: int = Field(160, ge=8, description="longest passage in training, in tokens")
    dtype: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="type of the products in training; the weights stay in float32"
    )
    checkpoint_steps: int = Field(25, ge=1, description="a killed run loses at most so many steps")
    budget_minutes: float | None = Field(
        None, gt=0, description="end after so many minutes with what is learned; none: all steps"
    )
    reranker: RerankerSettings | None = Field(
        None,
        description="train a cross-encoder for `rag.reranker` from the base, after the embedder; "
        "none: no reranker",
    )
    base_share: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="share of the base's similarity in `joined`, an embedder of the base and the "
        "trained one; 0: none is written; none: 0.7 with `method: static`, else 0",
    )
    held_out_share: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="share of the units whose pairs are held out, to measure before and after",
    )

    def batch_of(self, units: int) -> int:
        """Return the pairs in a step for pairs of so many units."""
        usual = 256 if self.method == "static" else 32
        return self.batch or max(2, min(usual, units))

    @property
    def joined_share(self) -> float:
        """The share of the base in the joined embedder; 0 if none is written."""
        if self.base_share is None:
            return 0.7 if self.method == "static" else 0.0
        return self.base_share

    @property
    def scale(self) -> float:
        """What the similarities are multiplied by before the softmax."""
        return 1 / (self.temperature or (0.05 if self.method == "static" else 0.02))

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.learning_rate or (1e-2 if self.method == "static" else 1e-4)

    @field_validator("kinds")
    @classmethod
    def _no_kind_twice(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(kinds)) != len(kinds):
            raise ValueError("`kinds` names a kind twice")
        return kinds
