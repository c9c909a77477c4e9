"""Define the schema of a recipe: strict, one model a section, all errors with file and line."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kofinlaw import UserError
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.cluster.address import parse_cluster
from kofinlaw.data.settings import DataSettings, SourceSettings
from kofinlaw.models.policy.rules import policies
from kofinlaw.models.settings import ModelSettings
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.settings import RagSettings
from kofinlaw.recipes.pipeline.recipe_file import RecipeFile, find_recipe, read_recipe_file
from kofinlaw.recipes.pipeline.study_settings import StudySettings
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.trace_settings import TraceSettings
from kofinlaw.trainer.export.settings import ExportSettings
from kofinlaw.trainer.merge.settings import MergeSettings
from kofinlaw.trainer.proof.settings import VerifySettings
from kofinlaw.trainer.retriever.settings import RetrieverSettings
from kofinlaw.trainer.settings import TrainSettings

if TYPE_CHECKING:
    PolicyName = str
else:
    # The names in policies.yaml, so that the error for another name lists them.
    PolicyName = Literal[tuple(policies())]

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "EvaluateSettings",
    "EvidenceKind",
    "ExamSettings",
    "Recipe",
    "SweepSettings",
    "System",
    "check_recipe",
    "describe_errors",
    "field_names",
    "json_schema",
    "leaves",
    "load_recipe",
    "origin_of",
    "resolved_yaml",
]

System = Literal["base", "base-rag", "trained", "trained-rag"]
EvidenceKind = Literal["gold", "retrieved", "partial", "none", "contradicting"]


class ExamSettings(BaseModel):
    """An exam that base and trained model answer, with and without evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        description="the exam: CSV with question, answer (1-9) and the options A-D, or JSON Lines; "
        "never trained on"
    )
    name: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]*$",
        description="name in stages and report; empty: the name of the file",
    )
    key: str | None = Field(
        None, description="JSON Lines of Key records, if the exam itself has no answers"
    )
    bench: str = Field(
        "",
        description="the evaluation set whose columns the file has, as `kofinlaw bench` names it "
        "(kmmlu-pro, kbl …); empty: those of an exam",
    )
    sources: tuple[SourceSettings, ...] = Field(
        (),
        description="documents to search for this exam, with an index of their own; none: the "
        "recipe's index",
    )
    systems: tuple[System, ...] = Field(
        ("base", "base-rag", "trained", "trained-rag"),
        min_length=1,
        description="systems that answer; without documents those with `-rag` are left out",
    )
    pooled_slice: str | None = Field(
        None,
        description="slice whose questions the test over several exams uses, such as "
        "`domain:대출`; none: all questions",
    )

    @model_validator(mode="before")
    @classmethod
    def _paths_are_sources(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("sources"), (list, tuple, str)):
            sources = value["sources"]
            listed = [sources] if isinstance(sources, str) else sources
            value = {**value, "sources": [{"path": s} if isinstance(s, str) else s for s in listed]}
        return value

    @property
    def label(self) -> str:
        """The exam's name: `name`, else the name of its file without characters that a folder
        name should not have.
        """
        return self.name or re.sub(r"[^A-Za-z0-9_-]+", "-", Path(self.path).stem).strip("-")


