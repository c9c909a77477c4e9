"""Count how verdicts agree with what is known of cases and labels."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from kofinlaw.data.law.verifying.checked import FAILED, CheckedCitation
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.law.verifying.verify import verify_citations
from kofinlaw.files import sha256_text
from verifying.cases import Case

LABELS = Path(__file__).parents[2] / "tests" / "data" / "labels" / "verified_citations.jsonl"
_NAIVE = re.compile(r"「([^「」]{2,60})」\s*제(\d+)조((?:의\d+)?)")


def at(case: Case, law: KnownLaw) -> list[CheckedCitation]:
    """Return the references that begin in the mutated words."""
    found = verify_citations(case.text, law, as_of=case.day)
    return [one for one in found if case.start <= one.start < case.end]


def naive_catches(case: Case, law: KnownLaw) -> bool:
    """Return whether looking 「act」 제N조 up in the list of articles refutes the case."""
    for match in _NAIVE.finditer(case.text[case.start : case.end]):
        title = match[1].strip()
        if title in law.acts and f"제{match[2]}조{match[3]}" not in law.acts[title].articles:
            return True
    return False


def refuted_figures(
    cases: list[Case], law: KnownLaw, later: KnownLaw, show: bool
) -> dict[str, Any]:
    """Return the share of cases that are caught, by kind, and that of the baseline."""
    caught: Counter[str] = Counter()
    naive: Counter[str] = Counter()
    total = Counter(case.kind for case in cases)
    for case in cases:
        found = at(case, later if case.kind == "day" else law)
        caught[case.kind] += any(one.failed for one in found)
        naive[case.kind] += naive_catches(case, law)
        if show and not any(one.failed for one in found):
            print(
                "missed",
                case.kind,
                case.text[case.start - 20 : case.end + 30],
                [(o.text, o.message) for o in found],
            )
    return {
        "n": len(cases),
        "caught": sum(caught.values()) / len(cases),
        "baseline": sum(naive.values()) / len(cases),
        "kinds": {
            k: {"n": n, "caught": caught[k] / n, "baseline": naive[k] / n} for k, n in total.items()
        },
    }


def undecidable_figures(
    cases: list[Case], law: KnownLaw, later: KnownLaw, bare: KnownLaw, show: bool
) -> dict[str, Any]:
    """Return the share of cases with an allowed verdict: never `holds` by words, and refuted only
    where the corpus has another heading.
    """
    right: Counter[str] = Counter()
    total = Counter(case.kind for case in cases)
    for case in cases:
        known = {"day": later, "no text": bare}.get(case.kind, law)
        found = at(case, known)
        allowed = {
            "article": ("holds", "unknown"),
            "heading of another": ("differs", "unknown"),
        }.get(case.kind, ("unknown",))
        good = bool(found) and all(one.verdict in allowed and one.basis != "words" for one in found)
        right[case.kind] += good
        if show and not good:
            print(
                "wrong",
                case.kind,
                case.text[case.start - 20 : case.end + 30],
                [(o.text, o.title, o.message) for o in found],
            )
    return {
        "n": len(cases),
        "right": sum(right.values()) / len(cases),
        "kinds": {k: {"n": n, "right": right[k] / n} for k, n in total.items()},
    }


def label_figures(texts: dict[str, str], law: KnownLaw, show: bool) -> dict[str, Any]:
    """Return how the verdicts agree with the labels; see the module's docstring."""
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    by_set: dict[str, Counter[str]] = {}
    checked: dict[str, list[CheckedCitation]] = {}
    for row in rows:
        act, name = row.get("act", ""), row["id"]
        number = name.rpartition(" ")[2] if act else ""
        text = law.acts[act].articles[number][0].text if act else texts[name]
        if sha256_text(text[row["start"] : row["end"]])[:16] != row["sha256"]:
            print("the text of a label has changed:", name, row["start"])
            continue
        if name not in checked:
            checked[name] = verify_citations(text, law, act=act, article=number)
        same = [o for o in checked[name] if o.end == row["end"] and o.start >= row["start"]]
        count = by_set.setdefault(row["set"], Counter())
        if row["verdict"] == "none":
            count["not a reference"] += 1
            count["listed without reason"] += bool(same)
            continue
        count["n"] += 1
        if not same:
            count["not found"] += 1
            if show:
                print("not found", row)
            continue
        verdict = next((o.verdict for o in same if o.failed), same[0].verdict)
        count["agree"] += verdict == row["verdict"]
        count["alarms"] += verdict in FAILED
        wrong = verdict in FAILED and row["verdict"] not in FAILED
        count["false alarms"] += wrong
        count["missed"] += verdict not in FAILED and row["verdict"] in FAILED
        if show and verdict != row["verdict"]:
            print("label", row, verdict, same[0].message)
    return {name: dict(count) for name, count in by_set.items()}
