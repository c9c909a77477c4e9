"""Define what each tool returns. The JSON schemas are what clients see."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ArticleText",
    "Change",
    "Comparison",
    "Found",
    "Passage",
    "Period",
    "Reference",
    "Verdicts",
]

_NEXT = "`offset` of the next page; null: this is the last one"
_FROM = "ISO day from which this text is in force; empty if the corpus knows one version only"
_TO = "ISO day on which another text replaced it; empty if none did"


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Period(_Result):
    """A text of a unit and when it was in force."""

    since: str = Field(description=_FROM)
    until: str = Field(description=_TO)
    document_day: str = Field(description="ISO day of the document that holds the text")


class Passage(_Result):
    """A passage that a search found."""

    unit: str = Field(description="what to cite, and what get_article takes")
    title: str
    kind: str
    text: str
    truncated: bool = Field(description="whether the text is cut: get_article has all of it")
    since: str = Field(description=_FROM)
    until: str = Field(description=_TO)
    document_day: str
    pages: str
    score: float = Field(description="fused score, comparable within this search only")


class Found(_Result):
    """The passages of a search."""

    query: str
    as_of: str = Field(description="the day whose law was searched; empty: today's")
    found: int = Field(description="passages over all pages, at most 50")
    passages: tuple[Passage, ...]
    next_offset: int | None = Field(description=_NEXT)
    notes: tuple[str, ...] = Field(description="what a reader has to know about this search")


class ArticleText(_Result):
    """The text of an article or annex on a day."""

    unit: str
    title: str
    kind: str
    as_of: str = Field(description="the day that was asked for; empty: today")
    since: str = Field(description=_FROM)
    until: str = Field(description=_TO)
    document_day: str
    text: str
    characters: int = Field(description="length of the whole text")
    next_offset: int | None = Field(description=_NEXT)
    versions: tuple[Period, ...] = Field(description="all texts of this unit that the corpus has")
    notes: tuple[str, ...]


class Reference(_Result):
    """A reference of the text, with its verdict."""

    text: str
    start: int = Field(description="character offset in the text as it was given")
    end: int
    target: str = Field(description="unit that it points to")
    provision: str = Field(description="path inside the unit (제1항제2호), or empty")
    verdict: Literal["holds", "differs", "not_in_force", "repealed", "absent", "unknown"]
    basis: Literal["words", "existence", ""] = Field(
        description="what a reference that holds was compared with"
    )
    title: str = Field(description="the verdict in words")
    message: str
    right: str = Field(description="the right heading or words, where the corpus has them")
    since: str
    until: str
    day: str = Field(description="ISO day that was checked; empty: the newest text")


class Verdicts(_Result):
    """The verdicts on the references of a text."""

    references: tuple[Reference, ...]
    found: int = Field(description="references over all pages")
    failed: int = Field(description="references over all pages that the corpus refutes")
    counts: dict[str, int] = Field(description="references over all pages, by verdict")
    next_offset: int | None = Field(description=_NEXT)


class Change(_Result):
    """How an article or annex differs between two days."""

    unit: str
    change: Literal["added", "amended", "removed"]
    effective: str = Field(description="ISO day of the latest change between the two, if known")
    lines: str = Field(description="removed lines begin with `- `, added lines with `+ `")
    truncated: bool


class Comparison(_Result):
    """What changed in an act between two days."""

    act: str
    before: str
    after: str
    counts: dict[str, int] = Field(description="articles and annexes by change, and `same`")
    changes: tuple[Change, ...]
    next_offset: int | None = Field(description=_NEXT)
    known_days: tuple[str, ...] = Field(description="days on which a text of the act took effect")
    notes: tuple[str, ...]
