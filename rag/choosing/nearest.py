"""Rank the sentences of the evidence by their similarity to a question, without a model.

The similarity is the Dice coefficient of character bigrams, weighted by their rarity among the
sentences (`rag/reading/rarity.py`). To it are added HEADING_WEIGHT times the share of the
question that the sentence's heading alone has, and RANK_WEIGHT divided by the rank of its passage.
Words of the act's title do not count: they name the act and ask for nothing. The weights were
chosen on the odd questions of three sets (`docs/studies/transfer.md`, section "Free text").

A question that only names an article or annex (`제8조는 무슨 내용인가요?`) gets sentences of it.

The contest's script copies this module, so it imports only what that machine has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from kofinlaw.data.korean.words import bigrams
from kofinlaw.rag.reading.candidates import Candidate, evidence_sentences, fitted
from kofinlaw.rag.reading.rarity import Rarity

__all__ = [
    "HEADING_WEIGHT",
    "RANK_WEIGHT",
    "nearest_sentence",
    "nearest_sentences",
    "nearest_values",
    "quotation",
]

HEADING_WEIGHT = 0.3
RANK_WEIGHT = 0.1

_QUOTATIONS = 12  # nearest sentences among which the figures of the question decide
# A figure with its unit, as `1급` and `30일`; `제7조` names a place and is not a figure.
_FIGURE = re.compile(r"(?<![제\d.,])(\d[\d,.]*)\s?([가-힣%])")
_TITLE = re.compile(r"^(.*?)(?<!\s)(?:\s++제\d+조|\s++\[?(?:별표|별지)\s|\s*+>|\s*+$)")
_QUOTED = re.compile(r"「[^「」]*」")
_PLACE = re.compile(r"(?:제\s*\d+\s*조|별표\s*\d+(?:-\d+)?)(?:의\s*\d+)?")
_CITED = re.compile(_PLACE.pattern + r"(?:\s*[(（][^)）]{0,100}[)）])?")
_MISSPELT = 0.6  # least similarity of a misspelt title to the title: Dice of character bigrams
# All that a question for the text of an article has besides the names of act and article.
_ONLY_ASKS = re.compile(
    r"뭔가요?|뭔지|무슨|무엇|뭐|뭔|어떤|어떻게|내용|조문|조항|설명|알려|보여|대해서?|대하여|관하여|인가요?|인지|입니까"
    r"|이에요|예요|이야|야|있나요|있습니까|되나요|됩니까|되어|돼|주세요|줘|하시오|하세요|해|[은는이가의을를에]"
    r"|[^\w가-힣]"
)


def nearest_sentences(
    question: str, shown: Sequence[str], most: int, fits: Callable[[str], bool]
) -> list[tuple[Candidate, float]]:
    """Return at most `most` sentences of the shown texts with their value, nearest first.

    Args:
        question: The question.
        shown: The texts as the prompt shows them, best first.
        most: The largest number of sentences.
        fits: Whether a text is short enough for an answer. A longer one is cut, see `fitted`.
    """
    found = _of_named_article(question, evidence_sentences(question, shown, fits))
    values = nearest_values(question, found)
    order = sorted(range(len(found)), key=lambda i: (-values[i], i))
    out: dict[str, tuple[Candidate, float]] = {}
    for index in order:
        one = found[index]
        text = fitted(one.text, fits)
        if text and text not in out:
            out[text] = (Candidate(text, one.passage, one.header), values[index])
        if len(out) == most:
            break
    return list(out.values())


def quotation(
    question: str, shown: Sequence[str], fits: Callable[[str], bool]
) -> tuple[Candidate, float] | None:
    """Return the sentence to quote where a model's text cannot be used, with its value.

    It is the nearest of those that have most of the question's figures: `1급` and `2급` share all
    bigrams with their neighbours. None without a sentence. The arguments are those of
    `nearest_sentences`.
    """
    found = nearest_sentences(question, shown, _QUOTATIONS, fits)
    asked = _figures(question)
    return max(found, key=lambda one: len(asked & _figures(one[0].text)), default=None)


def _figures(text: str) -> set[str]:
    return {number.replace(",", "").rstrip(".") + unit for number, unit in _FIGURE.findall(text)}


def nearest_sentence(question: str, shown: Sequence[str], max_characters: int = 0) -> str:
    """Return the nearest sentence of the shown texts, cut to `max_characters` (0: never cut).

    Empty where no sentence and no heading shares a bigram with the question.
    """

    def fits(text: str) -> bool:
        return not max_characters or len(text) <= max_characters

    found = nearest_sentences(question, shown, 1, fits)
    return found[0][0].text if found and found[0][1] > RANK_WEIGHT else ""


def nearest_values(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """Return the value of each candidate, rounded; larger if it is nearer to the question."""
    titles = {_title(one.header) for one in candidates}
    asked = frozenset(bigrams(_without(question, titles)))
    grams = [frozenset(bigrams(one.text)) for one in candidates]
    weigh = Rarity(grams).total
    whole = weigh(asked)
    out = []
    for one, row in zip(candidates, grams, strict=True):
        both = weigh(row) + whole
        heading = frozenset(bigrams(one.header.removeprefix(_title(one.header)))) - row
        value = 2 * weigh(row & asked) / both if both else 0.0
        value += HEADING_WEIGHT * weigh(heading & asked) / (whole or 1.0)
        out.append(round(value + RANK_WEIGHT / (1 + one.passage), 6))
    return out


def _of_named_article(question: str, found: list[Candidate]) -> list[Candidate]:
    """Return the sentences of the article whose text a question asks for, if any is shown;
    else all.
    """
    cited = set(_places(question))
    titles = {_title(one.header) for one in found}
    acts = {title for title in titles if title and title in question} or titles
    rest = _CITED.sub(" ", _removed(question, titles))
    if not cited:
        return found
    if _ONLY_ASKS.sub("", rest):
        acts = {title for title in titles if _is_misspelt(rest, title)}
    named = [
        one for one in found
        if cited & set(_places(one.header)[:1]) and _title(one.header) in acts
    ]  # fmt: skip
    return named or found


def _places(text: str) -> list[str]:
    """Return the articles (`제9조의2`) and annexes (`별표2의2`) that a text names, in order."""
    return [re.sub(r"\s", "", place) for place in _PLACE.findall(text)]


def _is_misspelt(text: str, title: str) -> bool:
    """Return whether a text is a title with a wrong letter, and words that only ask."""
    asked, name = (set(bigrams(_ONLY_ASKS.sub("", one))) for one in (text, title))
    return 2 * len(asked & name) >= _MISSPELT * max(1, len(asked) + len(name))


def _title(header: str) -> str:
    """Return the title of a heading: `전자금융거래법 제9조(배상)` gives `전자금융거래법`."""
    match = _TITLE.match(header)
    return match.group(1).strip() if match else ""


def _without(question: str, titles: Iterable[str]) -> str:
    """Return the question without titles of acts; the whole question if nothing else is left."""
    text = _removed(question, titles)
    return text if bigrams(text) else question


def _removed(question: str, titles: Iterable[str]) -> str:
    text = _QUOTED.sub(" ", question)
    for title in sorted(titles, key=lambda name: (-len(name), name)):
        if len(title) > 2:
            text = text.replace(title, " ")
    return text
