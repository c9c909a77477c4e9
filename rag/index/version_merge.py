"""Texts of acts' earlier versions put where they stood among the newest version's passages."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from kofinlaw.data.law.versions import act_of
from kofinlaw.records import Chunk

_ARTICLE = re.compile(r"제(\d+)(?:-(\d+))?조(?:의(\d+))?")


def interleaved(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The chunks in order, each earlier text (one with `until`) behind the passage of its unit.

    An article that the newest version no longer has comes behind the last one numbered below it,
    a unit without a number behind the last passage of its act. What stands beside an article can
    so be told for every day.
    """
    newest: list[Chunk] = []
    earlier: list[Chunk] = []
    for chunk in chunks:
        (earlier if chunk.until else newest).append(chunk)
    behind: dict[int, list[Chunk]] = {}
    last_of_unit = {chunk.unit: place for place, chunk in enumerate(newest)}
    acts = {act_of(chunk.document_id) for chunk in earlier}
    places: dict[str, list[int]] = {}
    for place, chunk in enumerate(newest):
        if chunk.document_id in acts:
            places.setdefault(chunk.document_id, []).append(place)
    for chunk in earlier:
        at = last_of_unit.get(chunk.unit)
        if at is None:
            at = _before(chunk, newest, places.get(act_of(chunk.document_id), []))
        behind.setdefault(at, []).append(chunk)
    for texts in behind.values():  # several deleted articles may stand behind one passage
        texts.sort(key=lambda chunk: _number(chunk) or (math.inf,))
    yield from behind.pop(-1, ())
    for place, chunk in enumerate(newest):
        yield chunk
        yield from behind.get(place, ())


def _before(chunk: Chunk, newest: list[Chunk], places: list[int]) -> int:
    """The place that a text without a successor comes behind; that before its act for the first."""
    if not places:
        return len(newest) - 1
    number = _number(chunk)
    if number is None:
        return places[-1]
    lower = [place for place in places if (found := _number(newest[place])) and found < number]
    return max(lower, default=places[0] - 1)


def _number(chunk: Chunk) -> tuple[int, ...] | None:
    """The article's number in its act, for comparing."""
    match = _ARTICLE.match(chunk.unit[len(chunk.title) :].strip())
    return tuple(int(part or 0) for part in match.groups()) if match else None
