"""Join two embedders into one whose similarity is the weighted mean of theirs.

A folder with `joined.json` names the parts. The vector of a text holds the vectors of all parts,
each multiplied by the root of its weight. So the cosine of two joined vectors is the mean of the
parts' cosines. Cosines of one embedder spread more than those of another: a part's weight is its
share divided by the spread of its cosines.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.files import write_json

__all__ = ["FILE", "JoinedPart", "is_joined", "join", "read_parts", "spread", "write_joined"]

FILE = "joined.json"
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class JoinedPart:
    """One embedder: a name of the catalogue or a folder, and the weight of its cosine."""

    embedder: str
    weight: float


def is_joined(folder: Path) -> bool:
    """Return whether a folder names embedders that are joined."""
    return (folder / FILE).is_file()


def write_joined(folder: Path, parts: Sequence[JoinedPart]) -> None:
    """Write the file that names the parts; a folder may be relative to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"embedder": part.embedder, "weight": part.weight} for part in parts]
    write_json(folder / FILE, {"parts": rows})


def read_parts(folder: Path) -> list[JoinedPart]:
    """Return the parts; a folder that is relative to `folder` is returned as a whole path.

    Raises UserError if the file is broken, if the folder of a part is missing, or if a part is a
    joined embedder itself.
    """
    path = folder / FILE
    try:
        rows = load_json(path.read_text(encoding="utf-8"))["parts"]
        parts = [JoinedPart(_place(folder, row["embedder"]), float(row["weight"])) for row in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise _broken(path, str(error)) from error
    if len(parts) < 2 or not all(0 < part.weight < float("inf") for part in parts):
        raise _broken(path, "it needs two parts with weights above 0")
    if any(is_joined(Path(part.embedder)) for part in parts):
        raise _broken(path, "a part is a joined embedder itself")
    return parts


def join(vectors: Sequence[Vectors], parts: Sequence[JoinedPart]) -> Vectors:
    """Return vectors of length 1, [texts, sum of the dimensions].

    `vectors` are those of each part, of length 1, [texts, dimensions].
    """
    total = sum(part.weight for part in parts)
    roots = [np.sqrt(part.weight / total) for part in parts]
    pairs = zip(roots, vectors, strict=True)
    return np.concatenate([root * one for root, one in pairs], axis=1).astype(np.float32)


def spread(vectors: Vectors) -> float:
    """Return the standard deviation of the cosines of the first half with the second half."""
    half = len(vectors) // 2
    return max(float(np.std(vectors[:half] @ vectors[half:].T)), 1e-6)


def _place(folder: Path, name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError("the name of an embedder is missing")
    if (folder / name).is_dir():
        return str((folder / name).resolve())
    if name.startswith(".") or Path(name).is_absolute():
        gone = os.path.normpath(folder / name)
        raise UserError(
            f"the joined embedder needs the embedder in {gone}, which is gone",
            where=str(folder / FILE),
            remedy="put it back (a folder that was moved: move both together), or train again with "
            "`kofinlaw fit-retriever`",
        )
    return name


def _broken(path: Path, why: str) -> UserError:
    return UserError(
        f"the joined embedder is broken: {why}",
        where=str(path),
        remedy="train it again with `kofinlaw fit-retriever`",
    )
