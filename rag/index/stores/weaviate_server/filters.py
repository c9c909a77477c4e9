"""Write conditions on passages as a filter that the server applies while it searches."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kofinlaw.rag.index.admission import CitesArticles, Condition, InForce, NoSupplement, OfKind
from kofinlaw.rag.index.stores.weaviate_server.layout import ROW

if TYPE_CHECKING:
    from weaviate.collections.classes.filters import _Filters

__all__ = ["day_number", "filter_of"]


def filter_of(
    conditions: Sequence[Condition], rows: Sequence[int] | None = None
) -> _Filters | None:
    """Return the filter of passages that meet all conditions and are among `rows` (None: any).

    None if there is nothing to filter.
    """
    from weaviate.classes.query import Filter

    parts: list[Any] = [_part(one) for one in conditions]
    if rows is not None:
        parts.append(Filter.by_property(ROW).contains_any(list(rows)))
    return functools.reduce(operator.and_, parts) if parts else None


def day_number(day: str) -> int:
    """Return an ISO day as a number: 20250731 for 2025-07-31."""
    return int(day.replace("-", ""))


def _part(condition: Condition) -> Any:
    from weaviate.classes.query import Filter

    if isinstance(condition, InForce):
        day = day_number(condition.day.isoformat())
        found: Any = Filter.by_property("since").less_or_equal(day)
        found = found & Filter.by_property("until").greater_than(day)
        if condition.decisions:
            found = found | Filter.by_property("kind").equal("case")
        if condition.also:
            found = found | Filter.by_property(ROW).contains_any(list(condition.also))
        return found
    if isinstance(condition, OfKind):
        return Filter.by_property("kind").contains_any(list(condition.kinds))
    if isinstance(condition, NoSupplement):
        return Filter.by_property("supplement").equal(False)
    assert isinstance(condition, CitesArticles)
    return Filter.by_property("cites").equal(True)
