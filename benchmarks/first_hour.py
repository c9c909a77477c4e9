"""Walk the first hour of a new user: a folder of office files, `init`, `plan`, `run`, `ask`.

    python benchmarks/first_hour.py --work DIR
    python benchmarks/first_hour.py --work DIR --only ask
    python benchmarks/first_hour.py --work DIR --only regulations --regulations FOLDER

The folder has eleven office files of an invented bank and one picture. The parts:

- `ask`: the start *ask only*, then 12 planted questions, 12 that no document answers, and 12 more
  that the documents answer in other words (`first_hour/questions.jsonl`).
- `train`: the start *train and prove* on the same folder (about half an hour on one core).
- `regulations`: *ask only* on a folder of real supervisory regulations with 30 questions that they
  answer and 30 that they do not (`first_hour/regulation_questions.jsonl`). Needs `--regulations`.

After the first command of a part, only commands are run that a command printed under "Next:",
exactly as printed. A work folder that has been used continues: finished stages are skipped.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from office_files import HERE, PICTURE, write_folder
from outcome import Target, outcome

from kofinlaw.data.prompting.wording import NO_EVIDENCE

__all__ = ["Asked", "Walk", "main", "next_commands"]

PARTS = ("ask", "train", "regulations")


@dataclass
class Command:
    """A command that was run: who printed it, how long it took, how it ended, what it wrote."""

    line: str
    printed_by: str
    seconds: float
    code: int
    output: str = field(repr=False)


@dataclass
class Asked:
    """An answered question: was it refused, and does the first passage hold the answer?"""

    id: str
    question: str
    answerable: bool
    refused: bool
    right: bool
    answer: str
    passage: str


def next_commands(output: str) -> list[str]:
    """Return the commands under the last "Next:" of an output, without their comments."""
    _, found, after = output.rpartition("\nNext:\n")
    lines = [line.strip() for line in after.splitlines() if line.startswith("  ")] if found else []
    return [line.split("   #")[0].strip() for line in lines if line.startswith("kofinlaw ")]


def has_placeholder(command: str) -> bool:
    """Return whether a printed command has a word to be replaced (`FOLDER`, `KEY.jsonl`)."""
    return any(re.fullmatch(r"[A-Z]{3,}(\.\w+)?", word) for word in shlex.split(command))


def _with_this_python(path: str) -> str:
    """Return the search path with this Python's programs first, so that `kofinlaw` is found."""
    return os.pathsep.join([str(Path(sys.executable).parent), path])


class Walk:
    """The commands of one start in the work folder; each but the first must have been printed."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.commands: list[Command] = []
        self._printed: dict[str, str] = {}

    def start(self, line: str) -> None:
        """Run the first command."""
        self._printed[line] = "the guide"
        self._run(line)

    def follow(self, name: str) -> str:
        """Run the printed command `kofinlaw NAME …` and return its output.

        Raises SystemExit if no command printed one.
        """
        wanted = [line for line in self._printed if line.startswith(f"kofinlaw {name} ")]
        if not wanted:
            raise SystemExit(f"no command printed `kofinlaw {name}`")
        return self._run(wanted[-1])

    @property
    def placeholders(self) -> list[str]:
        """The printed commands that cannot be run as printed."""
        return [line for line in self._printed if has_placeholder(line)]

    @property
    def run_folder(self) -> Path:
        """The folder that the printed `ask` names."""
        asks = [line for line in self._printed if line.startswith("kofinlaw ask ")]
        words = shlex.split(asks[-1]) if asks else []
        return self.work / (words[words.index("--run") + 1] if "--run" in words else "runs")

    def _run(self, line: str) -> str:
        print(f"$ {line}", flush=True)
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "kofinlaw", *shlex.split(line)[1:]],
            cwd=self.work,
            env={**os.environ, "PATH": _with_this_python(os.environ.get("PATH", ""))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        seconds = round(time.monotonic() - started, 1)
        self.commands.append(
            Command(line, self._printed[line], seconds, done.returncode, done.stdout)
        )
        for command in next_commands(done.stdout):
            self._printed.pop(command, None)
            self._printed[command] = line
        if done.returncode:
            print(done.stdout, flush=True)
        print(f"  {seconds} s, exit code {done.returncode}", flush=True)
        return done.stdout


def walked(work: Path, first: str) -> Walk:
    """Run the first command and the plan, run and ask that follow from it.

    Stops at the first command that fails.
    """
    walk = Walk(work)
    walk.start(first)
    for name in ("plan", "run", "ask"):
        if walk.commands[-1].code:
            break
        walk.follow(name)
    return walk


def file_name(source: str) -> str:
    """Return the file of a record's source: composed Hangul, without folder and row number."""
    return unicodedata.normalize("NFC", Path(re.sub(r"#\d+$", "", source)).name)


