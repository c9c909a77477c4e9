"""Share loaded engines in this process: load each model once, unload it after its last user."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from kofinlaw import UserError
from kofinlaw.models.engines.base import ChoiceScore, Engine, EngineStats, Generation, Request

__all__ = ["EngineLease", "forget_engine", "kill_engine", "lease_engine", "shared_engine_count"]


@dataclass
class _SharedEngine:
    engine: Engine | None = None
    users: int = 0
    loading: threading.Lock = field(default_factory=threading.Lock)
    calling: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class _Registry:
    """The shared engines of this process by the key they were leased under, guarded by `lock`."""

    engines: dict[Hashable, _SharedEngine] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@cache
def _registry() -> _Registry:
    return _Registry()


def lease_engine(key: Hashable, load: Callable[[], Engine]) -> EngineLease:
    """Return a lease of the engine under `key`; the first lease of a key loads it with `load`.

    Threads that lease the same key wait while it loads; leases of other keys do not wait.
    """
    with _registry().lock:
        shared = _registry().engines.setdefault(key, _SharedEngine())
        shared.users += 1
    try:
        with shared.loading:
            if shared.engine is None:
                shared.engine = load()
    except BaseException:
        _release(key, shared)
        raise
    return EngineLease(key, shared, shared.engine)


def forget_engine(engine: Engine) -> None:
    """Stop sharing a hanging engine: the next lease of its key loads a new one.

    Does nothing for an engine that is not leased. Its present users may still close it.
    """
    if isinstance(engine, EngineLease) and engine._shared is not None:
        with _registry().lock:
            _drop(engine._key, engine._shared)


def kill_engine(engine: Engine) -> None:
    """End the process that holds the model of a hanging engine, so that its memory is free.

    Does nothing for an engine whose model lies in this process, which nothing can end.
    """
    held = engine._engine if isinstance(engine, EngineLease) else engine
    kill = getattr(held, "kill", None)
    if kill is not None:
        kill()


def shared_engine_count() -> int:
    """Return how many shared engines are loaded or loading."""
    return len(_registry().engines)


def _release(key: Hashable, shared: _SharedEngine) -> bool:
    """Count one user less; returns whether it was the last."""
    with _registry().lock:
        shared.users -= 1
        if not shared.users:
            _drop(key, shared)
        return not shared.users


def _drop(key: Hashable, shared: _SharedEngine) -> None:
    # The key of a forgotten engine may already belong to a newer one.
    engines = _registry().engines
    if engines.get(key) is shared:
        del engines[key]


class EngineLease:
    """One user's access to a shared engine, with separate call counts.

    Users in several threads call the engine one after another.
    """

    def __init__(self, key: Hashable, shared: _SharedEngine, engine: Engine) -> None:
        self._key = key
        self._shared: _SharedEngine | None = shared
        self._engine = engine
        self.name = engine.name
        self.deterministic = engine.deterministic
        self.tokenizer = engine.tokenizer
        self.stats = EngineStats()

    @contextmanager
    def _using(self) -> Iterator[Engine]:
        if self._shared is None:
            raise UserError("this engine is closed")
        engine = self._engine
        with self._shared.calling:
            before = dataclasses.replace(engine.stats)
            try:
                yield engine
            finally:
                for name in (f.name for f in dataclasses.fields(EngineStats)):
                    gained = getattr(engine.stats, name) - getattr(before, name)
                    setattr(self.stats, name, getattr(self.stats, name) + gained)

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one generation per request, in order."""
        with self._using() as engine:
            return engine.generate(requests)

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Return for each prompt the scores of its choices as the text that follows."""
        with self._using() as engine:
            return engine.score(prompts, choices)

    def close(self) -> None:
        """End the lease; the last lease unloads the model. Safe to call twice."""
        if self._shared is None:
            return
        shared, self._shared = self._shared, None
        if _release(self._key, shared):
            self._engine.close()

    def __enter__(self) -> EngineLease:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
