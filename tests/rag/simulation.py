"""A simulated clock, engine and searcher that fail on a schedule; nothing really waits."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kofinlaw.models.engines.base import ChoiceScore, EngineStats, Generation, Request
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.watchdog import Overdue
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question

T = TypeVar("T")

TEMPLATE = ChatTemplate(
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}",
    bos="<s>",
    eos="<end>",
)


class Clock:
    """Seconds that pass only when something says so."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class SimulatedCaller:
    """A ThreadCaller on the simulated clock: a call that takes longer than its limit is left
    behind at the limit, and what it would have returned is lost."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def __call__(self, function: Callable[[], T], limit: float) -> T:
        return self.start(function).result(limit)

    def start(self, function: Callable[[], T]) -> Simulated:
        return Simulated(self.clock, function)

    def separate(self) -> SimulatedCaller:
        return self


class Simulated:
    """A call that takes simulated time when its result is read."""

    def __init__(self, clock: Clock, function: Callable[[], Any]) -> None:
        self.clock, self.function = clock, function

    def done(self) -> bool:
        return False

    def result(self, limit: float) -> Any:
        started = self.clock.now
        try:
            value = self.function()
        except Exception:
            if self.clock.now - started > limit:
                self.clock.now = started + limit
                raise Overdue("left behind") from None
            raise
        if self.clock.now - started > limit:
            self.clock.now = started + limit
            raise Overdue("left behind")
        return value


class Counter:
    def encode(self, text: str) -> list[int]:
        return [ord(c) for c in text]

    def count(self, text: str) -> int:
        return len(text)


def fraction(*parts: object) -> float:
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64


class Faults:
    """Probabilities per call: a crash, a memory error, a stall, an empty text, a short result list."""

    def __init__(
        self,
        *,
        seconds_per_token: float = 0.0001,
        crash: float = 0.0,
        memory: float = 0.0,
        stall: float = 0.0,
        empty: float = 0.0,
        short: float = 0.0,
        load_seconds: float = 5.0,
        load_crash: float = 0.0,
        slows: float = 1.0,
        memory_limit: int = 10**9,
    ) -> None:
        self.seconds_per_token = seconds_per_token
        self.crash, self.memory, self.stall = crash, memory, stall
        self.empty, self.short = empty, short
        self.load_seconds, self.load_crash = load_seconds, load_crash
        self.slows = slows
        self.memory_limit = memory_limit


class FaultyEngine:
    """Answers by hash, takes simulated time, fails as `Faults` says."""

    name = "faulty"
    deterministic = True

    def __init__(self, clock: Clock, faults: Faults, draw: random.Random) -> None:
        self.clock, self.faults, self.draw = clock, faults, draw
        self.tokenizer = Counter()
        self.stats = EngineStats()
        self.calls: list[list[str]] = []

    def _trouble(self, prompts: Sequence[str], tokens: float) -> None:
        self.calls.append(list(prompts))
        faults, draw = self.faults, self.draw
        self.clock.now += tokens * faults.seconds_per_token
        faults.seconds_per_token *= faults.slows
        if draw.random() < faults.stall:
            self.clock.now += draw.choice([60.0, 1000.0, 1e9])
        if draw.random() < faults.memory or sum(map(len, prompts)) > faults.memory_limit:
            raise draw.choice([MemoryError(), RuntimeError("CUDA error: out of memory")])
        if draw.random() < faults.crash:
            raise draw.choice([RuntimeError("device-side assert"), ValueError("bad shape")])

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        self._trouble(prompts, sum(map(len, prompts)))
        out = []
        for prompt, row in zip(prompts, choices, strict=True):
            bad = self.draw.random() < self.faults.empty
            out.append(
                [ChoiceScore(float("nan") if bad else -10 * fraction(prompt, c), 1) for c in row]
            )
        return out[:-1] if self.draw.random() < self.faults.short else out

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        tokens = sum(len(r.prompt) + 20 * 30 for r in requests)
        self._trouble([r.prompt for r in requests], tokens)
        out = []
        for request in requests:
            if self.draw.random() < self.faults.empty:
                out.append(Generation("", len(request.prompt), 0, "stop", 0.0))
                continue
            part = fraction(request.prompt, request.seed if request.temperature else 0)
            if request.choices:
                text = request.choices[int(part * len(request.choices))]
            else:
                text = f"금융회사는 손해를 배상할 책임을 진다 {int(part * 1e6)}."
            out.append(Generation(text, len(request.prompt), 30, "stop", -3.0))
        return out[:-1] if self.draw.random() < self.faults.short else out

    def close(self) -> None:
        pass

    def __enter__(self) -> FaultyEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class FakeSearcher:
    """Finds three passages for anything."""

    def __init__(
        self, clock: Clock, *, seconds: float = 0.01, fails: bool = False, finds: bool = True
    ) -> None:
        self.settings = RagSettings(evidence_tokens=400)
        self.clock, self.seconds, self.fails, self.finds = clock, seconds, fails, finds
        self.searched = 0

    fingerprint = "fake"
    needs_model: tuple[str, ...] = ()

    def with_model(self, engine: Any, template: Any) -> FakeSearcher:
        return self

    def search(
        self, questions: Sequence[Question], *, as_of: Any = None, rerank: bool = True
    ) -> list[list[Hit]]:
        self.days = as_of
        self.clock.now += self.seconds * len(questions)
        self.searched += len(questions)
        if self.fails:
            raise RuntimeError("index went away")
        if not self.finds:
            return [[] for _ in questions]
        return [
            [Hit(chunk, 1.0 - i / 10, ("kiwi:stem",)) for i, chunk in enumerate(self.three(q.id))]
            for q in questions
        ]

    def absent(self, question: Question) -> tuple[Any, ...]:
        return ()

    def judge(self, questions: Sequence[Question]) -> list[Any]:
        return [None] * len(questions)

    def three(self, identity: str) -> list[Chunk]:
        return [self.chunk(int(fraction(identity, i) * 50)) for i in range(3)]

    def chunk(self, number: int) -> Chunk:
        text = f"전자금융거래법 제{number}조(책임)\n① 금융회사는 이용자의 손해를 {number}일 이내에 배상한다.\n"
        text += "② 이용자는 접근매체를 안전하게 관리하여야 한다. " * (number % 7)
        return Chunk(
            f"법/제{number}조", "법", "전자금융거래법", "statute", f"제{number}조",
            f"전자금융거래법 제{number}조", text, "2025-01-01", "t", "PD", str(number),
        )  # fmt: skip

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        try:
            return [self.chunk(int(i.split("제")[1].removesuffix("조"))) for i in ids]
        except (ValueError, IndexError) as error:
            raise KeyError(f"no passage {ids}") from error


def question_file(folder: Path, choices: int, free: int, draw: random.Random) -> Path:
    """A contest-like CSV."""
    import csv

    path = folder / "test.csv"
    with open(path, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ID", "Question"])
        for number in range(choices):
            options = [f"{draw.randint(1, 90)}일 이내 통지 {i}" for i in range(draw.choice([4, 5]))]
            stem = "금융회사의 통지 기한으로 옳은 것은? " + "사례 " * draw.randint(0, 40)
            lines = [stem, *(f"{i} {text}" for i, text in enumerate(options, 1))]
            writer.writerow([f"Q{number:03d}", "\n".join(lines)])
        for number in range(free):
            writer.writerow([f"F{number:03d}", f"금융회사의 배상책임 {number}을 설명하세요."])
    return path
