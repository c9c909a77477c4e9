"""Define what the server asks of a run, and answer a batch of it with few calls of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kofinlaw import UserError
from kofinlaw.models.engines.following import (
    Follower,
    InterruptedGenerationError,
    followed_by,
)
from kofinlaw.results import JsonValue

if TYPE_CHECKING:
    from kofinlaw.data.law.verifying.known_law import KnownLaw
    from kofinlaw.rag.answer.single_question import AskedAnswer
    from kofinlaw.recipes.api import Limits, OpenRun

__all__ = [
    "Answered",
    "Answering",
    "Ask",
    "Complete",
    "Embed",
    "Embedded",
    "Job",
    "Listener",
    "Refused",
    "load_run",
]


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
    """Why one job has no result, with a code for programs.

    `fault` says that kofinlaw failed, and not the request. `param` is the field at fault.
    """

    message: str
    fault: bool = False
    code: str = "engine_refused"
    param: str | None = None


Job = Ask | Complete | Embed


@dataclass(frozen=True)
class Answered:
    """An answer from the index, with what the corpus says about references.

    - `verdicts` has the verdict on each passage of `answer.evidence`, see `CheckedCitation`.
    - `references` are the records of the references in the answer's text.
    """

    answer: AskedAnswer
    verdicts: tuple[str, ...] = ()
    references: tuple[JsonValue, ...] = ()


@dataclass(frozen=True)
class Embedded:
    """A vector for each text of an `Embed`, and how many tokens the embedder read."""

    rows: list[list[float]]
    tokens: int


class Listener(Protocol):
    """Follows a batch while it is answered."""

    def text(self, job: int, text: str) -> None:
        """Receive the answer of a job so far."""

    def stopped(self) -> bool:
        """Return whether nobody waits for the batch any more."""


Answering = Callable[[Sequence[Job], Listener], list[object]]

_FIRST = "보관 기간은 며칠인가?"  # loads what the first question would otherwise wait for


def load_run(folder: Path, *, trust: bool = False) -> Answering:
    """Load a run, and return the function that answers batches.

    One question is answered before, so that dictionary, index and model are in memory when the
    server says that it is ready. Raises UserError as `OpenRun.load` and `OpenRun.ask` do.
    """
    from kofinlaw.data.law.verifying.known_law import KnownLaw
    from kofinlaw.recipes.api import open_run

    opened = open_run(folder, trust=trust)
    opened.load()
    opened.ask_many([(_FIRST, None)], max_tokens=1)
    return _Answerer(opened, KnownLaw.of_corpus(folder / "data"))


class _Answerer:
    """Answers batches from a loaded run, with one call of the engine for each kind and limit."""

    def __init__(self, opened: OpenRun, law: KnownLaw) -> None:
        self._opened, self._law = opened, law

    def __call__(self, jobs: Sequence[Job], listener: Listener) -> list[object]:
        out: list[object] = [None] * len(jobs)
        groups: dict[tuple[type, int | None], list[int]] = {}
        for row, job in enumerate(jobs):
            limit = job.max_tokens if isinstance(job, Ask) else None
            groups.setdefault((type(job), limit), []).append(row)
        for rows in groups.values():
            some = [jobs[row] for row in rows]
            # The engine numbers its requests; those of a question are no text of an answer.
            text = None
            if isinstance(some[0], Complete):
                text = _numbered(listener, rows)
            try:
                with followed_by(Follower(stopped=listener.stopped, text=text)):
                    results = self._results(some)
            except InterruptedGenerationError:
                raise
            except Exception:  # find the job that is wrong; the others get their results
                results = [self._alone(job) for job in some]
            for row, result in zip(rows, results, strict=True):
                out[row] = result
        return out

    def _alone(self, job: Job) -> object:
        from kofinlaw.recipes.api import DialogueTooLongError

        try:
            return self._results([job])[0]
        except DialogueTooLongError as error:
            return Refused(str(error), code="context_length_exceeded", param="messages")
        except UserError as error:
            return Refused(str(error))
        except Exception as error:
            return Refused(f"{type(error).__name__} in the engine", fault=True)

    def _results(self, jobs: Sequence[Job]) -> Sequence[object]:
        asked = [job for job in jobs if isinstance(job, Ask)]
        if asked:
            pairs = [(job.question, job.as_of) for job in asked]
            answers = self._opened.ask_many(pairs, max_tokens=asked[0].max_tokens)
            return [self._checked(*one) for one in zip(answers, asked, strict=True)]
        chats = [job for job in jobs if isinstance(job, Complete)]
        if chats:
            return self._opened.complete(
                [job.messages for job in chats], [job.limits for job in chats]
            )
        wanted = [job.texts for job in jobs if isinstance(job, Embed)]
        rows = iter(self._opened.embed([text for texts in wanted for text in texts]).tolist())
        return [
            Embedded([next(rows) for _ in texts], self._opened.count_embedded(texts))
            for texts in wanted
        ]

    def _checked(self, answer: AskedAnswer, job: Ask) -> Answered:
        """Return an answer with the verdicts on its passages and on the references in its text."""
        from kofinlaw.data.law.verifying.verify import verify_citations

        verdicts = []
        for hit in answer.evidence:
            found = verify_citations(hit.unit, self._law, as_of=job.as_of)
            verdicts.append(found[0].verdict if found else "unknown")
        said = verify_citations(answer.option or answer.answer, self._law, as_of=job.as_of)
        return Answered(answer, tuple(verdicts), tuple(one.to_record() for one in said))


def _numbered(listener: Listener, rows: Sequence[int]) -> Callable[[int, str], None]:
    return lambda number, text: listener.text(rows[number], text)
