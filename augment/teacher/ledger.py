"""What was asked of a teacher and what came back, append-only, one line a request.

Keyed by the hash of the request (prompt, model and what runs it, sampling, constraint): a request
with a line is never sent again, so a killed run goes on where it stopped, and a changed prompt asks
only its own rows anew. Answers and errors are stored as they came; whether an answer is good is
decided later, every time.
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
from kofinlaw.files import JsonlAppender, cut_torn_line, sha256_text
from kofinlaw.models.engines.base import SERVER_UNREACHABLE, Engine, Generation, Request

Resume = Literal["never", "always", "if-possible"]


@dataclass(frozen=True)
class Entry:
    """One answered request. `finish` is `stop`, `length` or `error`; `tokens` were generated."""

    key: str
    prompt_sha256: str
    model: str
    text: str
    finish: str
    tokens: int


def request_key(request: Request, model: str) -> str:
    """SHA-256 over everything that decides the answer."""
    parts = [model, request.prompt, request.max_tokens, list(request.stop)]
    parts += [request.temperature, request.seed, request.regex, list(request.choices)]
    parts += [request.json_schema]
    return sha256_text(json.dumps(parts, ensure_ascii=False))


def read_ledger(path: Path) -> tuple[dict[str, Entry], list[int]]:
    """(entries by key, numbers of damaged lines).

    The first answer of a key counts; an error counts until an answer follows it.
    """
    entries: dict[str, Entry] = {}
    damaged: list[int] = []
    if not path.exists():
        return entries, damaged
    cut_torn_line(path)
    with open(path, "rb") as handle:
        for number, line in enumerate(handle, 1):
            try:
                entry = Entry(**json.loads(line.decode("utf-8")))
            except (ValueError, TypeError):
                damaged.append(number)
                continue
            if entry.key not in entries or entries[entry.key].finish == "error":
                entries[entry.key] = entry
    return entries, damaged


@dataclass
class Ledger:
    """The recorded entries of a file, and what this run used of them, in order.

    `retry_errors` forgets recorded errors, so that their requests are sent again.
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
        """An entry a request, in order; only those without a line are generated.

        A batch that the engine fails on is tried one by one, and what still fails is recorded as an
        error. `engine` is called when the first request is sent. Raises UserError on a full disk
        and where no server can be reached any more; what was recorded until then is kept.
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
        """A line each; a request that no server took gets none, and ends the run."""
        with _appender(self.path) as appender:
            for (key, request), told in zip(new.items(), made, strict=True):
                if told.fault.startswith(SERVER_UNREACHABLE):
                    continue
                prompt = sha256_text(request.prompt)
                text = told.text or told.fault
                entry = Entry(key, prompt, self.model, text, told.finish, told.tokens)
                appender.append(entry)
                self._entries[key] = entry
                self.sent += 1
        gone = next(
            (told.fault for told in made if told.fault.startswith(SERVER_UNREACHABLE)), None
        )
        if gone is not None:
            raise UserError(
                gone,
                where="augment.teacher.engine.servers",
                remedy=f"start it and run the same command again: the {len(self._entries)} answers "
                f"in {self.path.name} are not asked for again",
            )


@contextlib.contextmanager
def _appender(path: Path) -> Iterator[JsonlAppender]:
    """An appender whose closing does not hide why writing failed."""
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
    """The ledger of a run: `never` starts an empty one, `always` wants one that is there and whole.

    Raises UserError for `always` where there is none or a line is damaged.
    """
    if resume == "never":
        path.unlink(missing_ok=True)
    elif resume == "always" and not path.exists():
        raise UserError(
            "there is no ledger to go on with",
            where=str(path),
            remedy="use --resume if-possible to begin one",
        )
    ledger = Ledger(path, model, retry_errors, batch)
    if resume == "always" and ledger.damaged:
        raise UserError(
            f"damaged lines in the ledger: {', '.join(map(str, ledger.damaged))}",
            where=f"{path}:{ledger.damaged[0]}",
            remedy="mend them, or use --resume if-possible to ask their requests again",
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