class EvaluateSettings(BaseModel):
    """Which questions evaluate the model, and which systems answer them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: str | None = Field(
        None, description="JSON Lines of Question records, or an ID,Question CSV; never trained on"
    )
    key: str | None = Field(None, description="JSON Lines of Key records for these questions")
    heldout: bool = Field(
        False, description="also ask the generated questions about the held-out documents"
    )
    systems: tuple[System, ...] = Field(
        ("base", "base-rag", "trained-rag"),
        description="systems to compare; those with `-rag` read the index, the others no documents",
    )
    deadline: bool = Field(
        False,
        description="answer the evaluation questions under `answer.budget_minutes`; false: without "
        "a time limit, so that every system is asked under the same plan and the paired tests hold",
    )
    submission: str | None = Field(
        None,
        description="an ID,Question CSV that `trained-rag` answers as submission.csv; with "
        "`ask_only`, `base-rag`",
    )
    exam: tuple[ExamSettings, ...] = Field(
        (),
        description="exams to measure on: a file, or a list of files or of {path, name, sources}",
    )

    @field_validator("exam", mode="before")
    @classmethod
    def _files_are_exams(cls, value: object) -> object:
        if value is None:
            return ()
        listed = [value] if isinstance(value, (str, dict)) else value
        if not isinstance(listed, (list, tuple)):
            return value
        return [{"path": item} if isinstance(item, str) else item for item in listed]

    @model_validator(mode="after")
    def _exams_have_names(self) -> EvaluateSettings:
        names = [exam.label for exam in self.exam]
        for name in names:
            if not name:
                raise ValueError("an exam's file name has no Latin letter: give it a `name`")
            if names.count(name) > 1:
                raise ValueError(f"two exams are named `{name}`: give each its own `name`")
        return self

    twins: bool = Field(
        False,
        description="also answer the held-out twins from their evidence, with the model of each "
        "system that has `-rag`",
    )
    evidence: tuple[EvidenceKind, ...] = Field(
        (),
        description="kinds of evidence that base and trained model are given, to measure "
        "abstention: the gold passages, as retrieved, gold without the deciding line, none, or "
        "gold with the deciding figure or party changed",
    )
    evidence_questions: int | None = Field(
        None,
        ge=1,
        description="questions asked under each kind of evidence, drawn by seed; none: all whose "
        "key names an article",
    )

    @field_validator("evidence", mode="before")
    @classmethod
    def _one_kind_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_questions(self) -> EvaluateSettings:
        if self.evidence and not (self.key or self.heldout):
            raise ValueError(
                "`evidence` needs questions whose gold articles are known: set `heldout: true`, or "
                "name `questions` and `key`"
            )
        if len(set(self.evidence)) != len(self.evidence):
            raise ValueError("`evidence` names a kind twice")
        if self.key and not self.questions:
            raise ValueError("`key` is set, but `questions` is not: name the question file too")
        return self


class SweepSettings(BaseModel):
    """The keys that `kofinlaw sweep` varies; an ordinary run ignores it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    over: tuple[str, ...] = Field(
        (), description="axes: KEY=a,b,c, or KEY,KEY=a:x,b:y for keys that change together"
    )
    until: str | None = Field(None, description="last stage of each point; none: all stages")


