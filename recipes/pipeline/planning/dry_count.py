"""List and count what the documents of a recipe give before a run, and keep the results in a cache.

The documents are read as the stage `data` reads them; of more than `READ_BYTES`, examples are
counted on a sample of the files. The cache holds numbers, titles and reasons, but no texts, and a
result is used again while documents, settings, code and the OCR program are the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.corpus import DocumentList, build_corpus, list_documents
from kofinlaw.data.readers.paged.tesseract import find_ocr
from kofinlaw.data.reject_log import UnreadFile
from kofinlaw.data.settings import DataSettings, SourceSettings
from kofinlaw.data.source_files import list_files
from kofinlaw.files import write_json
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.resolve import local_folder
from kofinlaw.models.settings import ModelSettings
from kofinlaw.recipes.pipeline.code_hash import code_sha256
from kofinlaw.recipes.pipeline.integrity.fingerprints import inputs_sha256
from kofinlaw.recipes.pipeline.planning.count_record import DryCount, name_order
from kofinlaw.recipes.pipeline.run import Run, protected_examples, protected_texts, source_inputs
from kofinlaw.tolerant_files import read_json

__all__ = [
    "READ_BYTES",
    "content_hash",
    "documents_key",
    "documents_of",
    "dry_count",
    "keep",
    "sampled_files",
    "tokenizer_at_hand",
    "tokens_per_character",
]

TEXT_SUFFIXES = (".md", ".markdown", ".txt", ".html", ".htm", ".xml", ".json", ".jsonl", ".csv")
BYTES_OF_ARTICLE = 1500  # of a document in another form: 300 to 600 characters
# 제n조 or 제n-m조 at the start of a line, behind marks of Markdown or HTML, in UTF-8.
HEADING = re.compile(
    rb"^[#*<>/a-z0-9\"= \t\r\f\v]*+" + "제".encode() + rb"\d+(?:-\d+)?" + "조".encode(),
    re.MULTILINE,
)
READ_BYTES = 4_000_000  # files that are read; of more, a sample of this size
TOKENS_PER_CHARACTER = 0.6  # of Korean text, for a model whose rate is not known


def tokenizer_at_hand(
    model: ModelSettings, cache: Path | None = None
) -> tuple[Callable[[str], int], str]:
    """Return how to count the tokens of a model, and the tokenizer's folder; empty if estimated."""
    from kofinlaw.models.tokenizer import load_tokenizer

    folder = local_folder(model, cache=cache)
    if folder is not None and (folder / "tokenizer.json").exists():
        return load_tokenizer(folder).count_plain, str(folder)
    rate = tokens_per_character(model.id)
    return lambda text: int(rate * len(text)) + 1, ""


def tokens_per_character(model: str) -> float:
    """Return the tokens per character of Korean text by the catalogue; 0.6 for an unknown model."""
    card = lookup_model(model)
    return (card.tokens_per_korean_char if card else None) or TOKENS_PER_CHARACTER


def documents_of(run: Run) -> DocumentList:
    """List the documents of a recipe, and the files that give none.

    Raises UserError if a source is missing or no document can be read.
    """
    settings, base = run.recipe.data, run.recipe_file.path.parent
    assert settings is not None  # else there is nothing to read
    path = run.cache / "plans" / f"documents-{content_hash(documents_key(run))}.json"
    known = read_json(path)
    if known is not None:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            rows = tuple((str(t), str(d), str(x)) for t, d, x in known["documents"])
            unread = tuple(UnreadFile(**row) for row in known["unread"])
            return DocumentList(rows, int(known["files"]), unread)
    found = list_documents(settings, base=base)
    keep(path, asdict(found))
    return found


