"""Verify the articles and decisions that a system cites: which share of them holds?

A reference holds if the corpus has the provision, and its heading or quoted words where the text
gives any. This does not show that the answer is right, or that it cites the deciding article.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.law.verifying.verify import verify_citations
from kofinlaw.scoring.scores_record import LawCitationRecord

__all__ = ["law_citation_figures"]


def law_citation_figures(
    written: Mapping[str, str], law: KnownLaw | None, days: Mapping[str, str]
) -> LawCitationRecord | None:
    """Return the counts over all texts; None without a corpus, or if no text cites law.

    Args:
        written: what the model wrote, by question id: an answer, or the reasons before a choice.
        law: the corpus.
        days: the ISO day that a question is about, by question id; empty for the newest law.
    """
    if law is None:
        return None
    found = {
        name: verify_citations(text, law, as_of=days.get(name) or None)
        for name, text in written.items()
        if text.strip()
    }
    every = [one for some in found.values() for one in some]
    if not every:
        return None
    verdicts = Counter(one.verdict for one in every)
    refuted = sum(one.failed for one in every)
    return {
        "answers": len(found),
        "citing": sum(bool(some) for some in found.values()),
        "citations": len(every),
        "holds": verdicts["holds"],
        "refuted": refuted,
        "unknown": verdicts["unknown"],
        "share": verdicts["holds"] / len(every),
        "answers_with_refuted": sum(any(one.failed for one in some) for some in found.values()),
        "by_verdict": dict(sorted(verdicts.items())),
    }
