"""Record which models a trained folder was made from, so that a policy can judge those models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.files import write_json
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.embedding.joined import is_joined, read_parts

__all__ = ["FILE", "bases_of", "write_trained_from"]

FILE = "trained_from.json"


def write_trained_from(folder: Path, base: str) -> None:
    """Write the origin of a trained model into its folder.

    Args:
        folder: The folder of the trained model.
        base: The model that the training started from: a catalogue name or a folder. A folder that
            was trained itself is replaced by the models that it was made from.
    """
    write_json(folder / FILE, {"trained_from": bases_of(base)})


def bases_of(name: str) -> list[str]:
    """Return the models that `name` was trained from: catalogue ids, or folders of unknown origin.

    A joined embedder has the bases of all its parts. A model without a record is its own base.

    Raises UserError if the record is broken.
    """
    folder = Path(name)
    if folder.is_dir() and is_joined(folder):
        found = [base for part in read_parts(folder) for base in bases_of(part.embedder)]
        return list(dict.fromkeys(found))
    if folder.is_dir() and (folder / FILE).is_file():
        return _read(folder / FILE)
    card = None if folder.is_dir() else lookup_model(name)
    return [card.id if card is not None else name]


def _read(path: Path) -> list[str]:
    try:
        rows: Sequence[object] = load_json(path.read_text(encoding="utf-8"))["trained_from"]
    except (ValueError, TypeError, KeyError) as error:
        raise _broken(path) from error
    if not isinstance(rows, list) or not rows or not all(isinstance(r, str) and r for r in rows):
        raise _broken(path)
    return [str(row) for row in rows]


def _broken(path: Path) -> UserError:
    return UserError(
        'the record of the model\'s origin is broken; it has the form {"trained_from": ["BASE"]}',
        where=str(path),
        remedy="train the model again, or correct the file",
    )
