"""Read the corpus of an evaluation set as chunks, and tell which units of it a chunk holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import clean_text
from kofinlaw.files import sha256_text
from kofinlaw.rag.benches.bench_files import BenchFile
from kofinlaw.rag.benches.forms import BenchSet, Corpus, Passage
from kofinlaw.rag.benches.passage_sets import page_unit
from kofinlaw.rag.benches.rows import bench_rows
from kofinlaw.records import Chunk

__all__ = ["BenchCorpus", "chunk_of", "find_corpus", "gold_chunks", "page_units", "read_corpus"]

_PAGES = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class BenchCorpus:
    """The passages of an evaluation set.

    `units` are the ids that a chunk holds, as the gold passages name them. `empty` counts passages
    without text, which are left out.
    """

    path: Path
    chunks: tuple[Chunk, ...]
    units: Mapping[str, tuple[str, ...]]
    empty: int = 0


def find_corpus(bench: BenchSet, file: Path) -> Path | None:
    """Return the corpus that lies next to a file of questions under its usual name, or None."""
    names = [name for corpus in bench.corpora for name in corpus.names]
    return next((p for name in names if (p := file.parent / name).is_file()), None)


def read_corpus(bench: BenchSet, path: Path) -> BenchCorpus:
    """Read the passages of a set from a file of rows.

    Raises UserError, with file and line, for a file without the set's columns, an id that is used
    twice, and a corpus without text; and for a set that has no corpus.
    """
    forms = [corpus for corpus in bench.corpora if corpus.read is not None]
    if not forms:
        raise UserError(
            f"{bench.name} has no corpus of its own" if not bench.corpora else "not a folder",
            where=f"--corpus {path}",
            remedy="use --index for an index of your own"
            if not bench.corpora
            else "name the folder that holds the documents of the set",
        )
    found: dict[str, Passage] = {}
    form: Corpus | None = None
    empty = 0
    for line, row in bench_rows(path):
        if form is None:
            form = next((one for one in forms if set(one.columns) <= row.keys()), None)
        if form is None or form.read is None:
            expected = " or ".join(", ".join(one.columns) for one in forms)
            raise UserError(
                f"the file lacks columns of the corpus of {bench.name}; it has: {', '.join(row)}",
                where=f"{path}:{line}",
                remedy=f"expected: {expected}",
            )
        try:
            passage = form.read(row)
        except ValueError as error:
            raise UserError(str(error), where=f"{path}:{line}", remedy="correct the row") from error
        if not passage.text.strip():
            empty += 1
            continue
        if found.get(passage.id, passage) != passage:
            raise UserError(
                f"the passage id `{passage.id}` is used twice",
                where=f"{path}:{line}",
                remedy="give each passage an id of its own",
            )
        found[passage.id] = passage
    if not found:
        raise UserError("the corpus has no text", where=str(path), remedy="check the file")
    chunks = tuple(chunk_of(passage, bench.license, path.name) for passage in found.values())
    return BenchCorpus(path, chunks, {chunk.id: (chunk.id,) for chunk in chunks}, empty)


def chunk_of(passage: Passage, license_name: str, source: str) -> Chunk:
    """Return a passage as a chunk whose id and unit are the passage's id."""
    text = clean_text(passage.text).strip()
    return Chunk(
        id=passage.id,
        document_id=passage.id,
        title=passage.title,
        kind="other",
        path="",
        unit=passage.id,
        text=text,
        as_of="",
        source=source,
        license=license_name,
        sha256=sha256_text(text),
    )


def page_units(chunk: Chunk) -> tuple[str, ...]:
    """Return the pages that a chunk of a document holds, as `FILE p.3`; empty without pages."""
    found = _PAGES.fullmatch(chunk.pages)
    if found is None:
        return ()
    first, last = int(found[1]), int(found[2] or found[1])
    name = clean_text(chunk.source).replace("\\", "/").rpartition("/")[2]
    return tuple(page_unit(name, page) for page in range(first, last + 1))


def gold_chunks(
    bench: BenchFile, corpus: BenchCorpus | None
) -> tuple[dict[str, list[Chunk]], list[str]]:
    """Return the gold passages of each question, and the gold ids that no text was found for.

    Passages that the rows hold come first. Of a group of which one passage is enough the first one
    that has a text is taken.

    Raises UserError for a set whose gold ids must all be in its corpus (AutoRAG).
    """
    by_unit: dict[str, list[Chunk]] = {}
    for chunk in corpus.chunks if corpus is not None else ():
        for unit in corpus.units.get(chunk.id, ()) if corpus is not None else ():
            by_unit.setdefault(unit, []).append(chunk)
    found: dict[str, list[Chunk]] = {}
    absent: dict[str, None] = {}
    for question in bench.exam.questions:
        own = {p.id: p for p in bench.passages.get(question.id, ())}
        chunks: list[Chunk] = []
        for group in bench.gold.get(question.id, ()):
            held = next((name for name in group if name in own or name in by_unit), None)
            if held is None:
                absent.update(dict.fromkeys(group))
            elif held in own:
                chunks.append(chunk_of(own[held], bench.set.license, bench.exam.path.name))
            else:
                chunks += by_unit[held]
        if chunks:
            found[question.id] = _distinct(chunks)
    if absent and corpus is not None and any(one.strict for one in bench.set.corpora):
        raise UserError(
            f"{len(absent)} passages that the questions name are not in the corpus: "
            f"{', '.join(list(absent)[:3])}",
            where=str(corpus.path),
            remedy="use the corpus that belongs to this file of questions",
        )
    return found, list(absent)


def _distinct(chunks: Iterable[Chunk]) -> list[Chunk]:
    return list({chunk.id: chunk for chunk in chunks}.values())
