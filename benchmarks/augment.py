"""Measure the training examples: distinct questions, shortcut scores and planted faults.

    python benchmarks/augment.py [FOLDER_OF_STATUTES] [--kiwi] [--log NAME=FILE] [--run NAME]

The script reads the Markdown acts under FOLDER/acts (default: the development data next to the
repository). `--kiwi` repeats the overlap baseline with Kiwi content morphemes, as the report
does. Other scripts measure engines, teacher, kills and learning. Their figures come from the last
line of a saved output (`--log`), or the script runs them (`--run`, up to half an hour each).
Without either the result lists them as not run. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from augment_faults import measure
from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.generators.falsity import true_elsewhere
from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.option_choice import Item, build_item, find_problem
from kofinlaw.augment.raft import PassageIndex
from kofinlaw.augment.reading.acts import Laws, read_laws
from kofinlaw.augment.shortcuts import mean, shortcut_figures
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.korean.words import bigrams, content_morphemes
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.data.solvers.overlap import token_overlap
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk

CORE = (
    "전자금융거래법",
    "개인정보_보호법",
    "신용정보의_이용_및_보호에_관한_법률",
    "정보통신망_이용촉진_및_정보보호_등에_관한_법률",
    "전자서명법",
)
RETRIEVED = 5
Tokenise = Callable[[Sequence[str]], list[list[str]]]
FAULTS = 50  # sound outputs, and as many faulty ones
OTHERS = {
    "engines": ["engines.py"],
    "teacher": ["augment_teacher.py"],
    "kills": ["augment_teacher.py", "--kills", "20"],
    "learning": ["augment_learning.py"],
}


def core_files(folder: Path) -> list[Path]:
    """Return the files of the five core acts and their decrees."""
    return [folder / "acts" / f"{n}{tail}.md" for n in CORE for tail in ("", "_시행령")]


def make_items(laws: Laws, seed: int) -> list[Item]:
    """Build every valid multiple-choice item of the acts."""
    items = []
    for draft in draft_questions(laws, seed):
        rng = source_rng(seed, "options", draft.kind, draft.stem, draft.answer)
        item = build_item(draft, 5 if rng.random() < 0.65 else 4, rng)
        if not item or find_problem(item):
            continue
        if not true_elsewhere(draft, item.options, item.answer, laws.sentences):
            items.append(item)
    return items


def overlap_table(
    items: list[Item], index: PassageIndex, tokens: Tokenise
) -> dict[str, dict[str, float]]:
    """Return the overlap baseline by kind, with the gold passage and with retrieved passages."""
    gold: defaultdict[str, list[float]] = defaultdict(list)
    found: defaultdict[str, list[float]] = defaultdict(list)
    passages: dict[int, frozenset[str]] = {}
    wanted, rows = [], []
    for item in items:
        places = index.search(" ".join([item.draft.stem, *item.options]), RETRIEVED)
        rows.append((item, index.gold(item.draft.units, item.draft.focus), places))
        wanted += [p for p in (*rows[-1][1], *places) if p not in wanted]
    for place, words in zip(wanted, tokens([index.chunks[p].text for p in wanted]), strict=True):
        passages[place] = frozenset(words)
    flat = iter(tokens([option for item in items for option in item.options]))
    for item, golds, places in rows:
        options = [set(next(flat)) for _ in item.options]
        for table, where in ((gold, golds), (found, places)):
            scores = token_overlap(
                options, [passages[p] for p in where], negative=item.draft.negative
            )
            credit = credit_of(scores, item.answer)
            table[item.draft.kind].append(credit)
            table["all"].append(credit)
    return {
        kind: {
            "items": len(gold[kind]),
            "gold": round(mean(gold[kind]), 3),
            "retrieved": round(mean(found[kind]), 3),
        }
        for kind in gold
    }


def others(logs: Sequence[str], run: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the last line of the other scripts by name: from `NAME=FILE`, or by running them."""
    found: dict[str, dict[str, Any]] = {}
    for entry in logs:
        name, _, file = entry.partition("=")
        found[name] = last_line(Path(file).read_text("utf-8"))
    for name in run:
        script, *options = OTHERS[name]
        command = [sys.executable, str(Path(__file__).parent / script), *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[name] = last_line(done.stdout)
    return found


def last_line(text: str) -> dict[str, Any]:
    """Parse the JSON that `outcome` wrote at the end of an output."""
    return json.loads(text.strip().splitlines()[-1])


def main() -> None:
    """Measure everything that is asked for and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=STATUTES, metavar="FOLDER_OF_STATUTES"
    )
    parser.add_argument("--kiwi", action="store_true")
    parser.add_argument("--sample", type=int, default=500, help="items for the overlap baseline")
    parser.add_argument("--log", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--run", action="append", default=[], choices=OTHERS)
    arguments = parser.parse_args()
    require(arguments.folder, "FOLDER_OF_STATUTES")
    measured = others(arguments.log, arguments.run)
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name)
        sources = [{"path": str(path)} for path in core_files(arguments.folder)]
        settings = DataSettings.model_validate({"sources": sources})
        build_corpus(settings, corpus, base=corpus)
        articles = list(read_jsonl(corpus / "articles.jsonl", Article))
        chunks = list(read_jsonl(corpus / "chunks.jsonl", Chunk))
    started = time.process_time()
    laws = read_laws(articles)
    items = make_items(laws, 42)
    seconds = time.process_time() - started
    distinct = {(i.draft.stem, tuple(sorted(i.options))) for i in items}
    counts = Counter(i.draft.kind for i in items)
    report: dict[str, Any] = {
        "articles": len(articles),
        "items": len(items),
        "distinct": len(distinct),
        "cpu_seconds": round(seconds, 2),
        "items_per_second": round(len(items) / seconds, 1),
        "kinds": dict(counts.most_common()),
        **{
            k: v
            for k, v in shortcut_figures([(i.options, i.answer) for i in items]).items()
            if k != "items"
        },
    }
    print(f"{len(distinct)} distinct items from {len(articles)} articles in {seconds:.1f} CPU s")
    sample = random.Random(0).sample(items, min(arguments.sample, len(items)))
    index = PassageIndex(chunks, len)
    tables = {"bigrams": lambda texts: [bigrams(text) for text in texts]}
    if arguments.kiwi:
        tables["kiwi"] = content_morphemes
    for label, tokens in tables.items():
        table = overlap_table(sample, index, tokens)
        print(f"\noverlap by {label}: items, gold passage, retrieved")
        for kind, row in sorted(table.items()):
            print(f"  {kind:<22}{row['items']:>5}{row['gold']:>8.3f}{row['retrieved']:>8.3f}")
        report[f"overlap_{label}"] = table["all"]
    faults = measure(laws, FAULTS, 1)
    for row in faults.pop("wrong"):
        print(row)
    report["planted"] = faults
    targets: dict[str, Any] = {
        "distinct items": (len(distinct), (">=", 2000)),
        "longest option, points over chance": (report["longest_gain"], ("<=", 3.0)),
        "planted faults refused": (faults["faults_refused"], (">=", 0.95)),
        "sound outputs refused": (faults["sound_refused"], ("<=", 0.05)),
    }
    not_run = [f"{name} ({' '.join(OTHERS[name])})" for name in OTHERS if name not in measured]
    for name, record in measured.items():
        report[name] = record["figures"]
        for target, row in record["targets"].items():
            if row["target"] is None:
                not_run.append(f"{name}: {target}")
            else:
                sign, bound = row["target"].split()
                targets[f"{name}: {target}"] = (row["value"], (sign, float(bound)))
    print(outcome(report, targets, not_run))


if __name__ == "__main__":
    main()
