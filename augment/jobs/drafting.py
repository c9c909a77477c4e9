"""Draft the questions of one act: the part of generating examples that processes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from kofinlaw import Progress, silent
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.hard.registry import HARD_GENERATORS
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.cluster.jobs import Job, Workers, in_order
from kofinlaw.records import Rejected

__all__ = ["ActDrafts", "draft_acts"]


@dataclass(frozen=True)
class ActDrafts:
    """The drafts of one act, and the reason for each generator that failed on it."""

    drafts: list[Draft]
    rejected: list[Rejected]


def draft_acts(
    laws: Laws, seed: int, workers: Workers, *, hard: bool, progress: Progress = silent
) -> Iterator[tuple[Law, ActDrafts]]:
    """Yield each act with its drafts, in the order of the corpus.

    Args:
        laws: Every act of the corpus.
        seed: Decides all random choices.
        workers: The processes that draft.
        hard: Whether the generators of hard questions draft too.
        progress: Called for each act.
    """
    job = Job("drafts of questions", partial(nullcontext, laws), partial(_draft, seed, hard))
    count = len(laws.acts)
    with workers.start(job) as pool:
        for done, found in enumerate(in_order(pool, range(count))):
            progress("augment: generate", done, count, act=laws.acts[done].title)
            yield laws.acts[done], found
    progress("augment: generate", count, count)


def _draft(seed: int, hard: bool, laws: Laws, number: int) -> ActDrafts:
    """Return the drafts of the act with this number."""
    rejected: list[Rejected] = []
    titles = frozenset([laws.acts[number].title])
    extra = HARD_GENERATORS if hard else ()
    drafts = draft_questions(laws, seed, titles=titles, extra=extra, rejected=rejected)
    return ActDrafts(list(drafts), rejected)
