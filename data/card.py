"""The data card: what was found, kept and rejected, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kofinlaw.data.documents import Document
from kofinlaw.data.files import write_json, write_text
from kofinlaw.data.records import Article, Chunk, Rejected

_EDGES = (0, 64, 128, 256, 512, 768, 1024, 2048, 4096)
_SHOWN = 40


def card(
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    articles: Sequence[Article],
    rejected: Sequence[Rejected],
    *,
    facts: dict[str, Any],
    count_tokens: Callable[[str], int],
    estimated: bool,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The card's figures as one JSON object; lengths are in tokens."""
    lengths = [count_tokens(chunk.text) for chunk in chunks]
    per_document = Counter(chunk.document_id for chunk in chunks)
    dates = [d.as_of for d in documents if d.as_of]
    return {
        "documents": len(documents),
        "chunks": len(chunks),
        "articles": sum(1 for a in articles if not a.deleted),
        "deleted_articles": sum(1 for a in articles if a.deleted),
        "rejected": dict(sorted(Counter(r.reason for r in rejected).items())),
        "kinds": dict(sorted(Counter(d.kind for d in documents).items())),
        "formats": dict(sorted(Counter(d.format for d in documents).items())),
        "licenses": dict(sorted(Counter(d.license for d in documents).items())),
        "oldest": min(dates, default=""),
        "newest": max(dates, default=""),
        "undated": sum(1 for d in documents if not d.as_of),
        "tokens": {
            "estimated": estimated,
            "total": sum(lengths),
            "longest": max(lengths, default=0),
            "histogram": _histogram(lengths),
        },
        **facts,
        "warnings": list(warnings)[:1000],
        "sources": [
            {
                "title": d.title,
                "kind": d.kind,
                "as_of": d.as_of,
                "license": d.license,
                "source": d.source,
                "format": d.format,
                "chunks": per_document.get(d.id, 0),
            }
            for d in documents
        ],
    }


def _histogram(lengths: Sequence[int]) -> dict[str, int]:
    """Chunks by length in tokens: `64-127` and so on."""
    out = {}
    for low, high in zip(_EDGES, [*_EDGES[1:], None], strict=True):
        name = f"{low}-{high - 1}" if high is not None else f"{low}+"
        out[name] = sum(1 for n in lengths if n >= low and (high is None or n < high))
    return out


def write_card(value: dict[str, Any], out: Path) -> None:
    """Write `card.json` and `card.md`."""
    write_json(out / "card.json", value)
    write_text(out / "card.md", markdown(value))


def markdown(value: dict[str, Any]) -> str:
    """The card for people."""
    tokens = value["tokens"]
    guess = " (estimated: 0.6 a character)" if tokens["estimated"] else ""
    lines = [
        "# Corpus",
        "",
        f"{value['documents']} documents, {value['articles']} articles, {value['chunks']} chunks, "
        f"{tokens['total']:,} tokens{guess}; the longest chunk has {tokens['longest']}.",
        f"Texts of {value['oldest'] or 'no date'} to {value['newest'] or 'no date'}; "
        f"{value['undated']} bear no date.",
        "",
        *_table("Kind", value["kinds"]),
        *_table("Licence", value["licenses"]),
        *_table("Format", value["formats"]),
        *_table("Tokens a chunk", tokens["histogram"]),
        *_table("Rejected because", value["rejected"]),
        *_table("Personal data masked", value.get("personal_data", {})),
        *_table("Removed spans", value.get("removed_spans", {})),
        *_table("References", value.get("citations", {})),
        "## Sources",
        "",
        "| title | kind | as of | licence | chunks | file |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in value["sources"]:
        cells = (
            row["title"],
            row["kind"],
            row["as_of"],
            row["license"],
            row["chunks"],
            row["source"],
        )
        lines.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    if value["warnings"]:
        lines += ["", "## Warnings", ""]
        lines += [f"- {warning}" for warning in value["warnings"][:_SHOWN]]
        more = len(value["warnings"]) - _SHOWN
        lines += [f"- … and {more} more in card.json"] if more > 0 else []
    return "\n".join(lines) + "\n"


def _table(name: str, counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    rows = [f"| {key} | {count:,} |" for key, count in counts.items()]
    return [f"| {name} | count |", "| --- | --- |", *rows, ""]