def accounted(names: Sequence[str], run: Path, terminal: str) -> list[str]:
    """Return the files that the run reads, or names as unread in the terminal, the card and
    rejected.jsonl.
    """
    chunks = read_lines(run / "data" / "chunks.jsonl")
    read = {file_name(chunk["source"]) for chunk in chunks}
    rejected = {file_name(row["id"]) for row in read_lines(run / "data" / "rejected.jsonl")}
    card = unicodedata.normalize("NFC", (run / "data" / "card.md").read_text(encoding="utf-8"))
    said = unicodedata.normalize("NFC", terminal)
    return [
        name
        for name in names
        if name in card and (name in read or (name in rejected and name in said))
    ]


def days_found(run: Path) -> dict[str, set[str]]:
    """Return the days in force of each file's passages."""
    days: dict[str, set[str]] = defaultdict(set)
    for chunk in read_lines(run / "data" / "chunks.jsonl"):
        days[file_name(chunk["source"])].add(chunk["as_of"])
    return days


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def ask_all(work: Path, run: Path, questions: Sequence[dict[str, Any]]) -> list[Asked]:
    """Ask all questions in one session of `kofinlaw ask`, through a pipe.

    Raises SystemExit if the session does not answer each question.
    """
    command = ["ask", "--run", str(run.relative_to(work)), "--json"]
    print(f"$ kofinlaw {shlex.join(command)} < questions", flush=True)
    log, asked = work / "ask.log", []
    sources = {row["id"]: row["source"] for row in read_lines(run / "data" / "chunks.jsonl")}
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as errors:
        session = subprocess.Popen(
            [sys.executable, "-m", "kofinlaw", *command],
            cwd=work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        )
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write("".join(question["question"] + "\n" for question in questions))
        session.stdin.close()
        waiting = iter(questions)
        for line in session.stdout:
            if line.startswith("{"):
                one = judged(next(waiting), json.loads(line), sources)
                asked.append(one)
                mark = "refused" if one.refused else "answered"
                print(
                    f"  {one.id:<14} {mark:<9}{'right' if one.right else '':<6} {one.passage}",
                    flush=True,
                )
        code = session.wait()
    if code or len(asked) != len(questions):
        raise SystemExit(f"{len(asked)} of {len(questions)} answers, exit code {code}: see {log}")
    print(f"  {time.monotonic() - started:.1f} s", flush=True)
    return asked


def judged(question: dict[str, Any], answer: dict[str, Any], sources: dict[str, str]) -> Asked:
    """Return a question with what became of it.

    Args:
        question: A line of a question file.
        answer: The object that `kofinlaw ask --json` printed.
        sources: The source of each chunk, by its id.
    """
    evidence = answer["evidence"]
    top = evidence[0] if evidence else {"chunk": "", "unit": "", "text": ""}
    right = (
        question["answerable"]
        and question["key"] in top["text"]
        and _is_of(question, sources.get(top["chunk"], ""), top["unit"])
    )
    refused = bool(answer.get("abstained")) or NO_EVIDENCE in answer["answer"]
    return Asked(
        question["id"],
        question["question"],
        question["answerable"],
        refused,
        right,
        answer["answer"],
        top["unit"],
    )


def _is_of(question: dict[str, Any], source: str, unit: str) -> bool:
    """Return whether a passage is of the file, or of the regulation, that has the answer."""
    if "file" in question:
        return file_name(source) == question["file"]
    return bool(unit.replace(" ", "").startswith(question["regulation"].replace(" ", "")))


Targets = dict[str, tuple[Any, Target]]


def ask_part(work: Path, figures: dict[str, Any], targets: Targets) -> None:
    """Walk *ask only* on the office files and ask the 36 questions."""
    files = write_folder(work / "documents")
    walk = walked(work, fresh("documents", "ask", work / "ask.yaml"))
    report_walk("ask", walk, figures, targets)
    ran = [command for command in walk.commands if command.line.startswith("kofinlaw run ")]
    if not ran or ran[-1].code:
        return
    run = walk.run_folder
    names = [*(entry.file for entry in files), PICTURE]
    known = accounted(names, run, ran[-1].output)
    figures["not_accounted"] = [name for name in names if name not in known]
    days = days_found(run)
    wrong = {
        entry.file: sorted(days[entry.file])
        for entry in files
        if days[entry.file] != {entry.day or ""}
    }
    figures["wrong_days"] = wrong
    asked = ask_all(work, run, read_lines(HERE / "questions.jsonl"))
    parts = {part: [a for a in asked if a.id.startswith(part)] for part in PLANTED_PARTS}
    figures["planted_answered"] = sum(not one.refused for one in parts["planted"])
    figures["reworded_right_first"] = sum(one.right for one in parts["reworded"])
    figures["wrong_questions"] = [asdict(one) for one in asked if not _good(one)]
    targets |= {
        "files_accounted_of_12": (len(known), ("==", 12)),
        "right_days_of_11": (len(files) - len(wrong), ("==", 11)),
        "planted_right_first_of_12": (sum(one.right for one in parts["planted"]), ("==", 12)),
        "unanswerable_refused_of_12": (sum(one.refused for one in parts["refused"]), (">=", 11)),
        "answerable_answered_of_12": (
            sum(not one.refused for one in parts["reworded"]),
            (">=", 11),
        ),
    }


