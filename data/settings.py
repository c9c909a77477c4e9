"""Define the settings of the recipe's `data` section."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kofinlaw.records import Kind

__all__ = [
    "READABLE",
    "ChunkSettings",
    "DataSettings",
    "DuplicateSettings",
    "Encoding",
    "LimitSettings",
    "QualitySettings",
    "SourceSettings",
]

Encoding = Literal["auto", "utf-8", "cp949", "utf-16"]
# The patterns of the files that `readers.formats.READERS` can read.
READABLE = (
    "*.md",
    "*.markdown",
    "*.txt",
    "*.html",
    "*.htm",
    "*.pdf",
    "*.doc",
    "*.docx",
    "*.pptx",
    "*.xlsx",
    "*.xlsm",
    "*.odt",
    "*.rtf",
    "*.hwpx",
    "*.hwp",
    "*.png",
    "*.jpg",
    "*.jpeg",
    "*.tif",
    "*.tiff",
    "*.bmp",
    "*.xml",
    "*.json",
    "*.jsonl",
    "*.jsonl.xz",
    "*.csv",
    "*.tsv",
    "*.parquet",
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceSettings(_Section):
    """A file or folder of documents. In a recipe, a plain string is its path.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    path: str = Field(..., min_length=1, description="file or folder, relative to the recipe")
    kind: Kind | None = Field(
        default=None,
        description="kind of every document here; none: by front matter and structure",
    )
    license: str = Field(
        default="",
        description="licence of the texts (`Apache-2.0`, `KOGL-1`, …); empty: as the texts state",
    )
    title: str = Field(
        default="",
        description="title of the document, if the source is a single file",
    )
    include: tuple[str, ...] = Field(
        default=READABLE, min_length=1, description="patterns of file names to read in a folder"
    )
    follow_links: bool = Field(
        default=False, description="whether links to files outside of the folder are read"
    )
    as_of: datetime.date | None = Field(
        default=None, description="date of texts that do not state a date"
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="for CSV, XLSX, JSONL and Parquet: column names of `text`, `title`, `date` …",
    )
    encoding: Encoding = Field(default="auto", description="encoding of text files; auto: detected")


class ChunkSettings(_Section):
    """How documents are split into chunks."""

    max_tokens: int = Field(
        default=1024, ge=64, le=32768, description="longest chunk in tokens, including its header"
    )
    max_tokens_by_kind: dict[Kind, int] = Field(
        default_factory=dict,
        description="limit in tokens by kind of document, instead of max_tokens",
    )
    max_row_tokens: int = Field(
        default=200,
        ge=0,
        le=32768,
        description="longest chunk of rows of an annex's table, each below the table's header; "
        "0: tables are split as text is",
    )
    include_annexes: bool = Field(default=True, description="whether annexes (별표) become chunks")
    include_supplements: bool = Field(
        default=False, description="whether supplementary provisions (부칙) become chunks"
    )

    @field_validator("max_tokens_by_kind")
    @classmethod
    def _long_enough(cls, value: dict[Kind, int]) -> dict[Kind, int]:
        short = {kind: limit for kind, limit in value.items() if limit < 64}
        if short:
            raise ValueError(f"a chunk needs at least 64 tokens: {short}")
        return value

    def limit(self, kind: Kind) -> int:
        """Return the longest chunk of a kind, in tokens."""
        return self.max_tokens_by_kind.get(kind, self.max_tokens)


class DuplicateSettings(_Section):
    """How near duplicates among chunks are found."""

    enabled: bool = Field(default=True, description="whether near duplicates are removed")
    threshold: float = Field(
        default=0.85,
        gt=0.0,
        le=1.0,
        description="two chunks with at least this Jaccard similarity of shingles are duplicates",
    )
    tokens: Literal["kiwi", "characters"] = Field(
        default="characters",
        description="shingles of Kiwi's content morphemes, or of characters (needs no dictionary)",
    )


