"""The records that pass between rooms, one JSON object a line.

Every field is present on every line with one type, so that
`datasets.load_dataset("json", data_files=…)` reads a file without hints.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Kind = Literal["statute", "rule", "guideline", "case", "manual", "other"]
Message = dict[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that can be retrieved and cited.

    `id` is the document id and the structural path (`전자금융거래법/제9조`, a part of a
    split article `전자금융거래법/제9조/제1항`); `unit` is what a reader would cite
    (`전자금융거래법 제9조`; outside statutes `title > heading > heading`): all parts of an
    article share it.
    `text` opens with the act's name and the article's header. `as_of` and dates are ISO days: the
    document's. Where the corpus knows several versions of an act, `since` is the day on which this
    very text came into force and `until` the day on which another took its place (empty: none
    did); of a single version both are empty and `as_of` is what is known. A text of an earlier
    version bears the version's day in its ids (`전자금융거래법@2022-06-10/제9조`), not in its unit.
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


@dataclass(frozen=True, slots=True)
class Provision:
    """A node of an article's tree: 항 paragraph, 호 item or 목 subitem.

    `label` is the path below the article (`제1항`, `제1항제2호`, `제1항제2호가목`); `text` is
    the node's own text without its mark and without its children's.
    """

    label: str
    text: str
    children: tuple[Provision, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """One 조 with its structure. `id` equals the chunks' `unit` (`전자금융거래법 제9조`).

    `text` is the whole body without header and amendment tags; `provisions` is its tree (a body
    without 항 has its 호 directly, and its opening words in `lead`).
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


@dataclass(frozen=True, slots=True)
class Example:
    """A training example. `provenance` always has the same keys: chunks (list of ids), generator,
    version, teacher, teacher_revision, teacher_license, prompt_sha256, seed."""

    id: str
    task: str
    messages: list[Message]
    answer_key: str
    provenance: dict[str, Any]
    checks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that left the path: `record` is the record as JSON text, `reason` a short code."""

    id: str
    stage: str
    reason: str
    detail: str
    record: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question to answer. `question` is the stem alone; `options` are texts without their marks,
    empty for free text. Labels are "1".."9" by position. `as_of` is the ISO day whose law is asked
    for, empty where the question names none."""

    id: str
    question: str
    options: tuple[str, ...] = ()
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What is right, kept in another file than the question so that no runner reads it.

    `answer` is the label of a multiple choice; `reference` and `keywords` belong to free text;
    `units` are the gold articles; `slices` name what the item tests (negative, numeric, …).
    """

    id: str
    answer: str = ""
    reference: str = ""
    keywords: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its evidence (chunk ids, best first), a confidence in 0..1 and tokens used.

    `origin` is `model`, or `fallback` where the text is not the model's."""

    id: str
    answer: str
    evidence: tuple[str, ...]
    confidence: float
    tokens: int
    origin: str = "model"


def to_json(record: Any) -> dict[str, Any]:
    """The record as plain JSON values (tuples become lists)."""
    return dataclasses.asdict(record)


def provision_from_json(value: dict[str, Any]) -> Provision:
    """The inverse of `to_json` for a provision tree."""
    children = tuple(provision_from_json(child) for child in value["children"])
    return Provision(value["label"], value["text"], children)


def from_json(record_type: type[T], value: dict[str, Any]) -> T:
    """Build a record from JSON values.

    Raises TypeError for a missing or unknown field; lists become tuples where the field is one.
    """
    out: dict[str, Any] = {}
    names = {f.name: f for f in dataclasses.fields(record_type)}  # type: ignore[arg-type]
    for name, item in value.items():
        if name == "provisions":
            out[name] = tuple(provision_from_json(child) for child in item)
        elif isinstance(item, list) and name in names and str(names[name].type).startswith("tuple"):
            out[name] = tuple(item)
        else:
            out[name] = item
    return record_type(**out)
