"""Read what lies around an article once: neighbouring text, runs of letters, delegations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from kofinlaw.augment.hard.runs import Source
from kofinlaw.augment.hard.slots import related_text
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.records import Article

__all__ = ["NEIGHBOURS", "Surroundings"]

# Articles on each side whose words wrong values may take.
NEIGHBOURS = 3


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
        """The sentences with which the act and its decree delegate work."""
        return related_text(self.law, self.laws)

    def near(self, article: Article) -> str:
        """Return the text of the article and its neighbours."""
        place = self.position[article.id]
        around = self.law.articles[max(place - NEIGHBOURS, 0) : place + NEIGHBOURS + 1]
        return "\n".join(a.text for a in (article, *around))

    def source(self, articles: Sequence[Article]) -> Source:
        """Return the articles with their headings, line by line, to compare runs of letters with."""
        return Source(text for a in articles for text in (a.heading, *a.text.split("\n")))