def dry_count(run: Run, progress: Progress = silent) -> DryCount:
    """Count the examples and test questions that the documents of a recipe give.

    Raises UserError if no document can be read, none has articles, or a held-out title is missing.
    """
    settings, base = run.recipe.data, run.recipe_file.path.parent
    assert settings is not None  # else there is nothing to count
    folder = local_folder(run.recipe.model, cache=run.cache)
    path = run.cache / "plans" / f"examples-{content_hash(_examples_key(run, folder))}.json"
    known = read_json(path)
    if known is not None:
        with contextlib.suppress(KeyError, TypeError):
            return DryCount(**{**known, "held_out": tuple(known["held_out"])})
    from kofinlaw.recipes.pipeline.planning.example_count import count_of_corpus

    count, tokenizer = tokenizer_at_hand(run.recipe.model, run.cache)
    sampled, share = sampled_files(settings, base)
    with tempfile.TemporaryDirectory() as work:
        corpus = Path(work) / "data"
        build_corpus(
            sampled,
            corpus,
            base=base,
            count_tokens=count,
            protected_texts=protected_texts(run),
            progress=progress,
        )
        found = count_of_corpus(
            run.recipe.augment,
            corpus,
            seed=run.recipe.seed,
            count_tokens=count,
            estimated=not tokenizer,
            protected=protected_examples(run),
            share=share,
            progress=progress,
        )
    keep(path, asdict(found))
    return found


def sampled_files(settings: DataSettings, base: Path) -> tuple[DataSettings, float]:
    """Return the settings, and 1; of a large corpus those of a sample of its files and its share.

    The files are drawn in the order of the SHA-256 of their names. Examples come from articles, so
    the share is that of the headings of articles, not of the bytes, which annexes may dominate.
    """
    listed: list[tuple[SourceSettings, Path, str, int]] = []
    for source in settings.sources:
        for path, name in list_files(source, base).to_read:
            listed.append((source, path, name, path.stat().st_size))
    if sum(size for _, _, _, size in listed) <= READ_BYTES:
        return settings, 1.0
    taken: list[SourceSettings] = []
    weights = [_articles_of(path, size) for _, path, _, size in listed]
    held = weight = 0.0
    order = sorted(range(len(listed)), key=lambda i: name_order(listed[i][2]))
    for i in order:
        source, path, _, size = listed[i]
        if held + size <= READ_BYTES or not taken:
            taken.append(source.model_copy(update={"path": str(path)}))
            held += size
            weight += weights[i]
    part = {"sources": tuple(taken), "as_of": None, "history_from": None}
    return settings.model_copy(update=part), _share(weight, sum(weights))


def _share(part: float, whole: float) -> float:
    """Return a share above 0 and below 1, as a sample is never the whole."""
    return min(0.99, max(0.001, part / whole)) if whole else 0.5


def _articles_of(path: Path, size: int) -> float:
    """Return the headings of articles in a text file; for another form, about as many as its size
    suggests.
    """
    if path.suffix.lower() not in TEXT_SUFFIXES:
        return size / BYTES_OF_ARTICLE
    try:
        return float(len(HEADING.findall(path.read_bytes())))
    except OSError:
        return 0.0


def documents_key(run: Run) -> dict[str, object]:
    """Return everything that the list of documents depends on."""
    settings = run.recipe.data
    assert settings is not None
    return {
        "data": settings.model_dump(mode="json"),
        "inputs": inputs_sha256(source_inputs(run)),
        "code": code_sha256("kofinlaw.data"),
        "ocr": asdict(find_ocr()),  # once Tesseract is installed, scanned pages are read
    }


def _examples_key(run: Run, folder: Path | None) -> dict[str, object]:
    """Return everything that the count depends on; `folder` is that of the tokenizer."""
    recipe = run.recipe
    exclude = {"teacher": True, "preferences": True, "write_as": True}
    return {
        **documents_key(run),
        "augment": recipe.augment.model_dump(mode="json", exclude=exclude),
        "seed": recipe.seed,
        "model": recipe.model.id,
        "tokenizer": str(folder),
        "protected": protected_examples(run),
        "augment code": code_sha256("kofinlaw.augment"),
        "planning code": code_sha256("kofinlaw.recipes.pipeline.planning"),
    }


def content_hash(content: dict[str, object]) -> str:
    """Return the hash that names a result in the cache."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def keep(path: Path, values: dict[str, Any]) -> None:
    """Write a result into the cache; without a cache it is only counted again."""
    with contextlib.suppress(OSError, UserError):
        write_json(path, values)
