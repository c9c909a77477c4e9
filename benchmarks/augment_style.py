"""Measure the style of generated stems: forms, quotations, citations, and what a stem gives away.

    python benchmarks/augment_style.py [FOLDER_OF_STATUTES] [--acts NAME,NAME] [--items N]

The script reads Markdown acts under FOLDER/acts (default: the development data next to the
repository) and selects items by the default weights, as the stage does. A form is a stem with act
names, articles with their headings, quotations and numbers masked. Text of the law without
quotation marks is not masked, so that distinct forms count it; the last four words are the fairer
measure of phrasing. The last line is JSON.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.generators.falsity import true_elsewhere
from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.option_choice import Item, build_item, find_problem
from kofinlaw.augment.reading.acts import Laws, read_laws
from kofinlaw.augment.selection import select
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.shortcuts import mean
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article

# The acts of the audit that measured the style before, without the rule of the core corpus.
ACTS = (
    "상호저축은행법",
    "새마을금고법",
    "보험업법_시행령",
    "금융소비자_보호에_관한_법률",
    "부정경쟁방지_및_영업비밀보호에_관한_법률",
    "민사집행법",
    "상법",
    "대부업_등의_등록_및_금융이용자_보호에_관한_법률",
)
_MASKS = (
    (re.compile(r"「[^」]*」"), "L"),
    (re.compile(r"(?:제\d+조(?:의\d+)?(?:\([^)]*\))?|제\d+항|제\d+호)+"), "A"),
    (re.compile(r"[\"“][^\"”]*[\"”]|'[^']*'"), "Q"),
    (re.compile(r"\d+"), "N"),
)
_QUOTED = re.compile(r"[\"“]")
_CITED = re.compile(r"」 ?제\d+조")


def masked(stem: str) -> str:
    """Return the stem's form: names, articles, quotations and numbers as one letter each."""
    for pattern, letter in _MASKS:
        stem = pattern.sub(letter, stem)
    return " ".join(stem.split())


def last_words(stem: str) -> str:
    """Return the last four words of the form."""
    return " ".join(masked(stem).split()[-4:])


def top_share(values: Sequence[str], most: int = 10) -> float:
    """Return the share of the `most` most frequent values (0 to 1)."""
    return sum(n for _, n in Counter(values).most_common(most)) / max(len(values), 1)


def stem_credit(item: Item) -> float:
    """Return the chance of being right with the option most like the stem (0 to 1).

    Negative stems are answered in the same way, as in the audit. Equal options share the credit.
    """
    stem = set(bigrams(item.draft.stem))
    shares = [len(stem & own) / max(len(own), 1) for own in (set(bigrams(o)) for o in item.options)]
    best = max(shares)
    return (shares[item.answer] == best) / shares.count(best)


def style(items: Sequence[Item]) -> dict[str, Any]:
    """Return the counts of a set of items; shares are from 0 to 1."""
    stems = [item.draft.stem for item in items]
    forms = [masked(stem) for stem in stems]
    ends = [last_words(stem) for stem in stems]
    similar: defaultdict[str, list[float]] = defaultdict(list)
    for item in items:
        credit = stem_credit(item)
        for name in (item.draft.kind, "all"):
            similar[name].append(credit)
    return {
        "items": len(items),
        "distinct_forms": len(set(forms)),
        "top_ten_forms": round(top_share(forms), 3),
        "distinct_last_words": len(set(ends)),
        "top_ten_last_words": round(top_share(ends), 3),
        "quoted": round(mean([bool(_QUOTED.search(stem)) for stem in stems]), 3),
        "cited": round(mean([bool(_CITED.search(stem)) for stem in stems]), 3),
        "negative": round(mean([item.draft.negative for item in items]), 3),
        "stem_overlap": {kind: round(mean(found), 3) for kind, found in sorted(similar.items())},
        "uniform": round(mean([1 / len(item.options) for item in items]), 3),
    }


def selected(laws: Laws, count: int, seed: int) -> list[Item]:
    """Return `count` items by the default weights."""
    settings = AugmentSettings()
    items = []
    for draft in draft_questions(laws, seed):
        rng = source_rng(seed, "options", draft.kind, draft.stem, draft.answer)
        item = build_item(draft, 5 if rng.random() < settings.five_options_share else 4, rng)
        if not item or find_problem(item):
            continue
        if not true_elsewhere(draft, item.options, item.answer, laws.sentences):
            items.append(item)
    by_draft = {id(item.draft): item for item in items}
    chosen = select([item.draft for item in items], count, settings, random.Random(f"{seed}:style"))
    return [by_draft[id(draft)] for draft in chosen]


def main() -> None:
    """Measure the acts that are asked for and print the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=STATUTES, metavar="FOLDER_OF_STATUTES"
    )
    parser.add_argument("--acts", default=",".join(ACTS), help="names of files, without .md")
    parser.add_argument("--items", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = require(arguments.folder, "FOLDER_OF_STATUTES") / "acts"
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name)
        sources = [{"path": str(folder / f"{act}.md")} for act in arguments.acts.split(",")]
        build_corpus(DataSettings.model_validate({"sources": sources}), corpus, base=corpus)
        laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article))
    found = style(selected(laws, arguments.items, arguments.seed))
    print(
        outcome(
            found,
            {
                "share of the ten most frequent forms": (found["top_ten_forms"], ("<=", 0.4)),
                "stems that quote the law": (found["quoted"], ("<=", 0.3)),
            },
        )
    )


if __name__ == "__main__":
    main()
