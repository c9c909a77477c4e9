"""Define the recipe's section `augment`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kofinlaw.augment.forms.chat_forms import Form
from kofinlaw.models.settings import EngineSettings, ModelSettings

__all__ = [
    "TASK_WEIGHTS",
    "WEIGHTS",
    "AugmentSettings",
    "CheckerSettings",
    "RaftSettings",
    "TargetForm",
    "TeacherSettings",
]

# What a multiple-choice example asks the model to write.
TargetForm = Literal["text", "label", "reasoned", "verification"]
# Weight of each kind of question: its share before other kinds fill up what one kind lacks. Every
# known model is weakest at negative stems, figures and five options. Where the answer is in the
# text before the quoted words (actor, definition_term), a small model learns least from an example.
WEIGHTS: dict[str, float] = {
    "enumeration_not": 20,
    "penalty_not": 5,
    "statement_false": 12,
    "not_of_article": 6,
    "definition_mismatch": 2,
    "quantity": 22,
    "penalty": 6,
    "violated_article": 4,
    "enumeration": 5,
    "penalty_named": 2,
    "statement_true": 5,
    "definition_term": 3,
    "term_definition": 3,
    "actor": 3,
    "addressee": 4,
    "modality": 5,
    "exception": 3,
    "which_article": 5,
    "which_act": 1,
    "chain": 2,
    # Hard kinds, in their own share of the set (`hard_share`): options that differ in one slot.
    "slot_figure": 20,
    "slot_bound": 6,
    "slot_actor": 15,
    "slot_act": 5,
    "slot_condition": 12,
    "slot_exception": 12,
    "slot_requirement": 8,
    "slot_pair": 15,
    "slot_member": 20,
    "topic_set": 20,
    "double_set": 15,
    "combination": 8,
    "concept": 12,
    "delegated": 5,
    "sanction": 8,
    "deadline": 8,
    "share": 5,
    # Cells of annex tables, in the share of hard questions too; only where the corpus has such.
    "annex_value": 12,
    "annex_row": 6,
    "annex_pair": 10,
    "annex_set": 10,
    "annex_case": 6,
}


class RaftSettings(BaseModel):
    """The evidence in training examples: the gold passage among retrieved ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    distractors: int = Field(
        default=4, ge=0, description="retrieved passages in addition to the gold one"
    )
    gold_missing_share: float = Field(
        default=0.04,
        ge=0,
        le=0.5,
        description="multiple-choice examples whose evidence lacks the gold passage (0–0.5)",
    )
    free_missing_share: float = Field(
        default=0.12,
        ge=0,
        le=0.5,
        description="free-text examples whose evidence lacks the gold passage; the reply says what "
        "is missing (0–0.5)",
    )
    max_evidence_tokens: int = Field(
        default=280,
        ge=40,
        description="tokens of evidence in one prompt; the deciding line is always kept",
    )
    retrieval: Literal["bigram", "kiwi"] = Field(
        default="bigram",
        description="words that retrieval compares: character bigrams, or Kiwi morphemes",
    )


# Weight of each task of a teacher. Each task has a prompt file.
TASK_WEIGHTS: dict[str, float] = {
    "explanation": 1,
    "scenario": 1,
    "free_question": 1,
    "rephrasing": 1,
    "harder": 1,
    "easier": 1,
    "summary": 1,
    "dialogue": 1,
    "refusal": 1,
    "choice_scenario": 1,
    "choice_paraphrase": 1,
    "comparison": 1,
}


class CheckerSettings(BaseModel):
    """A local model that checks whether two texts mean the same, in place of the teacher."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSettings = Field(..., description="the checking model; take the best local one")
    engine: EngineSettings = Field(
        default_factory=EngineSettings, description="the engine that runs it"
    )
    prompting: Literal["auto", "chat", "completion"] = Field(
        "auto", description="as `prompting` of the teacher"
    )


class TeacherSettings(BaseModel):
    """A local model that writes examples beyond the grounded ones. All of them are checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSettings = Field(..., description="the teacher model")
    engine: EngineSettings = Field(
        default_factory=EngineSettings, description="the engine that runs it"
    )
    items: int = Field(20, ge=0, description="outputs to ask for, over all tasks")
    tasks: dict[str, float] = Field(
        default_factory=lambda: dict(TASK_WEIGHTS),
        description="relative weight of each kind of output",
    )
    prompting: Literal["auto", "chat", "completion"] = Field(
        "auto",
        description="chat: by the chat template; completion: as a continuation of examples (base "
        "models); auto: by the model's name",
    )
    judge: bool = Field(False, description="let the teacher also judge each answer (예 or 아니요)")
    checker: CheckerSettings | None = Field(
        None,
        description="the model that checks a paraphrase in both directions; none: the teacher",
    )
    max_tokens: int = Field(400, ge=8, description="largest number of tokens in one output")
    temperature: float = Field(0.0, ge=0, description="sampling temperature; 0 is greedy")
    batch: int = Field(32, ge=1, description="requests in one call of the engine")
    retry_errors: bool = Field(
        False,
        description="send requests again that the ledger holds as an error (a server was down)",
    )

    @model_validator(mode="after")
    def _possible(self) -> TeacherSettings:
        unknown = sorted(set(self.tasks) - set(TASK_WEIGHTS))
        if unknown:
            known = ", ".join(TASK_WEIGHTS)
            raise ValueError(f"no such task: {', '.join(unknown)}; known: {known}")
        if any(weight < 0 for weight in self.tasks.values()) or not any(self.tasks.values()):
            raise ValueError("weights of tasks must be 0 or more, and one of them above 0")
        return self


