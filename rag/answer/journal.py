"""Record an answering run on disk, so that it resumes after a kill and repeats no finished work.

- `plan.jsonl` is the journal: one line for each question and turn, with the plan and what the
  engine returned. `answers.jsonl` follows from it.
- `evidence.jsonl` holds the passages that were found, `timings.jsonl` the seconds.
- `bare.jsonl` holds the options' scores without context, where choices are made by contrast.
- `clock.json` holds the seconds used, and when it was written; `state.json` what must not change.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypedDict

from kofinlaw import UserError
from kofinlaw.data.law.versions import validity_text
from kofinlaw.files import (
    JsonlAppender,
    cut_torn_line,
    read_json_lines,
    read_jsonl,
    write_json,
    write_jsonl,
)
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.choosing.bare_scores import BareScore, BareScores
from kofinlaw.rag.choosing.preference import Vote
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.records import Answer, from_json

__all__ = ["BEAT_SECONDS", "STATE_VERSION", "EvidenceRow", "Journal", "Timing", "Turn"]

STATE_VERSION = 3
BEAT_SECONDS = 2.0  # used time is written this often, so a kill loses no more of it


@dataclass(frozen=True, slots=True)
class Turn:
    """One pass over one question, as a line of `plan.jsonl`.

    Turn 0 is the first answer; later turns are other orders of the options, or other candidates.

    - `plan` names the plan; `shown` counts the passages in the prompt; `prompt_tokens` and `tokens`
      count what was read and written; `cut` says that the question itself was shortened.
    - `scores` are the options' probabilities in the question's order (for free text those of
      `candidates`; empty where the text was generated).
    - `text` is what was written (also for a choice that was not scored), `reasoning` what was
      written before it; `logprob` is the mean of a written token (0 where the engine has none).
    - `failed` is the reason why there is no result.
    - `texts` are the packed texts of the evidence in the prompt, one for each passage shown. A
      later turn has them only where they differ from those of turn 0. Folders that an older
      version wrote have none.
    - `votes` are the values of each voter before they are standardised, for a choice by contrast;
      `bearing` is how much the evidence bears on the question (0..1).
    - `candidates` are the sentences among which a free-text answer was chosen. `quoted` is the id
      of the passage that `text` is a sentence of; `replaced` is why it replaces generated text
      (`empty`, `prompt`, `loop`, `script`, `unfinished`).
    - `abstained` is why the question is refused (`below_floor`, `absent_provision`,
      `deleted_provision`, `absent_document`); `text` is then the sentence that says so.
    """

    id: str
    turn: int
    plan: str
    shown: int
    prompt_tokens: int
    tokens: int
    cut: bool = False
    scores: list[float] = field(default_factory=list)
    text: str = ""
    logprob: float = 0.0
    failed: str = ""
    reasoning: str = ""
    texts: list[str] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    bearing: float = 0.0
    candidates: list[str] = field(default_factory=list)
    quoted: str = ""
    replaced: str = ""
    abstained: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one question by part, as a line of `timings.jsonl`.

    `prefill` is the scoring of choices, `decode` generation with its own prefill. The time of a
    batch is divided by tokens. `turns` counts passes, `plan` is that of the first one.
    """

    id: str
    retrieve: float
    prefill: float
    decode: float
    total: float
    turns: int
    plan: str


class EvidenceRow(TypedDict):
    """One passage of a question in `evidence.jsonl`, by the chunk's id."""

    chunk: str
    unit: str
    version: str
    score: float
    by: list[str]


