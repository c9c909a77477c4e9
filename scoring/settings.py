"""Define the settings of the recipe sections `score` and `score.judge`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kofinlaw.models.settings import EngineSettings, ModelSettings

__all__ = ["JudgeSettings", "ScoreSettings"]


class JudgeSettings(BaseModel):
    """A local model that judges free-text answers by rubrics.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSettings = Field(
        ..., description="the judge model; it must be on this machine, like every model"
    )
    engine: EngineSettings = Field(
        default_factory=lambda: EngineSettings(engine="llamacpp"),
        description="engine of the judge; it must support JSON schemas, as llamacpp and openai do",
    )
    criteria: tuple[str, ...] = Field(
        ("correctness", "helpfulness"),
        min_length=1,
        description="rubrics: correctness, helpfulness, or the path of a Markdown file",
    )
    pairwise: bool = Field(
        True, description="also compare the answers of every two systems, in both orders"
    )
    controls: bool = Field(
        True,
        description="also judge the references, and references of other questions, as answers; the "
        "scores of a judge that cannot distinguish them mean nothing",
    )
    reasoning: bool | None = Field(
        None,
        description="whether the judge writes a reason before the score; none: the rubric decides",
    )
    repeats: int = Field(
        2, ge=1, le=9, description="number of verdicts on each answer; the first is greedy"
    )
    temperature: float = Field(
        0.7, gt=0, le=2, description="sampling temperature of the verdicts after the first"
    )
    items: int = Field(
        50, ge=1, description="largest number of free-text questions to judge, drawn by seed"
    )
    answer_characters: int = Field(
        1200, ge=50, description="longest part of an answer that the judge sees, in characters"
    )
    max_tokens: int = Field(
        220, ge=8, description="longest verdict, in tokens; longer ones count as unreadable"
    )


class ScoreSettings(BaseModel):
    """How answers are scored. The defaults follow the FSKU contest formula.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str | None = Field(
        "intfloat/multilingual-e5-small",
        description="embedder of the free-text cosine; null omits the free-text score and reports "
        "keyword recall alone",
    )
    cosine_weight: float = Field(
        0.6, ge=0, le=1, description="share of the cosine in a free-text item, 0..1"
    )
    keyword_weight: float = Field(
        0.4, ge=0, le=1, description="share of keyword recall in a free-text item, 0..1"
    )
    choice_weight: float = Field(
        0.5, ge=0, le=1, description="share of multiple choice in the blend, 0..1"
    )
    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="confidence level of the intervals, 0..1"
    )
    bootstrap_samples: int = Field(10_000, ge=100, description="number of bootstrap resamples")
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="significance level of the paired tests, 0..1"
    )
    text_scores: bool = Field(
        True, description="also compute BLEU, ROUGE, METEOR and chrF of the free-text answers"
    )
    confident_from: float = Field(
        0.7,
        ge=0,
        le=1,
        description="confidence from which a wrong answer counts as a confident one, under "
        "`evaluate.evidence`",
    )
    scored_characters: int = Field(
        4000,
        ge=100,
        description="longest part of an answer that is embedded and compared, in characters; "
        "keywords are searched for in the whole answer",
    )
    judge: JudgeSettings | None = Field(
        None, description="a local model that also judges the free-text answers; none: no judge"
    )

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> ScoreSettings:
        if abs(self.cosine_weight + self.keyword_weight - 1) > 1e-9:
            raise ValueError(
                "cosine_weight and keyword_weight must sum to 1 "
                f"(now {self.cosine_weight} + {self.keyword_weight})"
            )
        return self
