"""Define what the server asks of a run, and answer a batch of it with few calls of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError

if TYPE_CHECKING:
    from kofinlaw.recipes.api import Limits, OpenRun

__all__ = ["Answering", "Ask", "Complete", "Embed", "Job", "Refused", "load_run"]


@dataclass(frozen=True)
class Ask:
    """A question for the index, on a day; `max_tokens` lowers the recipe's limit."""

    question: str
    as_of: date | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Complete:
    """A dialogue to continue without evidence."""

    messages: tuple[dict[str, str], ...]
    limits: Limits


@dataclass(frozen=True)
class Embed:
    """Texts for the run's embedder, read as queries."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """Why one job has no result. `fault` says that kofinlaw failed, and not the request."""

    message: str
    fault: bool = False


Job = Ask | Complete | Embed
Answering = Callable[[Sequence[Job]], list[object]]

_FIRST = "보관 기간은 며칠인가?"  # loads what the first question would otherwise wait for


def load_run(folder: Path, *, trust: bool = False) -> Answering:
    """Load a run, and return the function that answers batches.

    One question is answered before, so that dictionary, index and model are in memory when the
    server says that it is ready. Raises UserError as `OpenRun.load` and `OpenRun.ask` do.
    """
    from kofinlaw.recipes.api import open_run

    opened = open_run(folder, trust=trust)
    opened.load()
    opened.ask_many([(_FIRST, None)], max_tokens=1)
    return lambda jobs: _batch(opened, jobs)


def _batch(opened: OpenRun, jobs: Sequence[Job]) -> list[object]:
    """Return the results of jobs, with one call of the engine for each kind and limit."""
    out: list[object] = [None] * len(jobs)
    groups: dict[tuple[type, int | None], list[int]] = {}
    for row, job in enumerate(jobs):
        limit = job.max_tokens if isinstance(job, Ask) else None
        groups.setdefault((type(job), limit), []).append(row)
    for rows in groups.values():
        try:
            results = _results(opened, [jobs[row] for row in rows])
        except Exception:  # find the job that is wrong; the others get their results
            results = [_alone(opened, jobs[row]) for row in rows]
        for row, result in zip(rows, results, strict=True):
            out[row] = result
    return out


def _alone(opened: OpenRun, job: Job) -> object:
    try:
        return _results(opened, [job])[0]
    except UserError as error:
        return Refused(str(error))
    except Exception as error:
        return Refused(f"{type(error).__name__} in the engine", fault=True)


def _results(opened: OpenRun, jobs: Sequence[Job]) -> Sequence[object]:
    asked = [job for job in jobs if isinstance(job, Ask)]
    if asked:
        pairs = [(job.question, job.as_of) for job in asked]
        return opened.ask_many(pairs, max_tokens=asked[0].max_tokens)
    chats = [job for job in jobs if isinstance(job, Complete)]
    if chats:
        return opened.complete([job.messages for job in chats], [job.limits for job in chats])
    return [_vectors(opened, job.texts) for job in jobs if isinstance(job, Embed)]


def _vectors(opened: OpenRun, texts: Sequence[str]) -> list[list[float]]:
    from kofinlaw.models.embedders import open_embedder

    name = opened.recipe.rag.embedder
    if name is None:
        raise UserError("this run searches without an embedder", where="rag.embedder")
    embedder = open_embedder(name, offline=opened.recipe.offline)
    return [[float(value) for value in row] for row in embedder.encode_queries(texts)]
