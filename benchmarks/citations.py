"""Measure precision and recall of resolved references against hand labels.

    python benchmarks/citations.py [--shared ../shared/data] [--show]

A label is a pair: the article referred to, and the provision inside it. A reference counts only
if both are right. `citations_dev.jsonl` was labelled before the resolver's last changes and was
used to develop them. `citations_test.jsonl` was labelled afterwards and scored once.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from development_data import DATA, require
from outcome import outcome

from kofinlaw.data.corpus import parse_articles
from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.graph import references
from kofinlaw.data.settings import DataSettings

Found = dict[str, Counter[tuple[str, str]]]
LABELS = Path(__file__).parents[1] / "tests" / "data" / "labels"


def found(shared: Path) -> Found:
    """Return the references of each article id, over all 165 statutes and rules."""
    folders = [str(shared / "statutes" / name) for name in ("acts", "admin_rules")]
    articles = parse_articles(DataSettings.model_validate({"sources": folders}), base=Path("/"))
    out: Found = {}
    for edge in references(articles, ()):
        if not split_unit(edge.target)[1].startswith("제"):
            continue  # the labels name articles only; references to annexes do not count here
        out.setdefault(edge.source, Counter())[(edge.target, edge.provision)] += 1
    return out


def score(path: Path, have: Found, show: bool = False) -> dict[str, Any]:
    """Return the counts, precision and recall over one file of labels."""
    right = labelled = claimed = 0
    acts = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        wanted = Counter((target, provision) for target, provision in row["cites"])
        got = have.get(row["id"], Counter())
        right += sum((wanted & got).values())
        labelled += sum(wanted.values())
        claimed += sum(got.values())
        acts.add(row["id"].rpartition(" ")[0])
        if show and wanted != got:
            print(row["id"], "missed", dict(wanted - got), "wrong", dict(got - wanted))
    return {
        "labels": labelled,
        "acts": len(acts),
        "precision": round(right / max(1, claimed), 4),
        "recall": round(right / max(1, labelled), 4),
    }


def main() -> None:
    """Score every file of labels and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=DATA, help="folder with statutes/")
    parser.add_argument("--show", action="store_true", help="print what differs")
    options = parser.parse_args()
    require(options.shared / "statutes", "--shared")
    have = found(options.shared)
    figures = {
        path.stem: score(path, have, options.show)
        for path in sorted(LABELS.glob("citations_*.jsonl"))
    }
    labels = sum(row["labels"] for row in figures.values())
    print(
        outcome(
            figures,
            {
                "hand-labelled references": (labels, (">=", 150)),
                "acts": (max(row["acts"] for row in figures.values()), (">=", 8)),
                "least precision": (
                    min(row["precision"] for row in figures.values()),
                    (">=", 0.97),
                ),
                "least recall": (min(row["recall"] for row in figures.values()), (">=", 0.97)),
            },
        )
    )


if __name__ == "__main__":
    main()
