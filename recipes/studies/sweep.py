"""Run a recipe at every point of a grid of its keys; points share the stages that are the same."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.integrity.checks import Checks
from kofinlaw.recipes.pipeline.integrity.fingerprints import marks
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.pipeline.stages import build_stages

__all__ = [
    "LAST_LINES",
    "Failure",
    "Point",
    "cause",
    "execute_in_child",
    "grid",
    "missing_before_training",
    "point_name",
    "run_points",
    "share_stages",
]

Point = tuple[tuple[str, str], ...]
LAST_LINES = 60  # lines of a failed child process that are searched for its error


@dataclass(frozen=True)
class Failure:
    """A point that did not finish, and the reason in one line."""

    point: Point
    reason: str


def grid(over: Sequence[str]) -> list[Point]:
    """Return every combination of the axes, in the order given.

    An axis is `KEY=a,b,c`, or `KEY,KEY=a:x,b:y` for keys that change together. Raises UserError
    for an axis without keys or values, an axis with too few values, a key that is on two axes, and
    points whose folders would have the same name.
    """
    axes = [_axis(text) for text in over]
    keys = [key for axis in axes for key, _ in axis[0]]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise UserError(f"`{twice[0]}` is on two axes", where="--over", remedy="name each key once")
    points = [tuple(itertools.chain(*point)) for point in itertools.product(*axes)]
    names = [point_name(point) for point in points]
    same = sorted({name for name in names if names.count(name) > 1})
    if same:
        raise UserError(
            f"two points would share the folder {same[0]}",
            where="--over",
            remedy="leave out repeated values, and values that differ only in special characters",
        )
    return points


def _axis(text: str) -> list[Point]:
    left, equals, right = text.partition("=")
    keys = [key.strip() for key in left.split(",")]
    choices = [value.strip() for value in right.split(",") if value.strip()]
    if not equals or not all(keys) or not choices:
        raise UserError(
            "an axis has the form KEY=a,b,c, or KEY,KEY=a:x,b:y for keys that move together",
            where=f"--over {text}",
            remedy="for example --over train.lora.rank=8,16,32",
        )
    axis = []
    for choice in choices:
        values = choice.split(":") if len(keys) > 1 else [choice]
        if len(values) != len(keys):
            raise UserError(
                f"`{choice}` has {len(values)} values for {len(keys)} keys",
                where=f"--over {text}",
                remedy=f"write {len(keys)} values with colons between them",
            )
        axis.append(tuple(zip(keys, values, strict=True)))
    return axis


def point_name(point: Point) -> str:
    """Return the folder name of a point, for example `rank=8,learning_rate=1e-4`."""
    parts = [f"{key.rpartition('.')[2]}={value}" for key, value in point]
    return re.sub(r"[^\w=.,-]", "_", ",".join(parts))


def share_stages(run: Run, siblings: Sequence[Path]) -> list[str]:
    """Take over the complete stages of other points that this point would repeat exactly.

    Files are hard-linked if the disk allows it, else copied. A later write to a complete folder
    (the model's card) replaces a file by a rename, so it does not change the linked file of the
    other point. A stage whose files changed is not taken over. Returns the names of the stages that
    were taken over.
    """
    taken = []
    for stage, mark in marks(build_stages(run), run.folder):
        target = run.folder / stage.name
        if target.exists() or (run.folder / f".{stage.name}.partial").exists():
            continue
        for sibling in siblings:
            record = read_record(sibling / stage.name)
            same = record.get("fingerprint") == mark and "edited" not in record
            complete = same and record.get("status") == "complete"
            if complete and Checks(sibling).state(stage.name).intact:
                _link_tree(sibling / stage.name, target)
                taken.append(stage.name)
                break
    return taken


def _link_tree(source: Path, target: Path) -> None:
    # Under a temporary name first, so that a kill leaves no incomplete folder.
    partial = target.with_name(f".{target.name}.shared")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial, copy_function=_link)
    partial.rename(target)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def missing_before_training(run: Run) -> str | None:
    """Return the last stage before training, if a stage before training is not complete;
    else None.
    """
    names = [stage.name for stage in build_stages(run)]
    before = names[: names.index("train")] if "train" in names else []
    missing = [n for n in before if read_record(run.folder / n).get("status") != "complete"]
    return before[-1] if missing else None


def run_points(
    points: Sequence[Point],
    bind: Callable[[Point], Run],
    execute: Callable[[Run, Point], None],
    say: Callable[[str], None],
) -> tuple[list[tuple[Point, Path]], list[Failure]]:
    """Run every point; a point that fails with UserError is recorded and the others still run.

    Args:
        points: The points of the grid.
        bind: Gives the run of a point.
        execute: Runs a point.
        say: Called with one line of text for each event.

    Returns each finished point with its run's folder, and the failures.
    """
    done: list[tuple[Point, Path]] = []
    failures = []
    for number, point in enumerate(points, 1):
        say(f"{number}/{len(points)}  {point_name(point)}")
        try:
            run = bind(point)
            shared = share_stages(run, [folder for _, folder in done])
            if shared:
                say(f"  the same as in an earlier point: {', '.join(shared)}")
            execute(run, point)
        except UserError as error:
            failures.append(Failure(point, str(error)))
            say(f"  failed: {error}")
            continue
        except KeyboardInterrupt as stop:
            stop.add_note(f"point {number}/{len(points)}, {point_name(point)}")
            raise
        done.append((point, run.folder))
    return done, failures


def execute_in_child(arguments: Sequence[str]) -> None:
    """Run `kofinlaw ARGUMENTS` in a child process and pass its output through.

    In a separate process each point's memory is measured alone, and a point that the kernel kills
    does not end the others. Raises UserError with the child's error message if it fails.
    """
    entry = "from kofinlaw.recipes.cli.entry import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", entry, *arguments], stderr=subprocess.PIPE, text=True, bufsize=1
    )
    printed: deque[str] = deque(maxlen=LAST_LINES)
    try:
        for line in child.stderr or ():
            sys.stderr.write(line)
            printed.append(line)
        code = child.wait()
    except KeyboardInterrupt:
        child.wait()
        raise
    if code == 0:
        return
    if code < 0:
        name = signal.Signals(-code).name
        raise UserError(
            f"the run was killed by {name}",
            remedy="SIGKILL usually means that memory ran out: reduce train.max_length or set "
            "train.memory_limit_gib",
        )
    raise UserError(cause(list(printed)) or f"exit code {code}")


def cause(printed: Sequence[str]) -> str:
    """Return the error in the last lines that a command printed,
    on one line and without the remedy.
    """
    lines = [line for line in printed if line.strip() and not line.lstrip().startswith("→")]
    errors = [index for index, line in enumerate(lines) if line.startswith("error: ")]
    start = errors[-1] if errors else max(0, len(lines) - 1)
    return " ".join(line.strip() for line in lines[start:]).removeprefix("error: ")
