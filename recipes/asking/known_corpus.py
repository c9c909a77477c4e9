"""Read the law that references are checked against: a run, a corpus, or a folder of documents."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.settings import DataSettings

__all__ = ["known_law"]


def known_law(place: Path, report: Callable[[str], None]) -> KnownLaw:
    """Return what a run, a corpus, a file or a folder of documents says.

    Documents are read as a run reads them, into a temporary folder. `report` gets a line on that,
    and the lines on files that were not read.

    Raises UserError if there is nothing at `place`, no document can be read, or a file of the
    corpus is broken (with file and line).
    """
    for folder in (place, place / "data"):
        # A corpus without its chunks is damaged: `of_corpus` names the file.
        if any((folder / name).is_file() for name in ("chunks.jsonl", "articles.jsonl")):
            return KnownLaw.of_corpus(folder)
    if not place.exists():
        raise UserError(
            "there is no such file or folder",
            where=str(place),
            remedy="name a folder of documents, a corpus (RUN/data), or a run",
        )
    report(f"reading the documents in {place}; a run keeps what it reads (--run RUN)")
    settings = DataSettings.model_validate({"sources": [{"path": str(place.absolute())}]})
    with tempfile.TemporaryDirectory(prefix="kofinlaw-") as kept:
        counts = build_corpus(settings, Path(kept), base=Path.cwd())
        for line in counts.last_lines:
            report(line)
        return KnownLaw.of_corpus(Path(kept))
