"""Loaded models shared by those who ask for the same one, unloaded when the last is done."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.engines.base import ChoiceScore, Engine, EngineStats, Generation, Request


@dataclass
class _Resident:
    engine: Engine | None = None
    users: int = 0
    loading: threading.Lock = field(default_factory=threading.Lock)
    lock: threading.Lock = field(default_factory=threading.Lock)


_residents: dict[Any, _Resident] = {}
_guard = threading.Lock()


def lease(key: Any, load: Callable[[], Engine]) -> Lease:
    """The engine loaded under `key`, or a fresh one by `load`, until the lease is closed.

    Only those who want the same model wait for its load.
    """
    with _guard:
        resident = _residents.setdefault(key, _Resident())
        resident.users += 1
    try:
        with resident.loading:
            if resident.engine is None:
                resident.engine = load()
    except BaseException:
        _let_go(key, resident)
        raise
    return Lease(key, resident, resident.engine)


def forget(engine: Engine) -> None:
    """Hand this engine to nobody else: it hangs, and the next lease of its key loads afresh.

    Does nothing for an engine that is not leased. Who holds it may still close it.
    """
    if isinstance(engine, Lease) and engine._resident is not None:
        with _guard:
            _drop(engine._key, engine._resident)


def resident_count() -> int:
    """How many models are loaded, or loading, through leases."""
    return len(_residents)


def _let_go(key: Any, resident: _Resident) -> bool:
    """One user less; says whether it was the last."""
    with _guard:
        resident.users -= 1
        if not resident.users:
            _drop(key, resident)
        return not resident.users


def _drop(key: Any, resident: _Resident) -> None:
    # A forgotten one's key may name another by now.
    if _residents.get(key) is resident:
        del _residents[key]


class Lease:
    """One user's hold on a resident engine: calls go through, counts are this user's own.

    Users in several threads take turns.
    """

    def __init__(self, key: Any, resident: _Resident, engine: Engine) -> None:
        self._key = key
        self._resident: _Resident | None = resident
        self._engine = engine
        self.name = engine.name
        self.deterministic = engine.deterministic
        self.tokenizer = engine.tokenizer
        self.stats = EngineStats()

    @contextmanager
    def _using(self) -> Iterator[Engine]:
        if self._resident is None:
            raise UserError("this engine is closed")
        engine = self._engine
        with self._resident.lock:
            before = dataclasses.replace(engine.stats)
            try:
                yield engine
            finally:
                for name in (f.name for f in dataclasses.fields(EngineStats)):
                    gained = getattr(engine.stats, name) - getattr(before, name)
                    setattr(self.stats, name, getattr(self.stats, name) + gained)

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """One generation a request, in order."""
        with self._using() as engine:
            return engine.generate(requests)

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """For each prompt the score of each of its choices as the text that follows."""
        with self._using() as engine:
            return engine.score(prompts, choices)

    def close(self) -> None:
        """Let go; the last to do so unloads the model. Safe to call twice."""
        if self._resident is None:
            return
        resident, self._resident = self._resident, None
        if _let_go(self._key, resident):
            self._engine.close()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