class Journal:
    """The files of one answering run in `out`. Opening it reads what a killed run left.

    `wall_clock` gives seconds since the epoch. `turns` holds every turn by question id and number;
    `used_before` and `pause_before` are the seconds that earlier processes used, and those since
    the last of them was alive.
    """

    def __init__(
        self, out: Path, state: Mapping[str, object], wall_clock: Callable[[], float] = time.time
    ) -> None:
        """Raise UserError where the folder belongs to other questions or settings.

        `state` is what must not change between the processes of one run.
        """
        self.out = out
        self._check_state(state)
        for name in ("plan.jsonl", "timings.jsonl", "evidence.jsonl", "bare.jsonl"):
            cut_torn_line(out / name)
        self.turns: dict[tuple[str, int], Turn] = {}
        if (out / "plan.jsonl").exists():
            for turn in read_jsonl(out / "plan.jsonl", Turn):
                self.turns.setdefault((turn.id, turn.turn), turn)
        self._wall_clock = wall_clock
        self.used_before, self.pause_before = self._read_clock()
        self._last_beat = float("-inf")
        self._plan = JsonlAppender(out / "plan.jsonl")
        self._timings = JsonlAppender(out / "timings.jsonl")
        self._evidence = JsonlAppender(out / "evidence.jsonl")
        self._answers: JsonlAppender | None = None
        self._bare: JsonlAppender | None = None
        self.bare_scores = BareScores(self.read_bare(), self._record_bare)

    def record_turn(self, turn: Turn) -> bool:
        """Append a turn unless it is recorded already; returns whether it was new."""
        if (turn.id, turn.turn) in self.turns:
            return False
        first = self.turns.get((turn.id, 0))
        if turn.texts and first is not None and first.texts == turn.texts:
            turn = replace(turn, texts=[])
        self.turns[turn.id, turn.turn] = turn
        self._plan.append(turn)
        return True

    def record_timing(self, timing: Timing) -> None:
        """Append the seconds of one turn or search."""
        self._timings.append(timing)

    def record_answer(self, answer: Answer) -> None:
        """Append an answer; a later line of the same id replaces an earlier one."""
        if self._answers is None:
            self._answers = JsonlAppender(self.out / "answers.jsonl")
        self._answers.append(answer)

    def rewrite_answers(self, answers: Iterable[Answer]) -> None:
        """Replace `answers.jsonl` by these answers, before new ones are appended."""
        write_jsonl(self.out / "answers.jsonl", answers)

    def record_evidence(
        self, identity: str, hits: Sequence[Hit], judgement: Judgement | None = None
    ) -> None:
        """Append the hits of a question, given by its id, and the judgement on it if any."""
        rows: list[EvidenceRow] = [
            {
                "chunk": hit.chunk.id,
                "unit": hit.chunk.unit,
                "version": validity_text(hit.chunk.since, hit.chunk.until),
                "score": hit.score,
                "by": list(hit.by),
            }
            for hit in hits
        ]
        judged = {} if judgement is None else {"judgement": asdict(judgement)}
        self._evidence.append({"id": identity, "hits": rows, **judged})

    def read_evidence(self, folder: Path | None = None) -> dict[str, list[EvidenceRow]]:
        """Return the evidence found so far by question id; `folder` is that of another run."""
        path = (folder or self.out) / "evidence.jsonl"
        if not path.exists():
            return {}
        return {str(value["id"]): list(value["hits"]) for _, value in read_json_lines(path)}

    def read_judgements(self, folder: Path | None = None) -> dict[str, Judgement]:
        """Return the judgements so far by question id; `folder` is that of another run."""
        path = (folder or self.out) / "evidence.jsonl"
        if not path.exists():
            return {}
        return {
            str(value["id"]): from_json(Judgement, value["judgement"])
            for _, value in read_json_lines(path)
            if "judgement" in value
        }

    def read_bare(self, folder: Path | None = None) -> list[BareScore]:
        """Return the options' scores without context; `folder` is that of another run."""
        path = (folder or self.out) / "bare.jsonl"
        return list(read_jsonl(path, BareScore)) if path.exists() else []

    def _record_bare(self, score: BareScore) -> None:
        if self._bare is None:
            self._bare = JsonlAppender(self.out / "bare.jsonl")
        self._bare.append(score)

    def beat(self, used: float, *, force: bool = False) -> None:
        """Write the seconds used, at most every two seconds unless forced."""
        if force or used - self._last_beat >= BEAT_SECONDS:
            self._last_beat = used
            now = {"seconds_used": round(used, 3), "written_at": round(self._wall_clock(), 3)}
            write_json(self.out / "clock.json", now)

    def sync(self) -> None:
        """Flush the journal to the disk; a turn never without the scores that it was made from."""
        if self._bare is not None:
            self._bare.sync()
        self._plan.sync()

    def finish(self, order: Sequence[str], answers: Sequence[Answer]) -> list[Timing]:
        """Close the files and sort them by `order` (ids); returns a timing per question."""
        for appender in (
            self._plan,
            self._timings,
            self._evidence,
            self._answers,
            self._bare,
        ):
            if appender is not None:
                appender.close()
        position = {identity: number for number, identity in enumerate(order)}
        turns = sorted(self.turns.values(), key=lambda turn: (position[turn.id], turn.turn))
        found = self.out / "evidence.jsonl"
        rows = [value for _, value in read_json_lines(found)] if found.exists() else []
        evidence = {str(row["id"]): row for row in rows}
        timings = self._summed_timings(order)
        write_jsonl(
            self.out / "evidence.jsonl",
            [evidence[i] for i in order if i in evidence],
        )
        write_jsonl(self.out / "timings.jsonl", timings)
        if (self.out / "bare.jsonl").exists():
            bare = sorted(self.read_bare(), key=lambda score: score.text)
            write_jsonl(self.out / "bare.jsonl", bare)
        write_jsonl(self.out / "plan.jsonl", turns)
        write_jsonl(self.out / "answers.jsonl", answers)
        return timings

    def _summed_timings(self, order: Sequence[str]) -> list[Timing]:
        summed: dict[str, Timing] = {}
        for timing in read_jsonl(self.out / "timings.jsonl", Timing):
            so_far = summed.get(timing.id)
            if so_far is None:
                summed[timing.id] = timing
                continue
            summed[timing.id] = Timing(
                timing.id,
                round(so_far.retrieve + timing.retrieve, 6),
                round(so_far.prefill + timing.prefill, 6),
                round(so_far.decode + timing.decode, 6),
                round(so_far.total + timing.total, 6),
                so_far.turns + timing.turns,
                so_far.plan or timing.plan,
            )
        return [summed[identity] for identity in order if identity in summed]

    def _check_state(self, state: Mapping[str, object]) -> None:
        path = self.out / "state.json"
        current = json.loads(json.dumps({"version": STATE_VERSION, **state}))
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            changed = [name for name in current if before.get(name) != current[name]]
            if changed:
                raise UserError(
                    f"this folder holds another run: {', '.join(changed)} changed since it started",
                    where=str(self.out),
                    remedy="delete the folder to start again, or restore what was changed",
                )
            return
        write_json(path, current)

    def _read_clock(self) -> tuple[float, float]:
        """Return seconds that earlier processes used, and seconds since the last of them was alive.

        A wall clock that was set back gives no pause; one that was set forward is believed.
        """
        path = self.out / "clock.json"
        if not path.exists():
            return 0.0, 0.0
        clock = json.loads(path.read_text(encoding="utf-8"))
        pause = self._wall_clock() - float(clock.get("written_at", math.inf))
        return float(clock["seconds_used"]), max(0.0, pause)
