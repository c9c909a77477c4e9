"""Write the data card of a corpus: what was read, kept and rejected, with reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.readers.paged.page_lines import page_range
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.files import write_json, write_text
from kofinlaw.texts import markdown_text

__all__ = ["ArticleCounts", "Lengths", "card_markdown", "corpus_card", "write_card"]

_EDGES = (0, 64, 128, 256, 512, 768, 1024, 2048, 4096)
_BANDS: list[tuple[int, int | None]] = list(zip(_EDGES, [*_EDGES[1:], None], strict=True))
_MAX_WARNINGS = 40
_MAX_UNREAD = 500
_MAX_OCR_PAGES = 40


class ArticleCounts(NamedTuple):
    """The number of articles that are valid and of those that are deleted."""

    valid: int
    deleted: int


class Lengths:
    """The lengths of chunks in tokens: total, longest, a histogram, and chunks per file."""

    def __init__(self) -> None:
        self.chunks = 0
        self.total = 0
        self.longest = 0
        self.histogram = {_band(low, high): 0 for low, high in _BANDS}
        self.per_file: Counter[tuple[str, str]] = Counter()

    def add(self, document_id: str, source: str, tokens: int) -> None:
        """Count a chunk of a document's file by its number of tokens."""
        self.chunks += 1
        self.total += tokens
        self.longest = max(self.longest, tokens)
        self.per_file[document_id, source] += 1
        low, high = next(band for band in reversed(_BANDS) if tokens >= band[0])
        self.histogram[_band(low, high)] += 1


def corpus_card(
    documents: Sequence[DocumentFacts],
    lengths: Lengths,
    articles: ArticleCounts,
    log: RejectLog,
    *,
    facts: Mapping[str, object],
    estimated: bool,
) -> dict[str, Any]:
    """Return the figures of the card as one JSON object.

    Args:
        documents: The documents of the corpus, with earlier versions.
        lengths: The lengths of its chunks.
        articles: The number of its articles.
        log: The reasons for rejects, and warnings.
        facts: More fields of the card.
        estimated: Whether the lengths are estimates.
    """
    dates = [d.as_of for d in documents if d.as_of]
    annexes = [part for d in documents for part in d.parts]
    return {
        "documents": len(documents),
        "annexes": len(annexes),
        "deleted_annexes": sum(bool(part.annex and part.annex.deleted) for part in annexes),
        "chunks": lengths.chunks,
        "articles": articles.valid,
        "deleted_articles": articles.deleted,
        "rejected": dict(sorted(log.reasons.items())),
        "kinds": dict(sorted(Counter(d.kind for d in documents).items())),
        "formats": dict(sorted(Counter(d.format for d in (*documents, *annexes)).items())),
        "licenses": dict(sorted(Counter(d.license for d in documents).items())),
        "oldest": min(dates, default=""),
        "newest": max(dates, default=""),
        "undated": sum(1 for d in documents if not d.as_of),
        "days_from": dict(sorted(Counter(_kind_of_origin(d) for d in documents).items())),
        "tokens": {
            "estimated": estimated,
            "total": lengths.total,
            "longest": lengths.longest,
            "histogram": lengths.histogram,
        },
        **facts,
        "files": log.files_found,
        "unread": [asdict(file) for file in log.unread],
        "warnings": log.warnings,
        "sources": [_source(facts, lengths) for d in documents for facts in (d, *d.parts)],
    }


def _source(facts: DocumentFacts, lengths: Lengths) -> dict[str, object]:
    """Return the row of a file: a document, or an annex of the document before it."""
    annex = facts.annex
    return {
        "title": f"{facts.title} {annex.title}" if annex else facts.title,
        "kind": facts.kind,
        "as_of": facts.as_of,
        "day_from": facts.day_from,
        "license": facts.license,
        "source": facts.source,
        "format": facts.format,
        "annex": annex.name if annex else "",
        "deleted": bool(annex and annex.deleted),
        "chunks": lengths.per_file.get((facts.id, facts.source), 0),
        "ocr": {str(page): confidence for page, confidence in facts.ocr},
    }


def _kind_of_origin(facts: DocumentFacts) -> str:
    """Return where a day was found, `unknown` for a document without one."""
    return facts.day_from or ("stated" if facts.as_of else "unknown")


def _band(low: int, high: int | None) -> str:
    """Return the label of a band of lengths, for example `64-127`."""
    return f"{low}-{high - 1}" if high is not None else f"{low}+"


