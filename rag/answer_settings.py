"""Define the settings of the recipe section `answer`: engine, time budget, choice of answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kofinlaw.models.settings import EngineSettings

__all__ = ["AbstainMode", "AnswerSettings", "FreeVoterName", "VoterName", "VoterWeight"]

AbstainMode = Literal["never", "free", "always"]
VoterName = Literal[
    "contrast", "evidence", "likelihood", "overlap", "morphemes", "look_up", "passages", "reading"
]
FreeVoterName = Literal["nearest", "question", "contrast", "evidence", "likelihood"]
VoterWeight = Annotated[float, Field(ge=-10, le=10)]


# Least `answer.contrast_decoding` above 0. A negative stem gives the other prompt the inverse.
LEAST_CONTRAST = 0.1


class AnswerSettings(BaseModel):
    """How questions are answered, and how much time there is.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineSettings = Field(
        default_factory=EngineSettings, description="the engine that runs the model"
    )
    budget_minutes: float | None = Field(
        None, gt=0, description="minutes from process start, loading included; none: no deadline"
    )
    count_pauses: bool = Field(
        False,
        description="count the time between a kill and the next start too, as a contest does",
    )
    expected_questions: int | None = Field(
        None,
        ge=1,
        description="questions that budget_minutes is meant for, which `kofinlaw plan` counts with "
        "until evaluate.submission names their file; it changes no answer",
    )
    reserve_minutes: float = Field(
        1.0, ge=0, description="minutes of the budget reserved for writing the last answers"
    )
    answer_form: Literal["label", "text"] = Field(
        "text",
        description="how the model names an option: by number, or by text (as in training)",
    )
    choose_by: Literal["score", "generate", "contrast"] = Field(
        "score",
        description="the options' log-probabilities, generation constrained to the options, or the "
        "log-probability of each option that is not listed, minus that without context",
    )
    contrast_decoding: float = Field(
        0.0,
        ge=0,
        le=1,
        description="choose_by generate: the options are not listed, and the option is generated "
        "whose mean log-probability with evidence and stem, minus this times that without "
        "evidence, is largest; for a negative stem smallest (0: off, else at least 0.1)",
    )
    contrast_form: Literal["chat", "plain"] = Field(
        "chat",
        description="choose_by contrast, and contrast_decoding: prompts in the chat template, or "
        "as plain text",
    )
    voters: Literal["fit"] | dict[VoterName, VoterWeight] | Path = Field(
        {"contrast": 1.0},
        description="choose_by contrast: the weight of each voter; or a file of weights; or `fit`: "
        "fit them to training questions that the model answers first",
    )
    unrelated_voters: dict[VoterName, VoterWeight] = Field(
        {},
        description="the weights instead of `voters` where the evidence does not bear on the "
        "question; empty: the same. Only next to a table of voters",
    )
    bearing_from: float = Field(
        0.52,
        ge=0,
        le=1,
        description="the evidence bears on a question if its best passage contains at least this "
        "share of the stem's bigrams",
    )
    voter_temperature: float = Field(
        1.0,
        gt=0,
        le=20,
        description="divides the weighted sum before the softmax; it changes the confidence only",
    )
    voter_items: int = Field(
        300, ge=40, description="training questions that `voters: fit` answers, for each model"
    )
    permutations: int = Field(
        1, ge=1, le=9, description="orders of the options that are averaged (1: the given order)"
    )
    reasoning_tokens: int = Field(
        0,
        ge=0,
        description=(
            "largest number of reasoning tokens before the model chooses an option (0: none)"
        ),
    )
    votes: int = Field(
        1,
        ge=1,
        le=15,
        description="candidates of a free-text answer, and of a choice that is generated or "
        "reasoned; the answer is chosen by agreement",
    )
    temperature: float = Field(
        0.7,
        gt=0,
        le=2,
        description="sampling temperature of the candidates after the first, which is greedy",
    )
    free_by: Literal["generate", "choose"] = Field(
        "generate",
        description="a free-text answer is generated, or chosen among the sentences of the "
        "evidence in the prompt (without any evidence it is generated)",
    )
    free_candidates: int = Field(
        12,
        ge=1,
        le=64,
        description="free_by choose: sentences among which the voters choose, ranked by their "
        "similarity to the question",
    )
    free_voters: dict[FreeVoterName, VoterWeight] = Field(
        {"nearest": 1.0, "question": 2.0},
        description="free_by choose: the weight of each voter; `nearest` alone needs no model",
    )
    free_replace: bool = Field(
        True,
        description="a generated free-text answer that is empty, gives the prompt back, repeats "
        "itself, is in a foreign script or ends within its first sentence is replaced by the "
        "sentence nearest to the question",
    )
    free_target_characters: int | None = Field(
        None,
        ge=10,
        description="preferred characters of a free-text answer, which decide between candidates; "
        "none: 60, or free_max_characters if that is smaller",
    )
    free_opening: bool = Field(
        False, description="prefill a free-text answer with the key terms of the question"
    )
    without_evidence: Literal["say", "answer"] = Field(
        "say",
        description=(
            "free-text question without evidence: say that nothing was found, or let the "
            "model answer"
        ),
    )
    abstain: AbstainMode = Field(
        "free",
        description="questions that are refused where the index does not bear on them: none, "
        "free-text ones, or choices too (in a submission choices are always answered)",
    )
    free_max_tokens: int = Field(
        96, ge=8, description="largest number of tokens in a free-text answer"
    )
    free_max_characters: int = Field(
        160,
        ge=20,
        description=(
            "largest number of characters in a free-text answer, cut at the end of a sentence"
        ),
    )
    context_tokens: int = Field(
        4096,
        ge=64,
        description=(
            "largest number of tokens in prompt and answer together; longer prompts are cut"
        ),
    )
    batch_questions: int = Field(
        16,
        ge=1,
        description="questions that are sent to the engine in one call and recorded together",
    )
    stall_seconds: float = Field(
        300.0,
        gt=0,
        description="a call is abandoned after this, or after 10 times its forecast if longer",
    )
    restarts: int = Field(
        3, ge=0, description="how often a crashed or stalled engine is loaded again"
    )
    sample_submission: Path | None = Field(
        None,
        description="CSV whose columns and order the submission keeps; none: the question file",
    )

    @model_validator(mode="after")
    def _check_combination(self) -> AnswerSettings:
        if self.budget_minutes is not None and self.reserve_minutes >= self.budget_minutes:
            raise ValueError(
                f"reserve_minutes {self.reserve_minutes:g} leaves nothing of "
                f"budget_minutes {self.budget_minutes:g}"
            )
        if max(self.free_max_tokens, self.reasoning_tokens) >= self.context_tokens:
            raise ValueError(
                "free_max_tokens and reasoning_tokens must be smaller than context_tokens"
            )
        if self.choose_by == "contrast":
            self._check_contrast()
        if self.contrast_decoding > 0:
            self._check_contrast_decoding()
        if self.free_by == "choose" and not any(self.free_voters.values()):
            raise ValueError("free_voters names no voter with a weight")
        if (self.free_target_characters or 0) > self.free_max_characters:
            raise ValueError("free_target_characters is larger than free_max_characters")
        return self

    def _check_contrast(self) -> None:
        if self.permutations > 1:
            raise ValueError(
                "permutations must be 1 with choose_by contrast: the options are not listed, so "
                "their order does not matter"
            )
        if self.reasoning_tokens > 0:
            raise ValueError(
                "reasoning_tokens must be 0 with choose_by contrast: the options are scored right "
                "after the stem"
            )
        if isinstance(self.voters, dict) and not any(self.voters.values()):
            raise ValueError("voters names no voter with a weight")
        if self.unrelated_voters and not isinstance(self.voters, dict):
            raise ValueError(
                "unrelated_voters belongs to a table of voters: a file of weights has its own, and "
                "a fit has gates; set unrelated_voters to {}"
            )

    def _check_contrast_decoding(self) -> None:
        if self.choose_by != "generate":
            raise ValueError("contrast_decoding needs choose_by generate")
        if self.contrast_decoding < LEAST_CONTRAST:
            raise ValueError(
                f"contrast_decoding is 0 (off) or at least {LEAST_CONTRAST:g}: below it a negative "
                "stem would be answered by the prompt without evidence alone"
            )
        if self.engine.engine != "transformers":
            raise ValueError(
                f"engine {self.engine.engine} cannot generate from the difference of two prompts: "
                "use engine transformers, or set contrast_decoding to 0"
            )
        if self.permutations > 1 or self.reasoning_tokens > 0:
            raise ValueError(
                "permutations must be 1 and reasoning_tokens 0 with contrast_decoding: the options "
                "are not listed, and their texts follow right after the stem"
            )

    @property
    def decodes_by_contrast(self) -> bool:
        """Whether a choice is generated from the difference of two prompts."""
        return self.choose_by == "generate" and self.contrast_decoding > 0

    @property
    def fits_voters(self) -> bool:
        """Whether the weights of the voters are fitted before the model answers."""
        return self.choose_by == "contrast" and self.voters == "fit"

    @property
    def target_characters(self) -> int:
        """The preferred length of a free-text answer, in characters."""
        return self.free_target_characters or min(60, self.free_max_characters)
