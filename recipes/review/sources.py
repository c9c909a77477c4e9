"""Find what decides an example: the deciding phrases, and the whole articles that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.augment.reading.clauses import line_letters
from kofinlaw.augment.reading.names import normalize
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import read_json_lines
from kofinlaw.records import Example

__all__ = ["Passage", "Sources", "marked", "read_sources"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with its name; `marks` are the ranges (in characters) of the lines that decide."""

    name: str
    text: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Sources:
    """What is known of the sources of examples.

    - `units`, `focus`: articles and phrases by the id of the example.
    - `texts`: the passages of an article, by its id.
    - `chunk_units`: the article of a chunk, by the chunk's id.
    """

    units: dict[str, tuple[str, ...]] = field(default_factory=dict)
    focus: dict[str, tuple[str, ...]] = field(default_factory=dict)
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    chunk_units: dict[str, str] = field(default_factory=dict)

    def shown(self, example: Example, evidence: Sequence[str]) -> list[Passage]:
        """Return what the model is shown, with the deciding lines marked."""
        focus = self.focus.get(example.id, ())
        return [Passage("", text, marked(text, focus)) for text in evidence]

    def articles(self, example: Example) -> list[Passage]:
        """Return the whole articles that decide an example; of a teacher's, those that it names."""
        units = self.units.get(example.id)
        if units is None:
            named = (self.chunk_units.get(one) for one in example.provenance["chunks"])
            units = tuple(dict.fromkeys(unit for unit in named if unit))
        focus = self.focus.get(example.id, ())
        return [
            Passage(unit, text, marked(text, focus))
            for unit in units
            for text in self.texts.get(unit, ())
        ]


def read_sources(folder: Path, examples: Iterable[Example]) -> Sources:
    """Return the sources of a run's examples; without `data` only the phrases are known.

    Raises UserError for a broken file.
    """
    out = Sources()
    focus = folder / "augment" / "examples_focus.jsonl"
    for line, row in read_json_lines(focus) if focus.is_file() else ():
        try:
            out.units[row["id"]] = tuple(row["units"])
            out.focus[row["id"]] = tuple(row["focus"])
        except (KeyError, TypeError) as error:
            raise UserError(
                "this line has no `id`, `units` or `focus`",
                where=f"{focus}:{line}",
                remedy="fix the line, or run the stage augment again",
            ) from error
    wanted = {unit for units in out.units.values() for unit in units}
    chunk_ids = {
        chunk
        for example in examples
        if example.id not in out.units
        for chunk in example.provenance["chunks"]
    }
    chunks = folder / "data" / "chunks.jsonl"
    texts: dict[str, list[str]] = {}
    for chunk in read_chunks(chunks) if chunks.is_file() else ():
        if chunk.until:
            continue  # an earlier version of the law, which no example asks about
        if chunk.id in chunk_ids:
            out.chunk_units[chunk.id] = chunk.unit
        if chunk.id in chunk_ids or chunk.unit in wanted:
            texts.setdefault(chunk.unit, []).append(chunk.text)
    out.texts.update({unit: tuple(found) for unit, found in texts.items()})
    return out


def marked(text: str, focus: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return where a text holds the deciding phrases: the words, or else the line with them."""
    found: set[tuple[int, int]] = set()
    for phrase in filter(None, focus):
        start = text.find(phrase)
        if start >= 0:
            found.add((start, start + len(phrase)))
            continue
        letters, position = normalize(phrase), 0
        for line in text.split("\n"):
            if letters and letters in line_letters(line):
                found.add((position, position + len(line)))
                break
            position += len(line) + 1
    return _joined(sorted(found))


def _joined(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Join ranges that overlap."""
    out: list[tuple[int, int]] = []
    for start, stop in ranges:
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return tuple(out)
