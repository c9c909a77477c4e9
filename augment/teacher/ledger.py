"""Record the requests to a teacher and its answers: one line for each request, never changed.

The key of a line is a hash of the request: the prompt, the model and how it is run, sampling and
constraint. A request that has a line is never sent again, so a killed run continues where it
stopped, and a changed prompt sends only its own requests again. Answers and errors are stored
unchanged. Every run checks the answers again.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from kofinlaw import UserError
from kofinlaw.cluster.jobs import Job, Pool
from kofinlaw.decoding import load_json
from kofinlaw.files import JsonlAppender, atomic_write_bytes, readable_lines, sha256_text
from kofinlaw.models.engines.base import SERVER_UNREACHABLE, Engine, Generation, Request

__all__ = [
    "Answering",
    "AnsweringJob",
    "Entry",
    "Ledger",
    "Resume",
    "answering_job",
    "generate",
    "open_ledger",
    "read_ledger",
    "request_key",
]

# The processes that answer batches of requests, each with an engine.
Answering: TypeAlias = Pool[list[Request], list[Generation]]
AnsweringJob: TypeAlias = Job[Engine, list[Request], list[Generation]]
Resume = Literal["never", "always", "if-possible"]


@dataclass(frozen=True)
class Entry:
    """One answered request.

    `finish` is `stop`, `length` or `error`; `tokens` is the number of generated tokens. The text of
    an error is its message.
    """

    key: str
    prompt_sha256: str
    model: str
    text: str
    finish: str
    tokens: int


def request_key(request: Request, model: str) -> str:
    """Return the SHA-256 of everything that decides the answer.

    `model` is the name of a `TeacherModel`.
    """
    parts = [model, request.prompt, request.max_tokens, list(request.stop)]
    parts += [request.temperature, request.seed, request.regex, list(request.choices)]
    parts += [request.json_schema]
    return sha256_text(json.dumps(parts, ensure_ascii=False))


def read_ledger(path: Path) -> tuple[dict[str, Entry], list[int]]:
    """Return (entries by key, numbers of damaged lines). A line that was cut at the end is removed.

    The first answer of a key counts. An error counts until an answer follows it.
    """
    entries: dict[str, Entry] = {}
    rows, damaged = readable_lines(path, _entry)
    for entry in map(_entry, rows):
        if entry.key not in entries or entries[entry.key].finish == "error":
            entries[entry.key] = entry
    return entries, damaged


def _entry(row: dict[str, object]) -> Entry:
    """Return a line as an entry. Raises TypeError for other fields or types."""
    texts = ("key", "prompt_sha256", "model", "text", "finish")
    if not (all(isinstance(row.get(n), str) for n in texts) and isinstance(row.get("tokens"), int)):
        raise TypeError("a field has another type")
    return Entry(**row)  # type: ignore[arg-type]


@dataclass
class Ledger:
    """The recorded entries of a file and those that this run used.

    Attributes:
        path: The file.
        model: The name of the `TeacherModel`.
        retry_errors: Ignore recorded errors, so that their requests are sent again.
        batch: Requests in one call of the engine.
        damaged: Numbers of damaged lines.
        used: Entries that this run used, by key, in order.
        sent: Requests that this run sent.
    """

    path: Path
    model: str
    retry_errors: bool = False
    batch: int = 8
    damaged: list[int] = field(default_factory=list)
    used: dict[str, Entry] = field(default_factory=dict)
    sent: int = 0

    def __post_init__(self) -> None:
        self._entries, self.damaged = read_ledger(self.path)
        if self.retry_errors:
            self._entries = {k: e for k, e in self._entries.items() if e.finish != "error"}

    def ask(self, pool: Answering, requests: Sequence[Request]) -> Iterator[Entry]:
        """Yield one entry for each request, in order. Only requests without a line are sent.

        Every answer is recorded as soon as it arrives. If an engine fails on a batch, its requests
        are sent one by one, and those that still fail are recorded as errors. At the end the lines
        of these requests are put into the order of the requests, so that several processes leave
        the file of one. Raises UserError if the disk is full or no server can be reached; recorded
        lines are kept.
        """
        keys = [request_key(request, self.model) for request in requests]
        batches = self._new_batches(keys, requests)
        gone: list[str] = []

        def due() -> Iterator[list[Request]]:
            for batch in batches:
                if gone:  # no server: answers that are on their way are still recorded
                    return
                yield list(batch.values())

        with closing(pool.results(due())) as results:
            for start in range(0, len(requests), self.batch):
                while not all(key in self._entries for key in keys[start : start + self.batch]):
                    found = next(results, None)
                    if found is None:
                        raise self._unreachable(gone[0])
                    number, made = found
                    gone += self._record(batches[number], made)
                for key in keys[start : start + self.batch]:
                    entry = self._entries[key]
                    self.used[key] = entry
                    yield entry
        _order_lines(self.path, {key: place for place, key in enumerate(keys)})

    def _new_batches(
        self, keys: Sequence[str], requests: Sequence[Request]
    ) -> list[dict[str, Request]]:
        """Return the requests without a line by key, in the engine's batches; each key once."""
        seen: set[str] = set()
        batches = []
        for start in range(0, len(requests), self.batch):
            part = zip(keys[start:], requests[start : start + self.batch], strict=False)
            new = {k: r for k, r in part if k not in self._entries and k not in seen}
            seen |= new.keys()
            if new:
                batches.append(new)
        return batches

    def _record(self, new: dict[str, Request], made: Sequence[Generation]) -> list[str]:
        """Write a line for each answer; returns the faults of requests that no server accepted."""
        gone = []
        with _appender(self.path) as appender:
            for (key, request), answer in zip(new.items(), made, strict=True):
                if answer.fault.startswith(SERVER_UNREACHABLE):
                    gone.append(answer.fault)
                    continue
                prompt = sha256_text(request.prompt)
                text = answer.text or answer.fault
                entry = Entry(key, prompt, self.model, text, answer.finish, answer.tokens)
                appender.append(entry)
                self._entries[key] = entry
                self.sent += 1
        return gone

    def _unreachable(self, fault: str) -> UserError:
        return UserError(
            fault,
            where="augment.teacher.engine.servers",
            remedy=f"start it and run the same command again: the {len(self._entries)} answers "
            f"in {self.path.name} are kept",
        )


