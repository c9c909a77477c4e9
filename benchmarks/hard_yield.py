"""Count the hard questions of acts by kind, and where candidates are lost.

    python benchmarks/hard_yield.py [FOLDER_OF_STATUTES] [--first 1] [--every 1]

The script reads the Markdown files under FOLDER/acts and FOLDER/admin_rules (default: the
development data next to the repository) and generates all hard questions of every n-th act. It
counts clauses by the reason why they give no statement, slots by their number of wrong values,
and questions by kind with the share whose key or stem shares a run of more than twelve letters with
their articles. The guide to `augment` counts with `--first 3 --every 4`. The last line is JSON.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.hard.facts import clause_facts, refusal
from kofinlaw.augment.hard.registry import HARD_GENERATORS
from kofinlaw.augment.hard.slots import read_slots
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.hard_items import copies_the_law, lines_by_unit
from kofinlaw.augment.reading.acts import Law, Laws, read_laws
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk

SEED = 42
ENOUGH = 3  # wrong values of a question with four options


def read_acts(folder: Path, work: Path) -> Laws:
    """Return the acts and rules of a folder of statutes, with the tables of their annexes."""
    sources = [{"path": str(folder / name)} for name in ("acts", "admin_rules")]
    build_corpus(DataSettings.model_validate({"sources": sources}), work, base=Path.cwd())
    chunks = read_jsonl(work / "chunks.jsonl", Chunk)
    return read_laws(read_jsonl(work / "articles.jsonl", Article), chunks)


def losses(laws: Laws, acts: Sequence[Law]) -> tuple[Counter[str], Counter[str]]:
    """Return clauses by reason of refusal, and slots by kind and number of wrong values."""
    clauses: Counter[str] = Counter()
    slots: Counter[str] = Counter()
    for law in acts:
        around = Surroundings(law, laws)
        clauses.update(refusal(clause) or "usable" for clause in law.clauses)
        for article in law.articles:
            for fact in clause_facts(law, article.id):
                rng = random.Random(SEED)
                for slot in read_slots(law, laws, fact, around.delegations, rng):
                    number = min(len(slot.wrong), ENOUGH)
                    slots[f"{slot.kind} {number}{'+' if number == ENOUGH else ''}"] += 1
    return clauses, slots


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=STATUTES)
    parser.add_argument("--first", type=int, default=1, help="begin with this act")
    parser.add_argument("--every", type=int, default=1, help="take every n-th act")
    args = parser.parse_args()
    require(args.folder, "FOLDER_OF_STATUTES")
    with tempfile.TemporaryDirectory() as work:
        laws = read_acts(args.folder, Path(work))
    acts = laws.acts[args.first - 1 :: args.every]
    lines = lines_by_unit(laws)
    made: Counter[str] = Counter()
    copies: Counter[str] = Counter()
    started = time.process_time()
    for law in acts:
        for generator in HARD_GENERATORS:
            for draft in generator.generate(law, laws, SEED):
                made[draft.kind] += 1
                copies[draft.kind] += copies_the_law(draft, lines)
    seconds = time.process_time() - started
    for kind, number in made.most_common():
        print(f"{kind:18} {number:6} long runs {copies[kind] / number:.0%}")
    # After the questions, because it reads the same sentences and results are kept.
    clauses, slots = losses(laws, acts)
    print("clauses:", dict(clauses.most_common()))
    print("slots by number of wrong values:", dict(sorted(slots.items())))
    figures = {
        "questions": made.total(),
        "long_runs": round(copies.total() / max(made.total(), 1), 3),
        "by_kind": dict(made),
        "seconds": round(seconds, 1),
    }
    print(outcome(figures, {}))


if __name__ == "__main__":
    main()
