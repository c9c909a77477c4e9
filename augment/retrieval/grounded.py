"""Turn the stems of the question generators into queries: without act, article and form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kofinlaw.augment.generators import (
    actors,
    enumerations,
    exceptions,
    free_text,
    penalties,
    quantities,
    references,
)
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.retrieval.query_text import LONGEST, Query, without_citations
from kofinlaw.records import until_fault

__all__ = ["bare_question", "grounded_queries"]

# The generators whose stems say by themselves what they ask.
_GENERATORS: tuple[Callable[[Law, int], Iterator[Draft]], ...] = (
    quantities.generate,
    actors.generate,
    enumerations.generate,
    exceptions.generate,
    penalties.generate,
    references.governing,
)
CLEAR = 25  # characters from which a question says enough without its act
_LAW = r"「[^」]*」(?: ?제\d+조(?:의\d+)?)?(?: ?\([^()]*\))?(?:제\d+[항호](?:의\d+)?)*"
# How a stem begins: `「법」 제9조제1항에 따르면, `, `다음은 「법」의 내용이다. `, `「법」에서 `.
_OPENING = re.compile(
    rf"^(?:다음 중 |다음은 )?{_LAW}"
    r"(?:의 규정|의 내용|[이가] 정하는 바|에서 정한 바)?"
    r"(?:에 따르면|에 따를 때|에 의하면|에 비추어 볼 때|[을를] 기준으로 할 때|에서|상|의)?,?"
    r" (?:다음 중 )?"
)
# How it ends: what is in the gap, and which article says so.
_CLOSING = re.compile(
    r"(?:\(   \) ?안에|빈칸에) [^?.]{0,30}(?:\?|\.)$"
    r"|고 (?:정한|한|정하고 있는|규정한|규정하고 있는) 조문은[^?]{0,15}\?$"
)
_GAP = "(   )"
_WITHOUT_WORDS = re.compile(r"각 호|다음|\(가\)|빈칸")


def bare_question(stem: str) -> str:
    """Return a stem without act, article and the form of an exam; empty if little is left.

    A stem that quotes the law around a gap, or that speaks of a list or a text below, gives none.
    """
    text = _CLOSING.sub("", _OPENING.sub("", stem, count=1)).strip()
    if _GAP in text or _WITHOUT_WORDS.search(text) or _OPENING.match(text):
        return ""
    text = without_citations(text)
    return text if CLEAR <= len(text) <= LONGEST else ""


def grounded_queries(laws: Laws, seed: int) -> Iterator[Query]:
    """Yield the questions of the generators and their free-text questions, act by act.

    The answer of each lies in its unit. An act on which a generator fails gives no more of its
    questions.
    """
    for law in laws.acts:
        for generate in _GENERATORS:
            for draft in until_fault(generate(law, seed), lambda why: None):
                if text := bare_question(draft.stem):
                    yield Query(text, draft.units[0], " ".join(draft.focus))
        for item in until_fault(free_text.generate(law), lambda why: None):
            if text := bare_question(item.question):
                yield Query(text, item.unit, item.reference)