class QualitySettings(_Section):
    """The quality that a chunk needs to be kept."""

    min_characters: int = Field(
        default=10,
        ge=0,
        description="shortest body in characters, without blanks and without the header",
    )
    min_hangul_share: float = Field(
        default=0.3, ge=0.0, le=1.0, description="smallest share of Hangul among letters, 0 to 1"
    )
    max_broken_share: float = Field(
        default=0.02, ge=0.0, le=1.0, description="largest share of broken characters, 0 to 1"
    )


class LimitSettings(_Section):
    """The limits above which a file is rejected."""

    file_mebibytes: int = Field(default=256, ge=1, description="largest file in MiB")
    expanded_mebibytes: int = Field(
        default=512,
        ge=1,
        description="largest unpacked size of an archive (DOCX, XLSX, HWPX, xz) in MiB",
    )
    pages: int = Field(
        default=5000, ge=1, description="largest number of pages of a PDF, or of slides"
    )
    ocr_pages: int = Field(
        default=1000,
        ge=0,
        description="largest number of pages of a file that are read by OCR; 0: no OCR",
    )
    ocr_confidence: float = Field(
        default=0.75,
        ge=0.0,
        le=1.0,
        description="a page that OCR reads with a lower mean confidence (0 to 1) is left out",
    )
    ocr_seconds: int = Field(default=120, ge=1, description="longest OCR of a page in seconds")
    cells: int = Field(
        default=1_000_000, ge=1, description="largest number of cells of a spreadsheet"
    )
    records: int = Field(
        default=1_000_000,
        ge=1,
        description="largest number of records of a table or JSONL file",
    )


class DataSettings(_Section):
    """The recipe's `data` section: which documents are read, and how they are split and cleaned.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    sources: tuple[SourceSettings, ...] = Field(
        default=..., min_length=1, description="files and folders of documents"
    )
    as_of: datetime.date | None = Field(
        default=None,
        description="read the law of this day, by git history or front matter; none: all texts",
    )
    history_from: datetime.date | None = Field(
        default=None,
        description="for a git clone: the first day whose law is also read, in addition to "
        "`as_of`; none: only the version of `as_of`",
    )
    allow_not_in_force: bool = Field(
        default=False,
        description="whether text that comes into force after `as_of` is also read",
    )
    chunks: ChunkSettings = Field(default=ChunkSettings(), description="how documents are split")
    personal_data: Literal["mask", "reject", "keep"] = Field(
        default="mask",
        description="mask personal data, reject the chunk, or keep it",
    )
    near_duplicates: DuplicateSettings = Field(
        default=DuplicateSettings(), description="near duplicates among chunks"
    )
    quality: QualitySettings = Field(
        default=QualitySettings(),
        description="the quality that a chunk needs to be kept",
    )
    protected: tuple[str, ...] = Field(
        default=(), description="files (JSONL, CSV, text) whose texts must not appear in the corpus"
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="former and short names of documents, each with its present title, in addition "
        "to those that the 부칙 of the documents name",
    )
    parquet: bool = Field(
        default=False, description="whether each JSONL file is also written as Parquet"
    )
    limits: LimitSettings = Field(default=LimitSettings(), description="limits of a file")
    workers: int = Field(default=1, ge=1, le=64, description="threads for morphological analysis")

    @model_validator(mode="before")
    @classmethod
    def _paths_are_sources(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("sources"), (list, tuple, str)):
            sources = value["sources"]
            listed = [sources] if isinstance(sources, str) else sources
            value = {**value, "sources": [{"path": s} if isinstance(s, str) else s for s in listed]}
        return value

    @model_validator(mode="after")
    def _history_ends(self) -> DataSettings:
        if self.history_from and (self.as_of is None or self.history_from > self.as_of):
            raise ValueError("history_from needs as_of, and must not be after as_of")
        return self

    @model_validator(mode="after")
    def _titles_belong_to_files(self) -> DataSettings:
        paths = [source.path for source in self.sources]
        twice = sorted({path for path in paths if paths.count(path) > 1})
        if twice:
            raise ValueError(f"the same source is listed twice: {', '.join(twice)}")
        return self
