"""Put the texts of earlier versions of acts between the passages of the newest versions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from kofinlaw.data.law.versions import act_of
from kofinlaw.records import Chunk

__all__ = ["merge_versions"]

_ARTICLE = re.compile(r"제(\d+)(?:-(\d+))?조(?:의(\d+))?")


def merge_versions(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks in order, each earlier text (one with `until`) behind the passage
    of its unit.

    An article that the newest version no longer has comes behind the last article with a lower
    number, a unit without a number behind the last passage of its act. So the neighbours of an
    article are known for every day.
    """
    newest: list[Chunk] = []
    earlier: list[Chunk] = []
    for chunk in chunks:
        (earlier if chunk.until else newest).append(chunk)
    behind: dict[int, list[Chunk]] = {}
    last_of_unit = {chunk.unit: row for row, chunk in enumerate(newest)}
    acts = {act_of(chunk.document_id) for chunk in earlier}
    rows_of_act: dict[str, list[int]] = {}
    for row, chunk in enumerate(newest):
        if chunk.document_id in acts:
            rows_of_act.setdefault(chunk.document_id, []).append(row)
    for chunk in earlier:
        row_before = last_of_unit.get(chunk.unit)
        if row_before is None:
            rows = rows_of_act.get(act_of(chunk.document_id), [])
            row_before = _row_before(chunk, newest, rows)
        behind.setdefault(row_before, []).append(chunk)
    for texts in behind.values():  # several deleted articles may come behind one passage
        texts.sort(key=lambda chunk: _number(chunk) or (math.inf,))
    yield from behind.pop(-1, ())
    for row, chunk in enumerate(newest):
        yield chunk
        yield from behind.get(row, ())


def _row_before(chunk: Chunk, newest: list[Chunk], rows: list[int]) -> int:
    """Return the row behind which a text without a successor comes; `rows` are those of its act.

    For an article numbered below all others that is the row before its act.
    """
    if not rows:
        return len(newest) - 1
    number = _number(chunk)
    if number is None:
        return rows[-1]
    lower = [row for row in rows if (found := _number(newest[row])) and found < number]
    return max(lower, default=rows[0] - 1)


def _number(chunk: Chunk) -> tuple[int, ...] | None:
    """Return the article's number in its act, for comparison."""
    match = _ARTICLE.match(chunk.unit[len(chunk.title) :].strip())
    return tuple(int(part or 0) for part in match.groups()) if match else None
