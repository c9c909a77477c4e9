"""The verdict on one reference of a text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["FAILED", "TITLES", "Basis", "CheckedCitation", "Verdict"]

Verdict = Literal["holds", "differs", "not_in_force", "repealed", "absent", "unknown"]
Basis = Literal["words", "existence", ""]
FAILED: frozenset[Verdict] = frozenset(["differs", "not_in_force", "repealed", "absent"])
"""The verdicts that say that the corpus refutes the reference."""

TITLES: dict[Verdict, str] = {
    "holds": "holds",
    "differs": "exists, but heading or quotation differs",
    "not_in_force": "not in force on that day",
    "repealed": "repealed",
    "absent": "does not exist",
    "unknown": "cannot know",
}


@dataclass(frozen=True, slots=True)
class CheckedCitation:
    """A reference of a text with its verdict.

    - `text` are the words of the reference, `start` and `end` their character offsets in the text
      as it was given.
    - `target` is the unit that it points to (`은행법 제3조`), an act, or the number of a decision;
      `provision` is the path inside the unit (`제1항제2호`, or empty).
    - `verdict` is one of the six of `TITLES`. `basis` says what a reference that holds was compared
      with: `words` (its heading, its quoted words or the day of a decision are those of the
      corpus), or `existence` (it exists; nothing else was there to be compared).
    - `message` is one sentence for the user, `right` the right heading or words, if the corpus has
      them.
    - `heading` and `quoted` are what the text claims. `since` and `until` are the ISO days between
      which the text of the corpus is in force, empty where they are not known. `day` is the ISO day
      that the reference was checked for, empty for the newest text.
    """

    text: str
    start: int
    end: int
    target: str
    provision: str
    verdict: Verdict
    basis: Basis
    message: str
    right: str = ""
    heading: str = ""
    quoted: str = ""
    since: str = ""
    until: str = ""
    day: str = ""

    @property
    def failed(self) -> bool:
        """Whether the corpus refutes the reference."""
        return self.verdict in FAILED

    @property
    def title(self) -> str:
        """The verdict in words: `holds as far as the corpus says` without words to compare."""
        if self.verdict == "holds" and self.basis == "existence":
            return "holds as far as the corpus says"
        return TITLES[self.verdict]

    def to_record(self) -> dict[str, Any]:
        """Return the fields and the verdict in words, as JSON values."""
        return {**asdict(self), "title": self.title}
