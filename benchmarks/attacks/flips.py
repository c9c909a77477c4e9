"""Change one byte of a finished run's outputs; the change must be named before the file is used."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from attacks.kills import kofinlaw

__all__ = ["Flips", "flip_bytes"]


@dataclass
class Flips:
    """How many changed bytes were named; `missed` are the files whose change was not."""

    tried: int = 0
    named: int = 0
    commands: int = 0
    commands_that_named: int = 0
    missed: list[str] = field(default_factory=list)


def flip_bytes(run: Path, seed: int, times: int, commands: int) -> Flips:
    """Change a byte at random, check the stage, restore the byte, `times` times.

    For the first `commands` changes, `kofinlaw run` is called too: it must name the file and end
    with 1 before it uses the file.
    """
    from kofinlaw.recipes.pipeline.integrity.checks import Checks, stages_in
    from kofinlaw.recipes.pipeline.integrity.outputs import find_outputs

    choice = random.Random(seed)
    found = Flips()
    stages = list(stages_in(run))
    files = [
        (stage, name, output.path)
        for stage in stages
        for name, output in find_outputs(run / stage).items()
        if output.path.stat().st_size
    ]
    for number in range(times):
        stage, name, path = files[choice.randrange(len(files))]
        place = choice.randrange(path.stat().st_size)
        with _flipped(path, place, 1 << choice.randrange(8)):
            state = Checks(run, fresh=True).state(stage)
            named = any(change.name == name for change in state.changes)
            found.tried += 1
            found.named += named
            if not named:
                found.missed.append(f"{stage}/{name} at byte {place}")
            if number < commands:
                done = kofinlaw(run.parent.parent, "run", "recipe.yaml")
                found.commands += 1
                said = done.stdout + done.stderr
                good = done.returncode == 1 and name.rsplit("/", 1)[-1] in said
                found.commands_that_named += good and "Traceback" not in said
                if not good:
                    found.missed.append(f"run: {stage}/{name}: exit {done.returncode}")
    return found


class _flipped:  # noqa: N801 (used like a function)
    """Change one byte of a file; the old byte comes back at the end of the block."""

    def __init__(self, path: Path, place: int, mask: int) -> None:
        self._path, self._place, self._mask = path, place, mask

    def _turn(self) -> None:
        with open(self._path, "rb+") as handle:
            handle.seek(self._place)
            byte = handle.read(1)[0]
            handle.seek(self._place)
            handle.write(bytes([byte ^ self._mask]))

    def __enter__(self) -> None:
        self._turn()

    def __exit__(self, *exception: object) -> None:
        self._turn()
