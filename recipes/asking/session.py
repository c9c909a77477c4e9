"""Take questions until the user leaves: one question a line, and commands that begin with a colon.

On a terminal an empty line, Ctrl-D or `:quit` leaves. Ctrl-C stops the answer; a second one leaves.
From a pipe every line is a question until the end of the input, and blank lines do not count.
"""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.decoding import clean_text, decode
from kofinlaw.recipes.asking.answer_lines import LineStyle, answer_lines, evidence_lines
from kofinlaw.recipes.asking.days import typed_day

if TYPE_CHECKING:
    from kofinlaw.rag.answer.single_question import AskedAnswer

__all__ = ["HELP", "PROMPT", "Ask", "Session", "TerminalLines", "piped_lines"]

Ask = Callable[[str, date | None], "AskedAnswer"]
PROMPT = "질문> "
HELP = (
    r"one question a line; end a line with \ to continue it, for options on their own lines",
    ":evidence   the passages of the last answer, whole",
    ":json       the last answer as JSON",
    ":scores     the last answer with scores, retrievers and passages that the model did not read",
    ":day DAY    only law in force on this day (:day alone: the recipe's own day)",
    ":quit       leave; so do an empty line and Ctrl-D. Ctrl-C stops an answer",
)


@dataclass
class Session:
    """Questions and their answers.

    - `ask` answers a question on a day; `say` prints one line of an answer, `note` one line that is
      not part of an answer.
    - `interactive` says that a user types at a terminal; otherwise each question is printed, too.
    - `as_json` prints each answer as one JSON object.
    - `day` is the day whose law is asked for; None: the recipe's own.
    - `failed` counts the lines that could not be answered.
    """

    ask: Ask
    say: Callable[[str], None]
    note: Callable[[str], None]
    style: LineStyle
    interactive: bool = True
    as_json: bool = False
    day: date | None = None
    last: AskedAnswer | None = None
    failed: int = 0

    def run(self, lines: Iterator[str]) -> None:
        """Take lines until they end, an empty one comes at a terminal, or the user leaves.

        Raises KeyboardInterrupt at the first Ctrl-C where no user types.
        """
        interrupted = asking = False
        while True:
            try:
                line = self._next(lines)
                if line is None:
                    return
                interrupted, asking = False, True
                if self._take(line):
                    return
            except KeyboardInterrupt:
                if not self.interactive:
                    raise
                if interrupted:
                    return
                self.note("\nthe answer is stopped; press Ctrl-C again to leave" if asking
                          else "\npress Ctrl-C again to leave")  # fmt: skip
                interrupted = True
            except UserError as error:
                self.failed += 1
                self.note(f"error: {error}")
            except (MemoryError, RuntimeError) as error:  # of the model: too little memory, a crash
                self.failed += 1
                self.note(f"error: the model failed: {type(error).__name__}: {error}")
            asking = False

    def _next(self, lines: Iterator[str]) -> str | None:
        """Return the next question or command; None at the end."""
        parts: list[str] = []
        for line in lines:
            text = clean_text(line).strip()
            if not text and not parts:
                if self.interactive:
                    return None
                continue
            parts.append(text.removesuffix("\\").rstrip())
            if not text.endswith("\\"):
                break
        return "\n".join(parts) if parts else None

    def _take(self, line: str) -> bool:
        """Answer a question or follow a command; return whether the user leaves."""
        if line.startswith(":"):
            return self._command(*line[1:].split(maxsplit=1))
        if not self.interactive and not self.as_json:
            self.say(f"{PROMPT}{line}")
        self.last = self.ask(line, self.day)
        if self.as_json:
            self._say_json(self.last)
        else:
            self._say_all([*answer_lines(self.last, self.style), ""])
        return False

    def _command(self, name: str = "", value: str = "") -> bool:
        if name == "quit":
            return True
        if name == "help":
            self._note_all(HELP)
        elif name == "day":
            self.day = typed_day(value, ":day") if value else None
            self.note(f"day: {self.day or 'the recipe decides'}")
        elif name not in ("evidence", "json", "scores"):
            raise UserError(f"unknown command :{name}", remedy=":help lists the commands")
        elif self.last is None:
            raise UserError("there is no answer yet", where=f":{name}", remedy="ask a question")
        elif name == "json":
            self._say_json(self.last)
        elif name == "scores":
            style = dataclasses.replace(self.style, debug=True)
            self._say_all(answer_lines(self.last, style))
        else:
            self._say_all(evidence_lines(self.last, self.style, whole=True))
        return False

    def _say_json(self, result: AskedAnswer) -> None:
        self.say(json.dumps(dataclasses.asdict(result), ensure_ascii=False))

    def _say_all(self, lines: list[str]) -> None:
        for line in lines:
            self.say(line)

    def _note_all(self, lines: tuple[str, ...]) -> None:
        for line in lines:
            self.note(line)


class TerminalLines:
    """The lines that a user types at the prompt. Unlike a generator it continues after Ctrl-C."""

    def __init__(self) -> None:
        import contextlib

        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  # editing and history of input()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            if sys.stdout.isatty():
                return input(PROMPT)
            sys.stderr.write(PROMPT)
            sys.stderr.flush()
            return input()
        except EOFError:
            raise StopIteration from None


def piped_lines() -> Iterator[str]:
    """Return the lines of standard input, in UTF-8 or CP949.

    Raises UserError, before a model is loaded, if all lines are blank.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    lines = map(_decoded, sys.stdin)
    for first in lines:
        if first.strip():
            return chain([first], lines)
    raise UserError(
        "there is no question on standard input",
        where="ask",
        remedy='write one a line, or name one: kofinlaw ask "질문"',
    )


def _decoded(line: str) -> str:
    """Return a clean line; one that is not UTF-8 is decoded again from its bytes."""
    line = line.rstrip("\r\n")
    try:
        data = line.encode("utf-8", errors="surrogateescape")
        data.decode("utf-8")
    except UnicodeDecodeError:
        return decode(data)[0]
    except UnicodeEncodeError:  # halves of surrogate pairs that are not from bytes
        pass
    return clean_text(line)
