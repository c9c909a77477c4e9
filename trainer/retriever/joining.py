"""Join a trained embedder with its base, so that what the base finds is not lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from kofinlaw.files import sha256_text
from kofinlaw.models.embedders import open_embedder
from kofinlaw.models.embedding.joined import JoinedPart, spread, write_joined

__all__ = ["JOINED", "join_with_base"]

JOINED = "joined"  # folder of the embedder that joins base and trained model
_MEASURED = 256  # passages whose cosines show how far an embedder's cosines spread
_FEWEST = 8  # with fewer passages the spread says nothing
_STEPS_UP = 4  # from RUNS/NAME/retriever/joined to the folder that holds RUNS


def join_with_base(
    base: str, out: Path, passages: Sequence[str], share: float, cache: Path | None = None
) -> bool:
    """Write `out/joined` from the base and the trained model in `out/model`.

    Args:
        base: Name of the catalogue, or a folder. A folder is written relative to `out/joined` if it
            lies near (see `_written`), so that both can be moved together.
        out: The folder of the training.
        passages: Texts that are searched; 256 of them show how far the cosines of each part spread.
        share: The base's share of the joined cosine, after each part is divided by its spread. 0
            removes an earlier joined embedder.
        cache: Folder of stored vectors.

    Returns whether it was written: not for a share of 0, nor for fewer than 8 passages.
    """
    shutil.rmtree(out / JOINED, ignore_errors=True)
    measured = sorted(set(passages), key=sha256_text)[:_MEASURED]
    if share == 0 or len(measured) < _FEWEST:
        return False
    folder = Path(base)
    named = str(folder.resolve()) if folder.is_dir() else base
    parts = []
    for embedder, written, part in (
        (named, _written(folder, out / JOINED) if folder.is_dir() else base, share),
        (str(out / "model"), "../model", 1 - share),
    ):
        vectors = open_embedder(embedder, cache=cache).encode_passages(measured)
        parts.append(JoinedPart(written, round(part / spread(vectors), 4)))
    write_joined(out / JOINED, parts)
    return True


def _written(base: Path, joined: Path) -> str:
    """Return how the joined embedder names its base: relative if both lie in the folder that holds
    the runs, else the whole path.
    """
    near = os.path.relpath(base.resolve(), joined.resolve())
    return near if Path(near).parts[_STEPS_UP:][:1] != ("..",) else str(base.resolve())
