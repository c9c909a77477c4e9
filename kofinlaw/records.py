"""Define the records that the packages exchange: one JSON object a line in JSON Lines files.

Every line has every field, always with the same type. Therefore
`datasets.load_dataset("json", data_files=…)` reads the files without type hints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, TypeVar

from kofinlaw.errors import UserError, machine_error

__all__ = [
    "Answer",
    "Article",
    "Choice",
    "Chunk",
    "Example",
    "Key",
    "Kind",
    "Message",
    "Provenance",
    "Provision",
    "Question",
    "Rejected",
    "T",
    "TwinQuestion",
    "from_json",
    "no_choice",
    "provision_from_json",
    "record_fault",
    "to_json",
    "until_fault",
]

Kind = Literal["statute", "rule", "guideline", "case", "manual", "other"]
Message = dict[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that can be retrieved and cited.

    - `id` is the document id and the structural path: `전자금융거래법/제9조`, or
      `전자금융거래법/제9조/제1항` for a part of a split article.
    - `unit` is what a reader would cite: `전자금융거래법 제9조`, and outside statutes
      `title > heading > heading`. All parts of an article have the same unit.
    - `text` starts with the act's name and the article's header.
    - `as_of` is the ISO day of the document.
    - `since` and `until` are ISO days. They are set if the corpus knows several versions of the
      act: `since` is the day on which this text came into force, `until` the day on which another
      text replaced it (empty if none did). With a single version both are empty, and `as_of` is
      the only known day.
    - `pages` are the pages of the file on which the text begins and ends (`3` or `3-4`); empty for
      a file without pages.
    - `ocr` is set if a page of the text was read by OCR: the lowest of their mean confidences, 0
      to 1, as text (`0.93`).

    The ids of an earlier version contain the version's day
    (`전자금융거래법@2022-06-10/제9조`); its unit does not.
    """

    id: str
    document_id: str
    title: str
    kind: Kind
    path: str
    unit: str
    text: str
    as_of: str
    source: str
    license: str
    sha256: str
    since: str = ""
    until: str = ""
    pages: str = ""
    ocr: str = ""


