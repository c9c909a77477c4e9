"""Check the passage numbers that an answer cites (`[2]`): do they exist, are they gold articles?

Precision is the share of citations whose passage is of a gold article; recall the share of answers
to questions with a shown gold article that cite one. A citation says nothing on whether the answer
is right; that is what the score measures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kofinlaw.records import Key
from kofinlaw.scoring.scores_record import CitationRecord

__all__ = ["citation_figures", "cited_numbers"]

_CITED = re.compile(r"\[(\d{1,2})\]")


def cited_numbers(text: str) -> list[int]:
    """Return the passage numbers that a text cites, each once, in order."""
    return list(dict.fromkeys(int(number) for number in _CITED.findall(text)))


def citation_figures(
    written: Mapping[str, str],
    shown_units: Mapping[str, Sequence[str]],
    golds: Mapping[str, Key],
) -> CitationRecord | None:
    """Return the counts over all answers; None if no answer cites a number.

    Args:
        written: what the model wrote, by question id: an answer, or the reasons before a choice.
        shown_units: the article of each passage in the prompt, in order; questions that are
            missing here are left out.
        golds: the keys; questions without gold articles are left out.
    """
    known = [name for name in written if name in shown_units and golds[name].units]
    cited = right = unknown = citing = reachable = reached = 0
    for name in known:
        shown, gold = shown_units[name], set(golds[name].units)
        numbers = cited_numbers(written[name])
        hits = [n for n in numbers if 1 <= n <= len(shown) and shown[n - 1] in gold]
        citing += bool(numbers)
        cited += len(numbers)
        right += len(hits)
        unknown += sum(not 1 <= n <= len(shown) for n in numbers)
        reachable += bool(gold & set(shown))
        reached += bool(hits)
    if not cited:
        return None
    return {
        "answers": len(known),
        "citing": citing,
        "citations": cited,
        "right": right,
        "unknown": unknown,
        "precision": right / cited,
        "recall": reached / reachable if reachable else None,
    }