def write_card(value: dict[str, Any], out: Path) -> None:
    """Write `card.json` and `card.md` into the folder of the corpus."""
    write_json(out / "card.json", value)
    write_text(out / "card.md", card_markdown(value))


def card_markdown(value: dict[str, Any]) -> str:
    """Return the card as Markdown, for people."""
    tokens = value["tokens"]
    guess = " (estimated: 0.6 a character)" if tokens["estimated"] else ""
    lines = [
        "# Corpus",
        "",
        f"{value['documents']} documents{_with_annexes(value)}, {value['articles']} articles, "
        f"{value['chunks']} chunks, "
        f"{tokens['total']:,} tokens{guess}; the longest chunk has {tokens['longest']}.",
        f"Texts of {value['oldest'] or 'no date'} to {value['newest'] or 'no date'}; "
        f"{value['undated']} have no date.",
        "",
        *_table("Kind", value["kinds"]),
        *_table("Licence", value["licenses"]),
        *_table("Format", value["formats"]),
        *_table("Day in force from", value["days_from"]),
        *_table("Tokens a chunk", {band: n for band, n in tokens["histogram"].items() if n}),
        *_table("Rejected because", value["rejected"]),
        *_table("Personal data masked", value.get("personal_data", {})),
        *_table("Removed spans", value.get("removed_spans", {})),
        *_table("References", value.get("citations", {})),
        *_files(value),
        *_ocr(value),
        "## Sources",
        "",
        "| title | kind | as of | day from | licence | chunks | file |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in value["sources"]:
        cells = (
            row["title"] + (" (삭제)" if row["deleted"] else ""),
            row["kind"],
            row["as_of"] or "unknown",
            row["day_from"],
            row["license"],
            row["chunks"],
            row["source"],
        )
        lines.append(_row(cells))
    if value["warnings"]:
        lines += ["", "## Warnings", ""]
        lines += [f"- {markdown_text(warning)}" for warning in value["warnings"][:_MAX_WARNINGS]]
        more = len(value["warnings"]) - _MAX_WARNINGS
        lines += [f"- … and {more} more in card.json"] if more > 0 else []
    return "\n".join(lines) + "\n"


def _with_annexes(value: dict[str, Any]) -> str:
    if not value["annexes"]:
        return ""
    return f" with {value['annexes']} annexes in files ({value['deleted_annexes']} deleted)"


def _files(value: dict[str, Any]) -> list[str]:
    """Return the section that names the files that are not read; empty if all are read."""
    unread = value.get("unread", [])
    if not unread:
        return []
    whole = {file["name"] for file in unread if not file.get("in_part")}
    parts = {file["name"] for file in unread} - whole
    some = f", {len(parts)} of them only in part" if parts else ""
    lines = [
        "## Files not read",
        "",
        f"{value['files'] - len(whole)} of {value['files']} files are read{some}. The others:",
        "",
        "| file | reason | detail |",
        "| --- | --- | --- |",
    ]
    lines += [_row((f["name"], f["reason"], f["detail"])) for f in unread[:_MAX_UNREAD]]
    more = len(unread) - _MAX_UNREAD
    return [*lines, *([f"\n… and {more} more in card.json"] if more > 0 else []), ""]


def _ocr(value: dict[str, Any]) -> list[str]:
    """Return the section that names the pages read by OCR; empty without any."""
    rows = [row for row in value["sources"] if row.get("ocr")]
    if not rows:
        return []
    lines = [
        "## Read by OCR",
        "",
        "These pages are read from pictures by Tesseract: check figures and numbers in the file. "
        "The confidence of a page is the mean of its words, 0 to 1; chunks state it as `ocr`.",
        "",
        "| file | pages | lowest confidence | confidence by page |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        pages = sorted(row["ocr"].items(), key=lambda item: int(item[0]))
        listed = ", ".join(f"{page}: {share:.2f}" for page, share in pages[:_MAX_OCR_PAGES])
        more = f", … {len(pages) - _MAX_OCR_PAGES} more" if len(pages) > _MAX_OCR_PAGES else ""
        worst = f"{min(share for _, share in pages):.2f}"
        shown = page_range([int(page) for page, _ in pages])
        lines.append(_row((row["source"], shown, worst, listed + more)))
    return [*lines, ""]


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(markdown_text, cells)) + " |"


def _table(name: str, counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    rows = [f"| {markdown_text(key)} | {count:,} |" for key, count in counts.items()]
    return [f"| {name} | count |", "| --- | --- |", *rows, ""]