@dataclass(frozen=True, slots=True)
class Provision:
    """A node in the tree of an article: a 항 (paragraph), 호 (item) or 목 (subitem).

    `label` is the path below the article (`제1항`, `제1항제2호`, `제1항제2호가목`). `text` is the
    node's own text without its mark and without the text of its children.
    """

    label: str
    text: str
    children: tuple[Provision, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """One 조 with its structure. `id` equals the `unit` of its chunks (`전자금융거래법 제9조`).

    `text` is the whole body without header and amendment tags. `provisions` is its tree. A body
    without 항 has its 호 at the top level, and its opening words in `lead`.
    """

    id: str
    document_id: str
    title: str
    kind: Kind
    number: str
    heading: str
    path: str
    lead: str
    text: str
    provisions: tuple[Provision, ...]
    deleted: bool
    as_of: str
    source: str
    license: str
    chunk_ids: tuple[str, ...]


class Provenance(TypedDict):
    """Where a training example comes from: ids of its chunks, its generator and its teacher.

    The fields of the teacher are empty for an example that a rule made.
    """

    chunks: list[str]
    generator: str
    version: str
    teacher: str
    teacher_revision: str
    teacher_license: str
    prompt_sha256: str
    seed: int


class Choice(TypedDict):
    """The parts of a multiple-choice example, for training that compares its options.

    - `question` is the stem as shown, `options` are texts without marks, `evidence` the passages
      as shown.
    - `answer` is the index of the right option from 0. It is -1 if the example is not a choice.
    - `negative` says that the stem asks for the option that is not so.
    - `twin` is the id of the example with the opposite deciding fact, or empty.
    """

    question: str
    options: list[str]
    evidence: list[str]
    answer: int
    negative: bool
    twin: str


def no_choice() -> Choice:
    """Return the parts of an example that is not a multiple-choice question."""
    return Choice(question="", options=[], evidence=[], answer=-1, negative=False, twin="")


@dataclass(frozen=True, slots=True)
class Example:
    """A training example with its provenance and the checks that it passed.

    `choice` holds the parts of a multiple-choice example; other examples have an empty one.
    """

    id: str
    task: str
    messages: list[Message]
    answer_key: str
    provenance: Provenance
    checks: list[dict[str, object]] = field(default_factory=list)
    choice: Choice = field(default_factory=no_choice)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected record: `record` is its JSON text, `reason` a short code, `detail` a sentence."""

    id: str
    stage: str
    reason: str
    detail: str
    record: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question to answer.

    `question` is the stem alone. `options` are texts without their marks; they are empty for a
    free-text question. The labels of the options are "1" to "9" by position. `as_of` is the ISO
    day whose law the question is about, or empty if the question names none.
    """

    id: str
    question: str
    options: tuple[str, ...] = ()
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class TwinQuestion:
    """A question with the evidence to answer it from, one of a pair (`heldout_twins.jsonl`).

    Its twin has the same stem and the same options, but another fact in the evidence and another
    answer: only a reader of the evidence is right on both.

    - `question` is the stem, `options` are texts without marks, `evidence` the texts to show.
    - `answer` is the label of the right option ("1" to "5"), `twin` the id of the other question.
    """

    id: str
    question: str
    options: tuple[str, ...]
    evidence: tuple[str, ...]
    answer: str
    negative: bool
    twin: str


@dataclass(frozen=True, slots=True)
class Key:
    """The correct answer of a question. It is stored in another file, which no runner reads.

    `answer` is the label of a multiple-choice answer, or several with commas (`1,3`): any one of
    them counts as right. `reference` and `keywords` belong to free text. `units` are the gold
    articles. `slices` name what the item tests (negative, numeric, …).
    """

    id: str
    answer: str = ""
    reference: str = ""
    keywords: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all right options, in order; empty for free text."""
        return tuple(label for label in self.answer.split(",") if label)

    @property
    def indices(self) -> tuple[int, ...]:
        """The right options, counted from 0."""
        return tuple(int(label) - 1 for label in self.labels)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its evidence.

    `evidence` are chunk ids, best first. `confidence` is between 0 and 1, `tokens` counts the
    tokens used. `origin` is `model`; `quotation` if the text is a sentence of the evidence that was
    chosen; `abstention` if the question is refused; `fallback` if none of these was possible, or
    the model's text was unusable. `quoted` is the id of the chunk that such a sentence is from.
    """

    id: str
    answer: str
    evidence: tuple[str, ...]
    confidence: float
    tokens: int
    origin: str = "model"
    quoted: str = ""


_MOST_DETAIL = 300  # characters


def record_fault(error: Exception, where: str = "") -> str:
    """Return in one line why a record or a file is rejected, of at most 300 characters.

    Every step that handles records one by one catches Exception and asks this function. So one bad
    record is a line of `rejected.jsonl`, in whatever step it fails. `where` names the record.

    Raises MachineError if the error is not about the record: too little memory, no space on the
    disk, too many open files.
    """
    explained = machine_error(error, where)
    if explained is not None and explained.everywhere:
        raise explained from error
    known = explained or error
    if isinstance(known, UserError):
        text = " → ".join(filter(None, [known.message, known.remedy]))
    elif isinstance(error, RecursionError):
        text = "it is nested too deeply"
    else:
        text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:_MOST_DETAIL]


def until_fault(items: Iterable[T], report: Callable[[str], None]) -> Iterator[T]:
    """Yield the items of a generator until it fails; `report` then gets the reason.

    A generator cannot continue after an error. Raises as `record_fault` does.
    """
    source = iter(items)
    while True:
        try:
            item = next(source)
        except StopIteration:
            return
        except Exception as error:
            report(record_fault(error))
            return
        yield item


def to_json(record: object) -> dict[str, Any]:
    """Return the record as JSON values; tuples become lists.

    Raises TypeError if the record is not a dataclass.
    """
    if not dataclasses.is_dataclass(record) or isinstance(record, type):
        raise TypeError(f"a record must be a dataclass, not {type(record).__name__}")
    return dataclasses.asdict(record)


def provision_from_json(value: Mapping[str, Any]) -> Provision:
    """Return the inverse of `to_json` for a tree of provisions."""
    children = tuple(provision_from_json(child) for child in value["children"])
    return Provision(value["label"], value["text"], children)


def from_json(record_type: type[T], value: Mapping[str, Any]) -> T:
    """Build a record from JSON values; lists become tuples where the field is a tuple.

    Raises TypeError for a missing or unknown field.
    """
    out: dict[str, object] = {}
    names = {f.name: f for f in dataclasses.fields(record_type)}  # type: ignore[arg-type]
    for name, item in value.items():
        if name == "provisions":
            out[name] = tuple(provision_from_json(child) for child in item)
        elif isinstance(item, list) and name in names and str(names[name].type).startswith("tuple"):
            out[name] = tuple(item)
        else:
            out[name] = item
    return record_type(**out)