def _order_lines(path: Path, places: Mapping[str, int]) -> None:
    """Let the lines of these requests change places, so that they are in the order of the requests.

    All other lines stay where they are. The file is replaced in one step, and only if a line moves.
    """
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    known = [
        (number, place) for number, line in enumerate(lines) if (place := _place(line, places))
    ]
    slots = [number for number, _ in known]
    ordered = [number for number, _ in sorted(known, key=lambda pair: pair[1])]
    if ordered == slots:
        return
    moved = dict(zip(slots, (lines[number] for number in ordered), strict=True))
    with atomic_write_bytes(path) as handle:
        handle.write(b"\n".join(moved.get(number, line) for number, line in enumerate(lines)))


def _place(line: bytes, places: Mapping[str, int]) -> int:
    """Return the place (from 1) of a line's request; 0 for another or a damaged line."""
    try:
        key = load_json(line.decode("utf-8"))["key"]
    except (ValueError, TypeError, KeyError):
        return 0
    return places[key] + 1 if isinstance(key, str) and key in places else 0


@contextlib.contextmanager
def _appender(path: Path) -> Iterator[JsonlAppender]:
    """An appender whose closing does not hide the reason why writing failed."""
    appender = JsonlAppender(path)
    try:
        yield appender
    except BaseException:
        with contextlib.suppress(OSError):
            appender.close()
        raise
    appender.close()


def open_ledger(
    path: Path, model: str, *, resume: Resume, retry_errors: bool = False, batch: int = 8
) -> Ledger:
    """Open the ledger of a run.

    Args:
        path: The file.
        model: The name of the `TeacherModel`.
        resume: `never` deletes the file first; `always` needs an existing file without damaged
            lines; `if-possible` takes what is there.
        retry_errors: Send requests with a recorded error again.
        batch: Requests in one call of the engine.

    Raises:
        UserError: With `always`, if the file is missing or a line is damaged.
    """
    if resume == "never":
        path.unlink(missing_ok=True)
    elif resume == "always" and not path.exists():
        raise UserError(
            "there is no ledger to resume from",
            where=str(path),
            remedy="use --resume if-possible to start one",
        )
    ledger = Ledger(path, model, retry_errors, batch)
    if resume == "always" and ledger.damaged:
        raise UserError(
            f"damaged lines in the ledger: {', '.join(map(str, ledger.damaged))}",
            where=f"{path}:{ledger.damaged[0]}",
            remedy="fix them, or use --resume if-possible to send their requests again",
        )
    return ledger


def answering_job(name: str, open_engine: Callable[[], Engine]) -> AnsweringJob:
    """Return the job that answers batches of requests with a model of its own in each process.

    `open_engine` is sent to other processes (`functools.partial` of a module's function).
    """
    return Job(name, open_engine, generate, card=True)


def generate(engine: Engine, group: Sequence[Request]) -> list[Generation]:
    """Return the engine's answers; requests on which it fails are sent one by one."""
    try:
        return engine.generate(list(group))
    except Exception as error:
        if len(group) == 1:
            fault = f"{type(error).__name__}: {error}"[:300]
            return [Generation("", 0, 0, "error", math.nan, fault)]
        return [made for request in group for made in generate(engine, [request])]