PLANTED_PARTS = ("planted", "refused", "reworded")


def _good(asked: Asked) -> bool:
    if not asked.answerable:
        return asked.refused
    return not asked.refused and (asked.right or not asked.id.startswith("planted"))


def train_part(work: Path, figures: dict[str, Any], targets: Targets) -> None:
    """Walk *train and prove* on the office files."""
    write_folder(work / "documents")
    walk = walked(work, fresh("documents", "train", work / "trained.yaml"))
    report_walk("train", walk, figures, targets)
    made = walk.run_folder / "augment" / "examples.jsonl"
    figures["training_examples"] = len(read_lines(made)) if made.is_file() else 0
    stages = [path.parent.name for path in walk.run_folder.glob("*/stage.json")]
    figures["finished_stages"] = sorted(stages)


def regulations_part(
    work: Path, regulations: Path, figures: dict[str, Any], targets: Targets
) -> None:
    """Walk *ask only* on the regulations and ask the 60 questions."""
    walk = walked(work, fresh(str(regulations.absolute()), "ask", work / "regulations.yaml"))
    report_walk("regulations", walk, figures, targets)
    if walk.commands[-1].code:
        return
    questions = read_lines(HERE / "regulation_questions.jsonl")
    asked = ask_all(work, walk.run_folder, questions)
    yes, no = [a for a in asked if a.answerable], [a for a in asked if not a.answerable]
    figures["regulations_right_first"] = sum(one.right for one in yes)
    figures["regulations_wrong_questions"] = [asdict(one) for one in asked if not _good(one)]
    targets |= {
        "regulations_answered_of_30": (sum(not one.refused for one in yes), (">=", 27)),
        "regulations_refused_of_30": (sum(one.refused for one in no), (">=", 27)),
    }


def fresh(folder: str, start: str, recipe: Path) -> str:
    """Return the first command; a recipe of an earlier benchmark in this work folder is deleted,
    because `init` never overwrites one.
    """
    recipe.unlink(missing_ok=True)
    return shlex.join(["kofinlaw", "init", folder, "--start", start, "--yes", "--out", recipe.name])


def report_walk(part: str, walk: Walk, figures: dict[str, Any], targets: Targets) -> None:
    """Add the commands of a part to the figures, and that all of them worked to the targets."""
    figures[f"{part}_commands"] = [
        {
            "command": one.line,
            "printed_by": one.printed_by,
            "seconds": one.seconds,
            "code": one.code,
        }
        for one in walk.commands
    ]
    figures[f"{part}_placeholders"] = walk.placeholders
    worked = sum(not one.code for one in walk.commands)
    targets[f"{part}_commands_worked_of_4"] = (worked, ("==", 4))
    targets[f"{part}_next_lines_to_edit"] = (len(walk.placeholders), ("==", 0))


def print_table(targets: Targets) -> None:
    """Print each target with its value."""
    print(f"\n{'check':<34} {'value':>6}  target")
    for name, (value, (sign, bound)) in targets.items():
        print(f"{name:<34} {value:>6}  {sign} {bound:g}")
    print()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the parts and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, help="folder to work in (default: a temporary one)")
    parser.add_argument("--only", choices=PARTS, action="append", help="run this part (repeatable)")
    parser.add_argument("--regulations", type=Path, help="folder of the supervisory regulations")
    given = parser.parse_args(argv)
    parts = given.only or [part for part in PARTS if part != "regulations" or given.regulations]
    if "regulations" in parts and not given.regulations:
        parser.error("the part regulations needs --regulations FOLDER")
    with tempfile.TemporaryDirectory(prefix="first-hour-") as temporary:
        work = (given.work or Path(temporary)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        figures: dict[str, Any] = {}
        targets: Targets = {}
        if "ask" in parts:
            ask_part(work, figures, targets)
        if "train" in parts:
            train_part(work, figures, targets)
        if "regulations" in parts:
            regulations_part(work, given.regulations, figures, targets)
    print_table(targets)
    print(outcome(figures, targets, not_run=[part for part in PARTS if part not in parts]))


if __name__ == "__main__":
    main()
