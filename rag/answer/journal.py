"""Record an answering run on disk, so that it resumes after a kill and repeats no finished work.

- `plan.jsonl` is the journal: one line for each question and turn, with the plan and what the
  engine returned. `answers.jsonl` follows from it.
- `evidence.jsonl` holds the passages that were found, `timings.jsonl` the seconds.
- `bare.jsonl` holds the options' scores without context, where choices are made by contrast.
- `clock.json` holds the seconds used, and when it was written; `state.json` what must not change.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from kofinlaw import UserError
from kofinlaw.data.law.versions import validity_text
from kofinlaw.files import (
    JsonlAppender,
    read_json_lines,
    read_jsonl,
    repair_lines,
    set_aside,
    write_json,
    write_jsonl,
)
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.choosing.bare_scores import BareScore, BareScores
from kofinlaw.rag.choosing.preference import Vote
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.records import Answer, from_json
from kofinlaw.tolerant_files import is_intact, read_json, sealed

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

    A file that cannot be read never ends a run that may have a deadline: lines that cannot be read
    are left out, so that their questions are asked again, and the file with them is set aside.
    `notes` has a sentence for each.
    """

    def __init__(
        self, out: Path, state: Mapping[str, object], wall_clock: Callable[[], float] = time.time
    ) -> None:
        """Raise UserError where the folder belongs to other questions or settings.

        `state` is what must not change between the processes of one run.
        """
        self.out = out
        self.notes: list[str] = []
        times = self._times()  # before a file is repaired
        self._check_state(state)
        for name, check in _CHECKS.items():
            self._note(repair_lines(out / name, check))
        self.turns: dict[tuple[str, int], Turn] = {}
        if (out / "plan.jsonl").exists():
            for turn in read_jsonl(out / "plan.jsonl", Turn):
                self.turns.setdefault((turn.id, turn.turn), turn)
        self._wall_clock = wall_clock
        self.used_before, self.pause_before = self._read_clock(times)
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
        asked = [turn for turn in self.turns.values() if turn.id in position]
        turns = sorted(asked, key=lambda turn: (position[turn.id], turn.turn))
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

    def _note(self, text: str) -> None:
        """Keep a sentence about a file that could not be read, and write it to the log."""
        if text:
            self.notes.append(text)
            logging.getLogger("kofinlaw").warning("%s: %s", self.out, text)

    def _check_state(self, state: Mapping[str, object]) -> None:
        path = self.out / "state.json"
        current = json.loads(json.dumps({"version": STATE_VERSION, **state}))
        if path.exists():
            before = read_json(path)
            if before is None or not is_intact(before):
                self._set_aside_all(path)
                write_json(path, sealed(current))
                return
            changed = [name for name in current if before.get(name) != current[name]]
            if changed:
                raise UserError(
                    f"this folder holds another run: {', '.join(changed)} changed since it started",
                    where=str(self.out),
                    remedy="delete the folder to start again, or restore what was changed",
                )
            return
        write_json(path, sealed(current))

    def _set_aside_all(self, state: Path) -> None:
        """Set the journal aside: without its state it is not known which run it belongs to.

        The clock is kept, since the time that it counts has passed in any case.
        """
        names = [name for name in (*_CHECKS, "answers.jsonl") if (self.out / name).exists()]
        kept = [set_aside(self.out / name).name for name in (state.name, *names)]
        self._note(
            f"{state.name} cannot be read, so the questions are answered from the start; kept: "
            + ", ".join(kept)
        )

    def _read_clock(self, times: tuple[float, float]) -> tuple[float, float]:
        """Return seconds that earlier processes used, and seconds since the last of them was alive.

        A wall clock that was set back gives no pause; one that was set forward is believed. If the
        clock cannot be read, the `times` of the files count: the first and the last change.
        """
        path = self.out / "clock.json"
        if not path.exists():
            return 0.0, 0.0
        clock = read_json(path) or {}
        used, written = _seconds(clock.get("seconds_used")), _seconds(clock.get("written_at"))
        if used is None or (written is None and "written_at" in clock):
            started, written = times
            used = max(0.0, written - started)
            self._note(
                f"{path.name} cannot be read: {used:.0f} seconds count as used, from the times of "
                "the files"
            )
        return used, 0.0 if written is None else max(0.0, self._wall_clock() - written)

    def _times(self) -> tuple[float, float]:
        """Return when the files of an earlier process were written: the first and the last one."""
        files = [self.out / name for name in ("state.json", "clock.json", *_CHECKS)]
        times = [path.stat().st_mtime for path in files if path.exists()]
        return min(times, default=0.0), max(times, default=0.0)


def _seconds(value: object) -> float | None:
    """Return a JSON value as a number of seconds; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


_PLAIN: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list[float]": (int, float),
    "list[str]": (str,),
    "list[Vote]": (dict,),
}


def _check_row(record_type: type[Turn | Timing | BareScore], value: Mapping[str, object]) -> None:
    """Raise TypeError if a line is not a record of this type, with values of its fields' types."""
    record = from_json(record_type, value)
    for one in fields(record_type):
        kind = str(one.type)
        found = getattr(record, one.name)
        if kind.startswith("list") and not isinstance(found, list):
            raise TypeError(f"{one.name} is not a list")
        for part in found if kind.startswith("list") else [found]:
            if not isinstance(part, _PLAIN[kind]) or (isinstance(part, bool) and kind != "bool"):
                raise TypeError(f"{one.name} has another type")


def _check_evidence(value: Mapping[str, Any]) -> None:
    """Raise TypeError or KeyError if a line is not the evidence of a question."""
    hits = value["hits"]
    texts = [value["id"], *(text for hit in hits for text in (hit["chunk"], *hit["by"]))]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("an id is not a text")
    if not all(isinstance(hit["score"], int | float) for hit in hits):
        raise TypeError("a score is not a number")
    if "judgement" in value:
        from_json(Judgement, value["judgement"])


_CHECKS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "plan.jsonl": partial(_check_row, Turn),
    "timings.jsonl": partial(_check_row, Timing),
    "evidence.jsonl": _check_evidence,
    "bare.jsonl": partial(_check_row, BareScore),
}
