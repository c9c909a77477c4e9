"""Attack the product: kills, changed bytes, bombs, patterns, and changed files of every form.

    python benchmarks/attack.py --work DIR
    python benchmarks/attack.py --work DIR --only kills --seed 7
    python benchmarks/attack.py --short

The parts:

- `kills`: SIGKILL at a random moment of each stage of a run in miniature. The run is then
  completed. Its outputs must be byte-identical to those of a run without kills.
- `flips`: one random bit of a random output of a finished run. It must be named before use.
- `bombs`: small files that unpack, nest or repeat without end. Each must be read or refused within
  60 s.
- `patterns`: every regular expression on texts of doubling length.
- `fuzz`: changed copies of small valid files of every form. Allowed are success, a rejection and
  one UserError: no traceback, nothing over 30 s, no document that vanishes.

`--short` does a little of each in seconds. Seeds and counts are printed. The last line is JSON.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attacks.bombs import bombs
from attacks.cases import Ending, table
from attacks.flips import flip_bytes
from attacks.fuzz import fuzz
from attacks.kills import finished_run, kill_run
from attacks.small_run import write_run_folder
from outcome import Target, outcome

__all__ = ["PARTS", "Counts", "main"]

Targets = dict[str, tuple[Any, Target]]


@dataclass(frozen=True)
class Counts:
    """How much each part does."""

    series: int = 3  # killed runs; each is killed once in each stage
    flips: int = 400
    commands: int = 4  # of the flips, on which `kofinlaw run` is called too
    mebibytes: float = 16  # of the large bombs
    bombs: int = 0  # how many of them; 0: all
    share: float = 1.0  # of the patterns
    changed: int = 60  # copies of each form


SHORT = Counts(series=0, flips=40, commands=0, mebibytes=0.02, bombs=12, share=0.02, changed=1)


class Attack:
    """The parts, with what they share: the work folder and one finished run."""

    def __init__(self, work: Path, seed: int, counts: Counts) -> None:
        self.work, self.seed, self.counts = work, seed, counts
        self.figures: dict[str, Any] = {"seed": seed, "counts": asdict(counts)}
        self.targets: Targets = {}
        self._whole: Path | None = None

    @property
    def source(self) -> Path:
        """The folder of the recipe in miniature; it is written at the first use."""
        folder = self.work / "source"
        if not folder.exists():
            write_run_folder(folder)
        return folder

    @property
    def whole(self) -> Path:
        """The finished run; it is made at the first use."""
        if self._whole is None:
            self._whole = finished_run(self.source)
        return self._whole

    def kills(self) -> None:
        """Kill runs in each stage."""
        found = kill_run(self.source, self.whole, self.work, self.seed, self.counts.series)
        self.figures["kills"] = asdict(found)
        for line in found.different:
            print(f"  {line}")
        self.targets |= {
            "kills": (found.kills, (">=", 10 * self.counts.series)),
            "killed_runs_completed": (found.completed, ("==", found.series)),
            "outputs_that_differ_after_kills": (len(found.different), ("==", 0)),
        }

    def flips(self) -> None:
        """Change bytes of the finished run."""
        found = flip_bytes(self.whole, self.seed, self.counts.flips, self.counts.commands)
        self.figures["flips"] = asdict(found)
        for line in found.missed:
            print(f"  not named: {line}")
        self.targets |= {
            "changed_bytes_named": (found.named, ("==", found.tried)),
            "runs_that_named_the_file": (found.commands_that_named, ("==", found.commands)),
        }

    def bombs(self) -> None:
        """Give the readers bombs."""
        counts = self.counts
        endings = bombs(self.work / "bombs", counts.mebibytes, counts.bombs, self.seed)
        self._report("bombs", endings)

    def patterns(self) -> None:
        """Time the patterns."""
        from attacks.patterns import attack

        counts, slow, grows = attack(self.counts.share, self.seed)
        self.figures["patterns"] = counts
        for one in slow:
            print(f"  {one.ratio} times for twice the text: {one.where}")
        for where in grows:
            print(f"  grows by its structure: {where}")
        self.targets |= {
            "patterns_over_2.6_times": (len(slow), ("==", 0)),
            "patterns_that_grow": (len(grows), ("==", 0)),
        }

    def fuzz(self) -> None:
        """Give every reader changed files."""
        tried, endings, lost = fuzz(self.work / "fuzz", self.seed, self.counts.changed)
        self.figures["changed_files"] = tried
        self._report("fuzz", endings)
        for name in lost:
            print(f"  lost without a word: {name}")
        self.targets["documents_lost"] = (len(lost), ("==", 0))

    def _report(self, part: str, endings: Sequence[Ending]) -> None:
        for line in table(endings):
            print(line)
        how = Counter(one.how for one in endings)
        slowest = max((one.seconds for one in endings), default=0.0)
        self.figures[part] = {"cases": len(endings), **how, "slowest_seconds": round(slowest, 1)}
        self.targets |= {
            f"{part}_faults": (how["fault"], ("==", 0)),
            f"{part}_hangs": (how["hang"], ("==", 0)),
            f"{part}_processes_lost": (how["killed"], ("==", 0)),
        }


PARTS: dict[str, Callable[[Attack], None]] = {
    "kills": Attack.kills,
    "flips": Attack.flips,
    "bombs": Attack.bombs,
    "patterns": Attack.patterns,
    "fuzz": Attack.fuzz,
}
SHORT_PARTS = ("bombs", "patterns", "fuzz")  # kills and flips need a finished run


def print_table(figures: dict[str, Any], targets: Targets) -> None:
    """Print each target with its value."""
    print(f"\n{'check':<34} {'value':>8}  target    (seed {figures['seed']})")
    for name, (value, (sign, bound)) in targets.items():
        print(f"{name:<34} {value:>8}  {sign} {bound:g}")
    print()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts, print the table and the JSON line; 0 if every target of them holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, help="folder to work in (default: a temporary one)")
    parser.add_argument("--only", choices=PARTS, action="append", help="run this part (repeatable)")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--short", action="store_true", help="a little of bombs, patterns and fuzz")
    parser.add_argument("--series", type=int, help="killed runs (default: 3)")
    parser.add_argument("--flips", type=int, help="changed bytes (default: 400)")
    parser.add_argument("--changed", type=int, help="changed copies of each form (default: 60)")
    given = parser.parse_args(argv)
    named = {name: getattr(given, name) for name in ("series", "flips", "changed")}
    base = SHORT if given.short else Counts()
    counts = Counts(**{**asdict(base), **{k: v for k, v in named.items() if v is not None}})
    parts = given.only or (SHORT_PARTS if given.short else tuple(PARTS))
    with tempfile.TemporaryDirectory(prefix="attack-") as temporary:
        work = (given.work or Path(temporary)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        attack = Attack(work, given.seed, counts)
        for part in parts:
            started = time.monotonic()
            print(f"{part}:", flush=True)
            PARTS[part](attack)
            print(f"  {time.monotonic() - started:.0f} s", flush=True)
    print_table(attack.figures, attack.targets)
    not_run = [part for part in PARTS if part not in parts]
    print(outcome(attack.figures, attack.targets, not_run=not_run))
    held = all(
        {"==": value == bound, ">=": value >= bound}[sign]
        for value, (sign, bound) in attack.targets.values()
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
