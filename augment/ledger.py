"""What was asked of a teacher and what came back, append-only, one line a request.

Keyed by the hash of the request (prompt, model, revision, sampling): a request with a line is
never sent again, so a killed run goes on where it stopped, and a changed prompt asks only its own
rows anew. Answers are stored as text; whether one is good is decided later, every time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw.data.files import JsonlAppender, cut_torn_line, sha256_text
from kofinlaw.models.engines import Engine, Request


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
    return sha256_text(json.dumps(parts, ensure_ascii=False))


def read_ledger(path: Path) -> tuple[dict[str, Entry], list[int]]:
    """(entries by key, numbers of damaged lines); the first line of a key counts."""
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
            entries.setdefault(entry.key, entry)
    return entries, damaged


def ask(
    engine: Engine | None, requests: Sequence[Request], path: Path, *, model: str, batch: int = 8
) -> Iterator[Entry]:
    """An entry a request, in order; only those without a line are generated.

    Batches are cut over all requests, so that a resumed run hands the engine the same ones: a
    half-recorded batch is generated again whole, and what was recorded stays. A batch that the
    engine fails on is tried one by one, and what still fails is recorded as an error. `engine` may
    be None where every request has its line.
    """
    entries, _ = read_ledger(path)
    with JsonlAppender(path) as appender:
        for start in range(0, len(requests), batch):
            group = requests[start : start + batch]
            keys = [request_key(request, model) for request in group]
            if any(key not in entries for key in keys):
                for key, request, made in zip(keys, group, _generate(engine, group), strict=True):
                    if key not in entries:
                        text, finish, tokens = made
                        prompt = sha256_text(request.prompt)
                        entries[key] = Entry(key, prompt, model, text, finish, tokens)
                        appender.append(entries[key])
            for key in keys:
                yield entries[key]


def _generate(engine: Engine | None, group: Sequence[Request]) -> list[tuple[str, str, int]]:
    if engine is None:
        raise ValueError("a request has no line in the ledger, and there is no engine to ask")
    try:
        return [(g.text, g.finish, g.tokens) for g in engine.generate(list(group))]
    except Exception as error:
        if len(group) == 1:
            return [(f"{type(error).__name__}: {error}"[:300], "error", 0)]
        return [made for request in group for made in _generate(engine, [request])]