class Recipe(BaseModel):
    """Everything that a run depends on.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="name of the run's folder: runs/<name>"
    )
    description: str = Field("", description="what the recipe does, in one line")
    policy: PolicyName = Field(
        "open", description="the policy that models and documents must satisfy"
    )
    offline: bool = Field(True, description="refuse every connection to another machine")
    seed: int = Field(42, ge=0, lt=2**31, description="seed of every random choice")
    cluster: str = Field(
        "local",
        description="where examples, documents and the index are worked on: `local` (this "
        "process), `local:4` (four processes), `auto` (Ray on this machine) or `ray://HOST:10001`; "
        "the files are the same",
    )
    ask_only: bool = Field(
        False,
        description="train nothing: build the index, and let the base model answer from it",
    )
    model: ModelSettings = Field(description="the model that is trained and that answers")
    data: DataSettings | None = Field(
        None, description="the documents and how to split them; none if only `examples` are used"
    )
    examples: str | None = Field(
        None,
        description="ready training examples (JSON Lines of `messages`, `prompt` + `completion`, "
        "or `text`) that replace the generated ones",
    )
    augment: AugmentSettings = Field(
        default_factory=AugmentSettings,
        description="how training examples are generated from the chunks",
    )
    train: TrainSettings = Field(
        default_factory=TrainSettings, description="how the adapter is trained"
    )
    merge: MergeSettings = Field(
        default_factory=MergeSettings, description="how the adapter is merged"
    )
    verify: VerifySettings = Field(
        default_factory=VerifySettings,
        description="how the merged model is compared with base + adapter",
    )
    export: ExportSettings = Field(
        default_factory=ExportSettings, description="formats to export to"
    )
    retriever: RetrieverSettings = Field(
        default_factory=RetrieverSettings,
        description="how `kofinlaw fit-retriever` trains an embedder on the documents",
    )
    rag: RagSettings = Field(default_factory=RagSettings, description="index and retrieval")
    answer: AnswerSettings = Field(
        default_factory=AnswerSettings, description="how questions are answered, and the deadline"
    )
    evaluate: EvaluateSettings = Field(
        default_factory=EvaluateSettings,
        description="questions that evaluate the model, and the systems to compare",
    )
    score: ScoreSettings = Field(
        default_factory=ScoreSettings, description="how answers are scored"
    )
    trace: TraceSettings | None = Field(
        None, description="where the calls of answering are traced to; none: no traces"
    )
    sweep: SweepSettings = Field(
        default_factory=SweepSettings, description="what `kofinlaw sweep` varies"
    )
    study: StudySettings = Field(
        default_factory=StudySettings, description="what `kofinlaw study` compares"
    )

    @field_validator("cluster")
    @classmethod
    def _cluster_is_known(cls, value: str) -> str:
        parse_cluster(value)
        return value

    @field_validator("description", mode="before")
    @classmethod
    def _one_line(cls, value: object) -> object:
        return " ".join(value.split()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _stages_fit(self) -> Recipe:
        if self.data is None:
            self._without_documents()
        if self.examples is not None and self.evaluate.heldout:
            raise ValueError(
                "`evaluate.heldout` needs examples that are generated from documents, but "
                "`examples` are ready: name `evaluate.questions` instead"
            )
        if self.evaluate.twins and (self.examples is not None or not self.augment.holdout_items):
            raise ValueError(
                "`evaluate.twins` answers pairs of held-out questions: set "
                "`augment.holdout_documents` and `augment.holdout_items`, or remove it"
            )
        if self.evaluate.heldout and not self.augment.holds_out:
            raise ValueError(
                "`evaluate.heldout` asks for held-out questions, but `augment.holdout_documents` "
                "names no document to hold out: name documents, or set `augment.holdout_share: 0.2`"
            )
        self._without_training()
        for exam in self.evaluate.exam:
            searching = [name.endswith("-rag") for name in exam.systems]
            if self.answer.fits_voters and self.data is None and exam.sources and any(searching):
                raise ValueError(
                    f"the exam `{exam.label}` searches its own `sources`, but `answer.voters: fit` "
                    "is fitted with the recipe's documents, and there are none: name "
                    "`data.sources`, or write the weights into `answer.voters`"
                )
            if all(searching) and self.data is None and not exam.sources:
                raise ValueError(
                    f"the exam `{exam.label}` is answered from documents only, but there are none: "
                    "name its `sources`, or add `base` or `trained` to its `systems`"
                )
        if self.train.quantization == "int8" and self.merge.base != "original":
            raise ValueError(
                "`train.quantization: int8` can only merge into the 16-bit weights: set "
                "`merge.base: original`"
            )
        if not self.ask_only and self.answer.answer_form != self.augment.answer_form:
            raise ValueError(
                f"`augment.answer_form` is {self.augment.answer_form} but `answer.answer_form` is "
                f"{self.answer.answer_form}: set both to the form that the model is trained on"
            )
        trained, asked = self.train.contrast.form, self.answer.contrast_form
        by_contrast = self.train.objective != "text" and self.answer.choose_by == "contrast"
        if not self.ask_only and by_contrast and trained != asked:
            raise ValueError(
                f"`train.contrast.form` is {trained} but `answer.contrast_form` is {asked}: set "
                "both to the form in which the model is asked"
            )
        return self

    def _without_training(self) -> None:
        """Check that a recipe that only asks names nothing that a trained model would do."""
        if not self.ask_only:
            return
        if self.data is None:
            raise ValueError("`ask_only` answers from documents: name them in `data.sources`")
        if self.export.formats:
            raise ValueError(
                "`export.formats` exports the trained model, but `ask_only` trains none: remove "
                "one of them"
            )
        asked = list(self.evaluate.systems) if self.asks else []
        asked += [system for exam in self.evaluate.exam for system in exam.systems]
        if any(system.startswith("trained") for system in asked):
            raise ValueError(
                "`ask_only` trains no model: set `systems: [base, base-rag]` in `evaluate` and in "
                "each of its exams"
            )

    def _without_documents(self) -> None:
        if self.examples is None:
            raise ValueError("`data.sources` is required, unless ready `examples` are named")
        reading = [name for name in self.evaluate.systems if name.endswith("-rag")]
        if self.evaluate.questions and reading:
            raise ValueError(
                f"`{reading[0]}` reads documents, but the recipe has no `data`: set "
                "`evaluate.systems: [base, trained]`"
            )
        if self.evaluate.evidence:
            raise ValueError(
                "`evaluate.evidence` needs documents: name them in `data.sources`, or remove it"
            )
        if self.evaluate.submission:
            raise ValueError(
                "`evaluate.submission` is answered from documents: name them in `data.sources`"
            )

    @property
    def asks(self) -> bool:
        """Whether the run answers questions to evaluate the model; exams do not count."""
        return bool(self.evaluate.questions or self.evaluate.heldout or self.evaluate.twins)

    @property
    def tested(self) -> bool:
        """Whether the run measures its answers at all, with questions or exams."""
        return self.asks or bool(self.evaluate.exam)

    @property
    def makes_examples(self) -> bool:
        """Whether the run generates or takes examples: to train, to test, or to fit voters."""
        tests = self.evaluate.heldout or self.evaluate.twins
        return not self.ask_only or tests or self.answer.fits_voters

    @property
    def sources(self) -> tuple[SourceSettings, ...]:
        """The folders and files of documents; none if the recipe has only ready examples."""
        return self.data.sources if self.data else ()


def load_recipe(name: str, overrides: Sequence[str] = ()) -> tuple[Recipe, RecipeFile]:
    """Read a recipe, apply the overrides (`key=value`) and check it.

    Args:
        name: A recipe file, or the name of a shipped recipe.
        overrides: Values that replace those of the file, as `--set` on the command line.

    Returns the checked recipe, and the file with the origin of each value. Raises UserError that
    lists every mistake with file, line and the nearest valid name.
    """
    recipe_file = read_recipe_file(find_recipe(name), overrides)
    return check_recipe(recipe_file), recipe_file


def check_recipe(recipe_file: RecipeFile) -> Recipe:
    """Return the recipe of a file. Raises UserError that lists every mistake with its line."""
    try:
        return Recipe.model_validate(recipe_file.values)
    except ValidationError as error:
        raise UserError(describe_errors(error, recipe_file)) from None


def describe_errors(error: ValidationError, recipe_file: RecipeFile) -> str:
    """Return all errors of pydantic as lines with file, line and remedy,
    in the order of the file.
    """
    lines = []
    for mistake in error.errors():
        loc = [str(part) for part in mistake["loc"] if not str(part).startswith("function-")]
        dotted = ".".join(loc)
        where = recipe_file.origin(dotted) if dotted else str(recipe_file.path.name)
        lines.append((_line_number(where), f"{where}: {_explained(mistake, loc)}"))
    lines.sort(key=lambda item: item[0])
    count = f"{len(lines)} mistakes" if len(lines) > 1 else "1 mistake"
    return f"{count} in {recipe_file.path.name}\n" + "\n".join(f"  {text}" for _, text in lines)


def _line_number(where: str) -> int:
    tail = where.rpartition(":")[2]
    return int(tail) if tail.isdigit() else 0


def _explained(mistake: ErrorDetails, loc: list[str]) -> str:
    dotted = ".".join(loc)
    if mistake["type"] == "extra_forbidden":
        names = field_names(loc[:-1])
        near = difflib.get_close_matches(loc[-1], names, 1, cutoff=0.5)
        section = ".".join(loc[:-1]) or "the recipe"
        hint = (
            f"did you mean `{near[0]}`?" if near else f"{section} has: {', '.join(sorted(names))}"
        )
        return f"unknown key `{dotted}`; {hint}"
    if mistake["type"] == "missing":
        return f"`{dotted}` is required"
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"].startswith("date_"):
        message = "not a day; write it as 2026-01-01"
    if not dotted:
        return message
    given = mistake.get("input")
    shown = f" (given: {given!r})" if isinstance(given, (str, int, float, bool)) else ""
    return f"`{dotted}`: {message[:1].lower()}{message[1:]}{shown}"


def field_names(loc: Sequence[str]) -> list[str]:
    """Return the keys that the section at `loc` may have; empty if there is no such section."""
    current: type[BaseModel] | None = Recipe
    for part in loc:
        if part.isdigit():
            continue
        if current is None or part not in current.model_fields:
            return []
        current = _model_in(current.model_fields[part].annotation)
    return list(current.model_fields) if current else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the settings model in an annotation such as `DataSettings | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in typing.get_args(annotation):
        found = _model_in(inner)
        if found:
            return found
    return None


def resolved_yaml(recipe: Recipe) -> str:
    """Return the recipe with every default filled in, as YAML."""
    import yaml

    return yaml.safe_dump(recipe.model_dump(mode="json"), allow_unicode=True, sort_keys=False)


def leaves(values: object, prefix: str = "") -> list[tuple[str, object]]:
    """Return the dotted key and value of every value that is not a section."""
    if isinstance(values, dict) and values:
        found = []
        for key, value in values.items():
            found += leaves(value, f"{prefix}.{key}" if prefix else key)
        return found
    return [(prefix, values)]


def origin_of(recipe_file: RecipeFile, dotted: str) -> str:
    """Return the origin of one key of the resolved recipe: `default`,
    `file:line` or `--set key`.
    """
    current: object = recipe_file.values
    for part in dotted.split("."):
        if not isinstance(current, dict) or part not in current:
            return "default"
        current = current[part]
    return recipe_file.origin(dotted)


def json_schema() -> dict[str, object]:
    """Return JSON Schema of a recipe, for editors."""
    return Recipe.model_json_schema()