class AugmentSettings(BaseModel):
    """Which questions are made from the corpus, and how prompts show them.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: int = Field(800, ge=0, description="multiple-choice examples to train on")
    generators: dict[str, float] = Field(
        default_factory=lambda: dict(WEIGHTS),
        description="relative weight of each kind of question",
    )
    holdout_documents: tuple[str, ...] = Field(
        (), description="titles that are never trained on; their questions are for evaluation"
    )
    holdout_share: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="share of the articles whose documents are held out: `holdout_documents`, and "
        "more, chosen by a hash of the titles (0–0.5)",
    )
    holdout_items: int = Field(0, ge=0, description="questions to make from the held-out documents")
    holdout_free: int = Field(
        0, ge=0, description="free-text questions to make from the held-out documents as well"
    )
    five_options_share: float = Field(
        0.65,
        ge=0,
        le=1,
        description="share of items with five options, where there are enough (0–1)",
    )
    negative_share: float = Field(
        0.3,
        ge=0,
        le=1,
        description=(
            "smallest share of questions that ask for the statement that does not apply, of those "
            "that are not hard (0–1)"
        ),
    )
    numeric_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="smallest share of questions whose options are figures, of those that are not "
        "hard (0–1)",
    )
    hard_share: float = Field(
        0.4,
        ge=0,
        le=1,
        description="largest share of questions whose options differ in one slot and that trivial "
        "solvers cannot answer; other kinds fill up what the acts lack (0–1)",
    )
    twin_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of the hard examples of one slot that get a twin: the same question "
        "with another fact in its evidence and another answer (0–1)",
    )
    most_by_article: int = Field(6, ge=1, description="largest number of items from one article")
    free_share: float = Field(0.04, ge=0, le=0.9, description="share of free-text examples (0–0.9)")
    surface_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the questions rewritten as people type them: spacing, typos, dropped "
        "particles, politeness level, everyday words (0–1)",
    )
    select: Literal["weights", "student"] = Field(
        "weights",
        description="weights: by kind only; student: of each kind first the questions that the "
        "model to be trained gets wrong",
    )
    student_pool: float = Field(
        2.0, ge=1, description="questions that the student is asked, for each item taken"
    )
    student_engine: EngineSettings = Field(
        default_factory=EngineSettings, description="the engine that runs the student"
    )
    answer_form: Literal["label", "text"] = Field(
        "text", description="what the model answers: the digit of the option, or its text"
    )
    target_forms: dict[TargetForm, float] = Field(
        default_factory=dict,
        description="weights of what a multiple-choice example asks for: text, label, reasoned "
        "(a reason with the passage's number, then the choice), verification (a verdict on one "
        "statement); none: answer_form only",
    )
    system_share: float = Field(
        0.0, ge=0, le=1, description="share of examples that begin with a system prompt (0–1)"
    )
    closed_book_share: float = Field(
        0.0, ge=0, le=1, description="share of examples without evidence (0–1)"
    )
    shown_evidence: bool = Field(True, description="put evidence before the question")
    raft: RaftSettings = Field(default_factory=RaftSettings, description="the evidence in prompts")
    teacher: TeacherSettings | None = Field(
        None, description="a model that writes further examples; none: off"
    )
    preferences: bool = Field(
        True,
        description="also write preference pairs (right and wrong answer) for `kofinlaw prefer`",
    )
    write_as: tuple[Form, ...] = Field(
        (),
        description="further forms of examples and pairs, for other trainers: messages (TRL), "
        "alpaca, sharegpt (LLaMA-Factory)",
    )

    @model_validator(mode="after")
    def _possible(self) -> AugmentSettings:
        unknown = sorted(set(self.generators) - set(WEIGHTS))
        if unknown:
            known = ", ".join(WEIGHTS)
            raise ValueError(f"no such kind of question: {', '.join(unknown)}; known: {known}")
        if any(weight < 0 for weight in self.generators.values()):
            raise ValueError("weights of generators must be 0 or more")
        if any(weight < 0 for weight in self.target_forms.values()) or (
            self.target_forms and not any(self.target_forms.values())
        ):
            raise ValueError("weights of target_forms must be 0 or more, and one of them above 0")
        for name in ("holdout_items", "holdout_free"):
            if getattr(self, name) and not self.holds_out:
                raise ValueError(
                    f"{name} needs holdout_documents, the acts to ask about, or holdout_share"
                )
        return self

    @property
    def holds_out(self) -> bool:
        """Whether documents are held out from training, by title or by share."""
        return bool(self.holdout_documents or self.holdout_share)
