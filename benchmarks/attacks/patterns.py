"""Run every regular expression of the package on texts of doubling length.

    cd benchmarks && python -m attacks.patterns [--share 0.1] [--seed 0]

The texts are made from the pattern: what leads into one of its loops, the text that the loop reads,
many times, and an end at which the pattern fails. A pattern may take at most 2.6 times as long for
twice the text (median of five). The structure of every pattern is checked too (`attacks.growth`).
The last line is JSON.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from outcome import outcome

from attacks.growth import Ambiguity, growths, repeats
from attacks.pattern_sources import Found, collect

MOST = 2.6  # times as long for twice the text
ENDS = ("", "!", "\n", "가", "x\x00 ", "\n!")
TRIAL = 4_096  # characters of the texts among which the slowest is chosen
LEAST_SECONDS = 2e-3  # that a measured run takes
LONGEST = 1 << 20  # characters; a pattern that reads so many in less than 2 ms does not hang
LOOPS = 12  # of a pattern


@dataclass(frozen=True)
class Slow:
    """A pattern that grows faster than its text, and the text: `prefix + pump * n + end`."""

    where: str
    ratio: float
    prefix: str
    pump: str
    end: str


def seconds(one: Found, compiled: re.Pattern, text: str) -> float:
    """Seconds of the processor that the pattern takes for a text, used as in its module."""
    subject = text.encode("latin-1", "replace") if isinstance(one.pattern, bytes) else text
    start = time.thread_time()
    if one.whole:
        compiled.fullmatch(subject)
    elif one.anchored:
        compiled.match(subject)
    else:
        for _ in compiled.finditer(subject):
            pass
    return time.thread_time() - start


def texts(one: Found, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """Yield (prefix, pump, end) for loops of the pattern."""
    automaton = Ambiguity(one.pattern, one.flags, anchored=one.anchored, whole=one.whole)
    loops = list(dict.fromkeys(automaton.loops()))
    for prefix, pump in rng.sample(loops, min(LOOPS, len(loops))):
        for end in ENDS:
            yield prefix, pump, end
            if not one.anchored:
                yield "", prefix + pump, end


def ratio(one: Found, compiled: re.Pattern, prefix: str, pump: str, end: str) -> float:
    """Return how many times as long twice the text takes: medians of five runs each.

    It is 0 for a pattern that is fast on the longest text.
    """
    length = TRIAL

    def run(characters: int) -> float:
        return seconds(one, compiled, prefix + pump * (characters // len(pump) + 1) + end)

    while run(length) < LEAST_SECONDS and length < LONGEST:
        length *= 2
    if run(length) < LEAST_SECONDS:
        return 0.0
    single = statistics.median(run(length) for _ in range(5))
    double = statistics.median(run(2 * length) for _ in range(5))
    return double / single


def attack(share: float = 1.0, seed: int = 0) -> tuple[dict[str, int], list[Slow], list[str]]:
    """Return (counts, patterns that grow by the clock, patterns that grow by their structure).

    `share` is the part of the patterns that is timed; the structure of all is checked.
    """
    rng = random.Random(seed)
    found, unread = collect()
    grows = [
        one.where
        for one in found
        if growths(one.pattern, one.flags, anchored=one.anchored, whole=one.whole)
    ]
    looping = [one for one in found if repeats(one.pattern)]
    timed = rng.sample(looping, round(share * len(looping)))
    slow: list[Slow] = []
    tried = 0
    for one in timed:
        compiled = re.compile(one.pattern, one.flags)
        trials = []
        for prefix, pump, end in texts(one, rng):
            text = prefix + pump * (TRIAL // len(pump) + 1) + end
            trials.append((seconds(one, compiled, text), prefix, pump, end))
            tried += 1
        if not trials:
            continue
        _, prefix, pump, end = max(trials)
        measured = ratio(one, compiled, prefix, pump, end)
        if measured > MOST:  # once more: another program may have taken the processor
            measured = min(measured, ratio(one, compiled, prefix, pump, end))
        if measured > MOST:
            slow.append(Slow(one.where, round(measured, 2), prefix, pump, end))
    counts = {
        "patterns": len(found),
        "unread": len(unread),
        "timed": len(timed),
        "texts": tried,
        "seed": seed,
    }
    return counts, slow, grows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="part of the patterns to time")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    counts, slow, grows = attack(arguments.share, arguments.seed)
    for one in slow:
        print(f"{one.ratio} times for twice the text: {one.where} {one.prefix!r} {one.pump!r}")
    for where in grows:
        print(f"grows by its structure: {where}")
    print(
        outcome(
            counts,
            {"slow_patterns": (len(slow), ("<=", 0)), "growing_patterns": (len(grows), ("<=", 0))},
        )
    )
    return bool(slow or grows)


if __name__ == "__main__":
    sys.exit(main())
