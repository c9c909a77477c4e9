"""Read pairs of a query and the passage that answers it from JSON Lines."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.trainer.retriever.schedule import OWN, TrainingPair

__all__ = ["FORM", "numbered_pairs", "read_pairs"]

FORM = '{"anchor": "a query", "positive": "the passage that answers it"}'
_TEXTS = ("anchor", "positive", "negative", "unit")
_NAMES = ("anchor", "positive", "negative", "unit", "kind", "chunk", "id")


def read_pairs(path: Path, kind: str | None = None) -> list[TrainingPair]:
    """Return the pairs of a file, as `numbered_pairs` reads them."""
    return [pair for _, pair in numbered_pairs(path, kind)]


def numbered_pairs(
    path: Path,
    kind: str | None = None,
    passage_of: Callable[[str, str, int], str] | None = None,
) -> Iterator[tuple[int, TrainingPair]]:
    """Yield (line number, pair) of each line: `anchor` with `positive`, or with `unit`.

    `anchor`, `positive` and `negative` are the columns of sentence-transformers. `unit` names the
    article that answers, such as `전자금융거래법 제22조`: its passage is taken where `positive` is
    missing, and no batch holds two pairs of it. Without `unit`, the positive text is the unit.

    Args:
        path: The file. `kind`, `chunk` and `id` are allowed too.
        kind: Kind of every pair; None: the one in the line, else `own`.
        passage_of: Returns the passage of a unit for (unit, query, line number), and raises
            UserError for an unknown one. None: units are not looked up, and a pair that has only a
            unit gets an empty positive.

    Raises UserError with file and line for another key, and for a missing or empty text.
    """
    if not path.is_file():
        raise UserError("there is no such file of pairs", where=str(path))
    for number, row in read_json_lines(path):
        _check_row(row, f"{path}:{number}")
        text = {name: row.get(name, "") for name in _TEXTS}
        unit, positive = text["unit"].strip(), text["positive"]
        if unit and passage_of is not None:
            found = passage_of(unit, text["anchor"], number)
            positive = (positive.strip() and positive) or found
        named = kind or str(row.get("kind") or OWN)
        yield (
            number,
            TrainingPair(text["anchor"], positive, text["negative"], named, unit or positive),
        )


def _check_row(row: dict[str, object], where: str) -> None:
    """Raise UserError for a row that is not a pair."""
    for name in row:
        if name not in _NAMES:
            near = difflib.get_close_matches(name, _NAMES, 1)
            hint = f"did you mean `{near[0]}`? " if near else ""
            raise UserError(
                f"a pair has no key `{name}`",
                where=where,
                remedy=f"{hint}write {FORM}, and optionally `negative` and `unit`",
            )
    texts = {name: row.get(name, "") for name in _TEXTS}
    wrong = [name for name, text in texts.items() if not isinstance(text, str)]
    wrong += [] if str(texts["anchor"]).strip() else ["anchor"]
    if not wrong and not str(texts["positive"]).strip() and not str(texts["unit"]).strip():
        wrong.append("positive")
    if wrong:
        empty = " that is not empty" if texts[wrong[0]] == "" else ""
        raise UserError(f"{wrong[0]} must be a text{empty}", where=where, remedy=f"write {FORM}")
