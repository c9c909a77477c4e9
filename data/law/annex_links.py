"""Connect the annexes of a corpus with the articles that name them, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kofinlaw.data.law.annexes import split_unit

__all__ = ["AnnexLinks", "annex_links", "is_annex"]

_ANNEX = ("별표", "별지", "서식", "기타")


@dataclass(frozen=True, slots=True)
class AnnexLinks:
    """The links between annexes and articles, by unit (`은행업감독규정 별표 3`), in order.

    Attributes:
        named_by: For each annex of the corpus the articles that name it or that its title names
            (`제26조 관련`); empty for an annex that is named nowhere.
        annexes_of: For each article the annexes of the corpus that belong to it.
        deleted: The annexes whose text only says that they were deleted.
    """

    named_by: Mapping[str, tuple[str, ...]]
    annexes_of: Mapping[str, tuple[str, ...]]
    deleted: frozenset[str]

    @property
    def unnamed(self) -> tuple[str, ...]:
        """The annexes in force that no article names and whose title names no article."""
        return tuple(
            unit for unit, names in self.named_by.items() if not names and unit not in self.deleted
        )


def annex_links(
    references: Iterable[tuple[str, str]], units: Iterable[str], deleted: Iterable[str] = ()
) -> AnnexLinks:
    """Return the links of the annexes among `units`.

    Args:
        references: (source, target) of the citation graph: articles and annexes by unit.
        units: All units of the corpus.
        deleted: The annexes that were deleted.
    """
    annexes = dict.fromkeys(unit for unit in units if is_annex(unit))
    named: dict[str, dict[str, None]] = {unit: {} for unit in annexes}
    for source, target in references:
        if target in named and not is_annex(source):
            named[target][source] = None
        elif source in named and not is_annex(target) and _same_title(source, target):
            named[source][target] = None
    of: dict[str, dict[str, None]] = {}
    for annex, articles in named.items():
        for article in articles:
            of.setdefault(article, {})[annex] = None
    return AnnexLinks(
        {unit: tuple(names) for unit, names in named.items()},
        {unit: tuple(names) for unit, names in of.items()},
        frozenset(deleted),
    )


def is_annex(unit: str) -> bool:
    """Return whether a unit is an annex or a form, not an article."""
    return split_unit(unit)[1].startswith(_ANNEX)


def _same_title(first: str, second: str) -> bool:
    return split_unit(first)[0] == split_unit(second)[0]
