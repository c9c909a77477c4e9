"""Read what lies around an article once: runs of letters, delegations, positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from kofinlaw.augment.hard.runs import Source
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.records import Article

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """An act with what all hard generators look up in it."""

    law: Law
    laws: Laws

    @cached_property
    def position(self) -> dict[str, int]:
        """Place of each article in the act, by id."""
        return {article.id: place for place, article in enumerate(self.law.articles)}

    @cached_property
    def delegations(self) -> tuple[str, ...]:
        """The sentences with which the act, its decree or its parent delegate work."""
        return self.law.delegations

    def source(self, articles: Sequence[Article]) -> Source:
        """Return the lines of the articles and their headings, to compare runs with."""
        return Source(text for a in articles for text in (a.heading, *a.text.split("\n")))
