"""Turn an answer into the citations that the server sends: unit, version, quoted words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.recipes.serving.jobs import Answered
from kofinlaw.results import JsonValue

if TYPE_CHECKING:
    from kofinlaw.rag.answer.single_question import AskedAnswer

__all__ = ["answer_text", "citations"]


def answer_text(result: AskedAnswer) -> str:
    """Return the text of an answer; a chosen option with its mark, as `ask` shows it."""
    from kofinlaw.recipes.asking.answer_lines import option_mark

    return f"{option_mark(int(result.answer))} {result.option}" if result.option else result.answer


def citations(answered: Answered) -> list[JsonValue]:
    """Return a citation for each passage that the model read or the answer quotes, best first.

    `quoted` is the paragraph that decides. `verdict` is that of `verify_citations` on the unit.
    `verified` says that the corpus does not refute the unit, and that each line of `quoted` occurs,
    letter by letter, in the unit's text of that version; it does not say that the answer follows
    from it. `marks` are the ranges of `quoted` that the question and the answer also use.
    """
    from kofinlaw.rag.reading.paragraphs import deciding_paragraph, matching_words

    out: list[JsonValue] = []
    result = answered.answer
    verdicts = answered.verdicts or ("unknown",) * len(result.evidence)
    for hit, verdict in zip(result.evidence, verdicts, strict=True):
        if not (hit.shown or hit.chunk == result.quoted):
            continue
        said = result.option or (result.answer if hit.chunk == result.quoted else "")
        found = deciding_paragraph(result.question, hit.text, said, read=hit.read)
        quoted = "\n".join(found.lines)
        text = " ".join(hit.text.split())
        verified = (
            verdict in ("holds", "unknown")
            and bool(found.lines)
            and all(" ".join(one.split()) in text for one in found.lines)
        )
        marks: list[JsonValue] = [
            [start, stop]
            for start, stop in matching_words(quoted, f"{result.question} {result.option}")
        ]
        out.append(
            {
                "unit": hit.unit,
                "version": hit.version or (f"시행 {hit.day}" if hit.day else ""),
                "quoted": quoted,
                "verified": verified,
                "verdict": verdict,
                "decides": hit.chunk in (result.quoted, result.decisive_chunk),
                "marks": marks,
                "text": hit.text,
                "source": hit.source.rsplit("/", 1)[-1],
            }
        )
    return out
