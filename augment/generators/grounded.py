"""All grounded generators over a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kofinlaw import Progress, silent
from kofinlaw.augment.generators import (
    actors,
    definitions,
    enumerations,
    exceptions,
    modality,
    penalties,
    quantities,
    references,
    statements,
)
from kofinlaw.augment.generators.acts import Law, Laws
from kofinlaw.augment.generators.drafts import Draft

VERSION = "9"


def drafts(
    laws: Laws, seed: int, *, titles: frozenset[str] | None = None, progress: Progress = silent
) -> Iterator[Draft]:
    """Every question the acts give (of `titles` alone, where named), in the corpus's order.

    The same acts and seed give the same drafts; one act's do not depend on the others, but for
    the options of `which_act`.
    """
    chosen = [law for law in laws.acts if titles is None or law.title in titles]
    makers: tuple[Callable[[Law], Iterator[Draft]], ...] = (
        lambda law: definitions.generate(law, seed),
        lambda law: quantities.generate(law, seed),
        lambda law: modality.generate(law, seed),
        lambda law: actors.generate(law, seed),
        lambda law: enumerations.generate(law, seed),
        lambda law: exceptions.generate(law, seed),
        lambda law: penalties.generate(law, seed),
        lambda law: statements.generate(law, laws, seed),
        lambda law: statements.not_of_article(law, seed),
        lambda law: references.governing(law, seed),
        lambda law: references.acts(law, laws, seed),
        lambda law: references.chains(law, seed),
    )
    for done, law in enumerate(chosen):
        progress("augment: generate", done, len(chosen), act=law.title)
        for make in makers:
            yield from make(law)
    progress("augment: generate", len(chosen), len(chosen))
