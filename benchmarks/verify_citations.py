"""Measure how well `verify-citations` refutes, abstains and agrees with labels, and its speed.

    python benchmarks/verify_citations.py [--shared ../shared/data] [--fuzz 1000000] [--show]

- (a) References mutated by rule so that the corpus refutes them, in sentences of the statutes and
  of court decisions: another article, 항 or 호 number than the act has; another heading; other
  words in a quotation; a day before a known 시행일 (on a corpus with two versions of each act).
- (b) Mutations that the corpus cannot refute: another article that exists, an act that the corpus
  lacks, a day before its first version, and words of a provision whose text the corpus lacks.
- (c) References that were labelled by hand: id of the decision or article, offsets, a hash of the
  words and the verdict in `tests/data/labels/verified_citations.jsonl`. The verdict is that of the
  newest text. `random` are references of random sentences of decisions (half of them sentences with
  an act of the corpus) and of articles; `refuted` were drawn from those that an earlier version
  refuted, and show how many alarms are right. A false alarm is a refuting verdict where the label
  has none. The label `none` marks words that are no reference.
- Fuzzed texts, speed in processor time, and growth with the length of a text.

The baseline is the check that a user would write with regular expressions: 「act」 제N조, looked up
in the list of articles.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import tempfile
from pathlib import Path

from development_data import DATA, require
from outcome import outcome
from verifying.cases import REFUTED, dated, mutated, undecidable, without_texts
from verifying.figures import LABELS, label_figures, refuted_figures, undecidable_figures
from verifying.load import fuzz, growth, speed

from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.settings import DataSettings

FIELDS = ("판시사항", "판결요지", "참조조문")


def corpus(shared: Path, folder: Path) -> KnownLaw:
    """Build the corpus of the statutes and regulations."""
    places = [shared / "statutes" / "acts", shared / "statutes" / "admin_rules"]
    settings = DataSettings.model_validate(
        {"sources": [*map(str, places), str(shared / "regulations")]}
    )
    build_corpus(settings, folder, base=Path("/"))
    return KnownLaw.of_corpus(folder)


def decisions(shared: Path) -> dict[str, str]:
    """Return the texts of the court decisions by id."""
    path = shared / "precedents" / "precedents_dev.jsonl.xz"
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return {
            row["판례일련번호"]: "\n".join(str(row.get(name) or "") for name in FIELDS)
            for row in map(json.loads, lines)
        }


def main() -> None:
    """Measure, print a table, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=DATA, help="folder with statutes/")
    parser.add_argument("--corpus", type=Path, help="a corpus built before")
    parser.add_argument("--fuzz", type=int, default=1_000_000, help="number of fuzzed texts")
    parser.add_argument("--show", action="store_true", help="print what is wrong")
    options = parser.parse_args()
    require(options.shared / "statutes", "--shared")
    with tempfile.TemporaryDirectory() as folder:
        law = (
            KnownLaw.of_corpus(options.corpus)
            if options.corpus
            else corpus(options.shared, Path(folder))
        )
    later, bare = dated(law), without_texts(law)
    cases = decisions(options.shared)
    rng = random.Random(19)
    statutes = [
        t[0].text for act in law.acts.values() for t in act.articles.values() if "「" in t[0].text
    ]
    courts = list(cases.values())
    rng.shuffle(statutes)
    rng.shuffle(courts)
    mixed = [text for pair in zip(statutes, courts, strict=False) for text in pair]
    refuted = refuted_figures(mutated(law, later, mixed, rng), law, later, options.show)
    print("(a) refuted", json.dumps(refuted, ensure_ascii=False))
    unsure = undecidable_figures(undecidable(law, mixed[::-1], rng), law, later, bare, options.show)
    print("(b) undecidable", json.dumps(unsure, ensure_ascii=False))
    labels = label_figures(cases, law, options.show) if LABELS.is_file() else {}
    print("(c) labels", json.dumps(labels, ensure_ascii=False))
    rate = speed(courts[:400], law)
    ratio = growth(courts, law)
    bad = fuzz(law, options.fuzz, rng) if options.fuzz else None
    random_set = labels.get("random", {})
    false = (
        random_set.get("false alarms", 0) / max(1, random_set.get("n", 0)) if random_set else None
    )
    print(
        f"{rate:,.0f} references a second, {ratio:.2f} times the time for twice the text, "
        f"{bad} of {options.fuzz} fuzzed texts fail"
    )
    figures = {
        "refuted": refuted,
        "undecidable": unsure,
        "labels": labels,
        "rate": round(rate),
        "growth": round(ratio, 2),
        "fuzzed": options.fuzz,
        "fuzz_failures": bad,
    }
    print(
        outcome(
            figures,
            {
                "refutable references": (refuted["n"], (">=", REFUTED)),
                "share caught": (refuted["caught"], (">=", 0.99)),
                "undecidable with an allowed verdict": (unsure["right"], (">=", 1)),
                "labelled references": (random_set.get("n"), (">=", 300)),
                "false alarms of labelled": (false, ("<=", 0.01)),
                "fuzzed texts": (options.fuzz or None, (">=", 1_000_000)),
                "fuzz failures": (bad, ("<=", 0)),
                "references a second": (round(rate), (">=", 10_000)),
                "time for twice the text": (round(ratio, 2), ("<=", 2.6)),
            },
        )
    )


if __name__ == "__main__":
    main()
