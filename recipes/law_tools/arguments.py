"""Define the arguments of each tool, with their limits. Their JSON schemas are what clients see."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from kofinlaw.decoding import clean_text

__all__ = [
    "MOST_CHARACTERS",
    "MOST_FOUND",
    "CompareVersions",
    "GetArticle",
    "SearchLaw",
    "ToolArguments",
    "VerifyCitations",
]

MOST_FOUND = 50  # passages of one search, over all its pages
MOST_CHARACTERS = 100_000  # of a text whose references are verified
_DAY = "ISO day, for example 2025-07-31; empty: "


class ToolArguments(BaseModel):
    """Arguments in clean text. Raises pydantic's ValidationError for an unknown or wrong one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _clean(cls, value: object, info: ValidationInfo) -> object:
        # The offsets of references are those of the text as it was given.
        given = info.field_name == "text" or not isinstance(value, str)
        return value if given else clean_text(str(value)).strip()


class SearchLaw(ToolArguments):
    """Arguments of `search_law`."""

    query: str = Field(
        min_length=1, max_length=2000, description="question or words to search, in Korean"
    )
    as_of: str = Field(
        "", max_length=20, description=_DAY + "the law that is in force today (or the run's day)"
    )
    limit: int = Field(5, ge=1, le=20, description="passages in this page")
    offset: int = Field(
        0, ge=0, lt=MOST_FOUND, description="passages to skip: `next_offset` of the page before"
    )
    max_characters: int = Field(
        1500, ge=100, le=8000, description="characters of each passage that are shown"
    )


class GetArticle(ToolArguments):
    """Arguments of `get_article`."""

    unit: str = Field(
        min_length=1,
        max_length=300,
        description="`전자금융거래법 제9조`, `은행업감독규정 별표 3`, or a `unit` that "
        "search_law returned",
    )
    as_of: str = Field("", max_length=20, description=_DAY + "the text of today (or the run's day)")
    offset: int = Field(0, ge=0, description="characters to skip: `next_offset` of the page before")
    max_characters: int = Field(8000, ge=200, le=20_000, description="characters in this page")


class VerifyCitations(ToolArguments):
    """Arguments of `verify_citations`."""

    text: str = Field(
        min_length=1,
        max_length=MOST_CHARACTERS,
        description="text whose references to acts, articles, annexes and decisions are checked",
    )
    as_of: str = Field(
        "", max_length=20, description=_DAY + "the day that the text names, else the newest law"
    )
    act: str = Field(
        "", max_length=200, description="act that references without an act belong to (이 법)"
    )
    limit: int = Field(50, ge=1, le=200, description="references in this page")
    offset: int = Field(0, ge=0, description="references to skip: `next_offset` of the page before")


class CompareVersions(ToolArguments):
    """Arguments of `compare_versions`."""

    act: str = Field(
        min_length=1, max_length=200, description="title of the act, rule or regulation"
    )
    before: str = Field(min_length=1, max_length=20, description="earlier ISO day")
    after: str = Field(min_length=1, max_length=20, description="later ISO day")
    limit: int = Field(10, ge=1, le=50, description="changed articles in this page")
    offset: int = Field(0, ge=0, description="changes to skip: `next_offset` of the page before")
    max_characters: int = Field(
        3000, ge=200, le=20_000, description="characters of each change that are shown"
    )
