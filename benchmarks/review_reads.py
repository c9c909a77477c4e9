"""Compute how many examples a reader reads, and how often a statement is false, exactly.

    python benchmarks/review_reads.py [--examples 100 --examples 300] [--most 500]

By dynamic programming over (read, wrong) with the rule of `kofinlaw review`: for a kind of so many
examples of which so many are wrong, the probability of "shown" and of "refuted", and the expected
number of reads. With `--most` reading ends undecided after so many. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json

from kofinlaw.augment.review.sequential import Outcome, most_allowed, rate_bounds


def reading(population: int, wrong: int, most: int) -> tuple[float, float, float]:
    """Return (probability of shown, of refuted, expected reads)."""
    states: dict[int, tuple[list[Outcome], float]] = {0: ([], 1.0)}
    shown = refuted = reads = 0.0
    for read in range(min(population, most) + 1):
        after: dict[int, tuple[list[Outcome], float]] = {}
        for found, (outcomes, weight) in states.items():
            verdict = rate_bounds(population, outcomes).verdict
            shown += weight * (verdict == "shown")
            refuted += weight * (verdict == "refuted")
            if verdict != "open" or read == min(population, most):
                reads += weight * read
                continue
            chance = (wrong - found) / (population - read)
            for step, share in ((1, chance), (0, 1 - chance)):
                if weight * share > 1e-12:
                    outcome: Outcome = "wrong" if step else "right"
                    kept, before = after.get(found + step, ([*outcomes, outcome], 0.0))
                    after[found + step] = (kept, before + weight * share)
        states = after
    return shown, refuted, reads


def main() -> None:
    """Print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, action="append")
    parser.add_argument("--most", type=int, default=500)
    given = parser.parse_args()
    rows = []
    print("examples  wrong  shown  refuted  reads")
    for population in given.examples or [100, 300]:
        allowed = most_allowed(population)
        shares = {round(population * share) for share in (0, 0.01, 0.04, 0.08)}
        for wrong in sorted(shares | {allowed, allowed + 1}):
            shown, refuted, reads = reading(population, wrong, given.most)
            print(f"{population:8}  {wrong:5}  {shown:.3f}  {refuted:7.3f}  {reads:5.0f}")
            rows.append([population, wrong, round(shown, 4), round(refuted, 4), round(reads, 1)])
    print(json.dumps({"columns": ["examples", "wrong", "shown", "refuted", "reads"], "rows": rows}))


if __name__ == "__main__":
    main()
