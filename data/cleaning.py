"""Chunks in, clean chunks out: quality, personal data, protected texts, duplicates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kofinlaw import Progress, silent
from kofinlaw.data.contamination import overlap
from kofinlaw.data.files import dumps, sha256_text
from kofinlaw.data.korean import content_morphemes
from kofinlaw.data.personal import mask_personal_data
from kofinlaw.data.quality import judge
from kofinlaw.data.records import Article, Chunk, Provision, Rejected
from kofinlaw.data.settings import DataSettings

_ARTICLE_UNIT = re.compile(r" 제\d[\d-]*조(?:의\d+)*(?:@\d+)?$")
_DETAIL = 300
_RECORD = 2000


@dataclass(slots=True)
class Ledger:
    """Everything that left the path, and what happened on the way (for the card)."""

    rejected: list[Rejected] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    removed_spans: Counter[str] = field(default_factory=Counter)
    personal_data: Counter[str] = field(default_factory=Counter)
    duplicates: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, name: str, reason: str, detail: str, record: Any = None) -> None:
        """Write a record off with a short reason."""
        text = "" if record is None else dumps(record)[:_RECORD]
        self.rejected.append(Rejected(name, "data", reason, detail[:_DETAIL], text))


def body(chunk: Chunk) -> str:
    """A chunk's words below its header."""
    return chunk.text.partition("\n")[2]


def clean(
    chunks: Sequence[Chunk],
    settings: DataSettings,
    protected: Sequence[str],
    ledger: Ledger,
    progress: Progress = silent,
    fits: Callable[[Chunk], bool] = lambda chunk: True,
) -> list[Chunk]:
    """The chunks that stay, in order, with personal data masked.

    `fits` tells whether a chunk whose words were masked still keeps the limit.
    """
    kept = _good(chunks, settings, ledger)
    kept = _without_personal_data(kept, settings, ledger, fits)
    progress("clean", 1, 3)
    kept = _uncontaminated(kept, protected, ledger)
    progress("clean", 2, 3)
    kept = _distinct(kept, settings, ledger)
    progress("clean", 3, 3)
    return kept


def _good(chunks: Sequence[Chunk], settings: DataSettings, ledger: Ledger) -> list[Chunk]:
    kept = []
    for chunk in chunks:
        reason, detail = judge(body(chunk), settings.quality)
        if reason != "broken_text" and _ARTICLE_UNIT.search(chunk.unit):
            reason = ""  # a short article is the law all the same
        if reason:
            ledger.reject(chunk.id, reason, detail, chunk)
        else:
            kept.append(chunk)
    return kept


def _without_personal_data(
    chunks: Sequence[Chunk],
    settings: DataSettings,
    ledger: Ledger,
    fits: Callable[[Chunk], bool],
) -> list[Chunk]:
    if settings.personal_data == "keep":
        return list(chunks)
    kept = []
    for chunk in chunks:
        text, kinds = mask_personal_data(chunk.text)
        if not kinds:
            kept.append(chunk)
            continue
        ledger.personal_data.update(kinds)
        masked = replace(chunk, text=text, sha256=sha256_text(text))
        if settings.personal_data == "reject" or not fits(masked):
            # The reject keeps the masked words: a rejected record is a record all the same.
            ledger.reject(chunk.id, "personal_data", ", ".join(sorted(set(kinds))), masked)
        else:
            kept.append(masked)
    return kept


def mask_article(article: Article) -> Article:
    """The article with personal data masked in its text and its tree."""
    text, kinds = mask_personal_data(article.text)
    if not kinds:
        return article
    return replace(
        article,
        text=text,
        lead=mask_personal_data(article.lead)[0],
        provisions=tuple(_mask_provision(p) for p in article.provisions),
    )


def _mask_provision(node: Provision) -> Provision:
    children = tuple(_mask_provision(child) for child in node.children)
    return Provision(node.label, mask_personal_data(node.text)[0], children)


def _uncontaminated(
    chunks: Sequence[Chunk], protected: Sequence[str], ledger: Ledger
) -> list[Chunk]:
    if not protected:
        return list(chunks)
    hits = {hit.text: hit for hit in overlap([chunk.text for chunk in chunks], protected)}
    for place, hit in hits.items():
        chunk = chunks[place]
        detail = f"holds {hit.share:.0%} of protected text {hit.protected + 1}"
        # The record itself would carry the protected words on: only its place is kept.
        ledger.reject(chunk.id, "contaminated", detail, replace(chunk, text=""))
    return [chunk for place, chunk in enumerate(chunks) if place not in hits]


def _distinct(chunks: Sequence[Chunk], settings: DataSettings, ledger: Ledger) -> list[Chunk]:
    """Leave out copies. Two provisions of statutes are never copies: each is cited by its name."""
    if not settings.near_duplicates.enabled:
        return list(chunks)
    from kofinlaw.data.duplicates import (
        CHARACTERS_PER_SHINGLE,
        MORPHEMES_PER_SHINGLE,
        character_codes,
        clusters,
        morpheme_codes,
        near_duplicates,
    )

    bodies = [body(chunk) for chunk in chunks]
    if settings.near_duplicates.tokens == "kiwi":
        tokens = content_morphemes(bodies, workers=settings.workers)
        codes, width = [morpheme_codes(t) for t in tokens], MORPHEMES_PER_SHINGLE
    else:
        codes, width = [character_codes(text) for text in bodies], CHARACTERS_PER_SHINGLE
    pairs = near_duplicates(codes, settings.near_duplicates.threshold, width)
    removable = [pair for pair in pairs if _copies(chunks[pair.first], chunks[pair.second])]
    first_of = clusters(removable, len(chunks))
    for pair in pairs:
        ledger.duplicates.append(
            {
                "first": chunks[pair.first].id,
                "second": chunks[pair.second].id,
                "similarity": pair.similarity,
                "removed": first_of[pair.second] != pair.second,
            }
        )
    for place, chunk in enumerate(chunks):
        if first_of[place] != place:
            exact = bodies[place] == bodies[first_of[place]]
            reason = "duplicate" if exact else "near_duplicate"
            ledger.reject(chunk.id, reason, f"like {chunks[first_of[place]].id}", chunk)
    return [chunk for place, chunk in enumerate(chunks) if first_of[place] == place]


def _copies(first: Chunk, second: Chunk) -> bool:
    statutory = {"statute", "rule", "case"}
    named_apart = first.unit != second.unit and second.kind in statutory
    parts_of_one = first.unit == second.unit and first.document_id == second.document_id
    return not named_apart and not (parts_of_one and second.kind in statutory)
