"""A grid over recipe keys: one ordinary run a point, stages shared where nothing differs."""

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
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.pipeline.runner import fingerprint, read_record
from kofinlaw.recipes.pipeline.stages import build_stages

Point = tuple[tuple[str, str], ...]
LAST_WORDS = 60  # lines of a failed child that are searched for its error


@dataclass(frozen=True)
class Failure:
    """A point that did not finish, and why in one line."""

    point: Point
    reason: str


def grid(over: Sequence[str]) -> list[Point]:
    """Every combination of the axes, in the order given.

    An axis is `KEY=a,b,c`, or `KEY,KEY=a:x,b:y` for keys that move together.
    Raises UserError for an axis without keys or values, with a value too few, a key twice, or
    points whose folders would have one name.
    """
    axes = [_axis(text) for text in over]
    keys = [key for axis in axes for key, _ in axis[0]]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise UserError(f"`{twice[0]}` is on two axes", where="--over", remedy="name a key once")
    points = [tuple(itertools.chain(*point)) for point in itertools.product(*axes)]
    names = [point_name(point) for point in points]
    same = sorted({name for name in names if names.count(name) > 1})
    if same:
        raise UserError(
            f"two points would share the folder {same[0]}",
            where="--over",
            remedy="leave doubled values out; what differs in signs alone cannot be told apart",
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
    """A folder name for a point: `rank=8,learning_rate=1e-4`."""
    parts = [f"{key.rpartition('.')[2]}={value}" for key, value in point]
    return re.sub(r"[^\w=.,-]", "_", ",".join(parts))


def share_stages(run: Run, siblings: Sequence[Path]) -> list[str]:
    """Take over the finished stages of other points that this point would repeat exactly.

    Files are hard-linked where the disk allows it, else copied: what is written later into a
    finished folder (the model's card) replaces a file by a rename, which parts the links. Returns
    the names of the stages taken over.
    """
    marks: dict[str, str] = {}
    taken = []
    for stage in build_stages(run):
        marks[stage.name] = fingerprint(stage, marks)
        target = run.folder / stage.name
        if target.exists() or (run.folder / f".{stage.name}.partial").exists():
            continue
        for sibling in siblings:
            record = read_record(sibling / stage.name)
            if record.get("status") == "complete" and record["fingerprint"] == marks[stage.name]:
                _link_tree(sibling / stage.name, target)
                taken.append(stage.name)
                break
    return taken


def _link_tree(source: Path, target: Path) -> None:
    half = target.with_name(f".{target.name}.shared")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(source, half, copy_function=_link)
    half.rename(target)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def missing_before_training(run: Run) -> str | None:
    """The last stage before training, where any of those up to it is still to be made."""
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
    """Run every point; a failed one (UserError) is noted and the rest go on.

    Returns (point, its run folder) of the finished ones, and the failures.
    """
    done: list[tuple[Point, Path]] = []
    failures = []
    for number, point in enumerate(points, 1):
        say(f"{number}/{len(points)}  {point_name(point)}")
        try:
            run = bind(point)
            shared = share_stages(run, [folder for _, folder in done])
            if shared:
                say(f"  as in an earlier point: {', '.join(shared)}")
            execute(run, point)
        except UserError as error:
            failures.append(Failure(point, str(error)))
            say(f"  failed: {error}")
            continue
        done.append((point, run.folder))
    return done, failures


def execute_in_child(arguments: Sequence[str]) -> None:
    """Run `kofinlaw ARGUMENTS` in a process of its own, its output passed through.

    A process of its own makes each point's memory its own, and a point that the kernel kills
    takes no other with it. Raises UserError with what the child says went wrong where it fails.
    """
    entry = "from kofinlaw.recipes.cli.entry import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", entry, *arguments], stderr=subprocess.PIPE, text=True, bufsize=1
    )
    said: deque[str] = deque(maxlen=LAST_WORDS)
    try:
        for line in child.stderr or ():
            sys.stderr.write(line)
            said.append(line)
        code = child.wait()
    except KeyboardInterrupt:
        child.wait()
        raise
    if code == 0:
        return
    if code < 0:
        name = signal.Signals(-code).name
        raise UserError(
            f"the run was ended by {name}",
            remedy="SIGKILL is most often the kernel short of memory: shorten "
            "train.max_length or set train.memory_limit_gib",
        )
    raise UserError(cause(list(said)) or f"exit code {code}")


def cause(said: Sequence[str]) -> str:
    """What the last words of a command say went wrong, on one line and without the remedy."""
    lines = [line for line in said if line.strip() and not line.lstrip().startswith("→")]
    start = max(
        (place for place, line in enumerate(lines) if line.startswith("error: ")),
        default=len(lines) - 1,
    )
    return " ".join(line.strip() for line in lines[max(0, start) :]).removeprefix("error: ")
