"""Record the requests to a teacher and its answers: one line for each request, append-only.

The key of a line is a hash of the request: the prompt, the model and how it is run, sampling and
constraint. A request that has a line is never sent again, so a killed run continues where it
stopped, and a changed prompt sends only its own requests again. Answers and errors are stored
unchanged. Every run checks the answers again.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.files import JsonlAppender, readable_lines, sha256_text
from kofinlaw.models.engines.base import SERVER_UNREACHABLE, Engine, Generation, Request

__all__ = ["Entry", "Ledger", "Resume", "open_ledger", "read_ledger", "request_key"]

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

    def ask(self, engine: Callable[[], Engine], requests: Sequence[Request]) -> Iterator[Entry]:
        """Yield one entry for each request, in order. Only requests without a line are sent.

        If the engine fails on a batch, its requests are sent one by one, and those that still fail
        are recorded as errors. `engine` is called when the first request is sent. Raises UserError
        if the disk is full or no server can be reached; recorded lines are kept.
        """
        for start in range(0, len(requests), self.batch):
            group = {request_key(r, self.model): r for r in requests[start : start + self.batch]}
            new = {key: r for key, r in group.items() if key not in self._entries}
            if new:
                self._record(new, _generate(engine(), list(new.values())))
            for request in requests[start : start + self.batch]:
                entry = self._entries[request_key(request, self.model)]
                self.used[entry.key] = entry
                yield entry

    def _record(self, new: dict[str, Request], made: Sequence[Generation]) -> None:
        """Write a line for each answer. Raises UserError if no server accepted a request."""
        with _appender(self.path) as appender:
            for (key, request), answer in zip(new.items(), made, strict=True):
                if answer.fault.startswith(SERVER_UNREACHABLE):
                    continue
                prompt = sha256_text(request.prompt)
                text = answer.text or answer.fault
                entry = Entry(key, prompt, self.model, text, answer.finish, answer.tokens)
                appender.append(entry)
                self._entries[key] = entry
                self.sent += 1
        gone = next(
            (answer.fault for answer in made if answer.fault.startswith(SERVER_UNREACHABLE)), None
        )
        if gone is not None:
            raise UserError(
                gone,
                where="augment.teacher.engine.servers",
                remedy=f"start it and run the same command again: the {len(self._entries)} answers "
                f"in {self.path.name} are kept",
            )


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


def _generate(engine: Engine, group: Sequence[Request]) -> list[Generation]:
    try:
        return engine.generate(list(group))
    except Exception as error:
        if len(group) == 1:
            fault = f"{type(error).__name__}: {error}"[:300]
            return [Generation("", 0, 0, "error", math.nan, fault)]
        return [made for request in group for made in _generate(engine, [request])]
