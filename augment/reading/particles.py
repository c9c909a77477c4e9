"""Replace a part of a Korean sentence and correct the particle that follows it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache

from kofinlaw.data.korean.words import josa, particle_pair, tag_text

__all__ = [
    "follow",
    "has_pair",
    "has_topic",
    "in_both_forms",
    "replace_span",
    "subject_topics",
    "tagged",
    "topic_as_subject",
    "topic_ends",
]

# A particle directly after a noun, up to the end of the word. The copula (`이고`, `인`, `이다`) is
# the same after every noun.
_PARTICLE = re.compile(
    r"(?P<particle>은|는|이|가|을|를|과|와|으로|로|이나|나)(?P<rest>서|써|부터)?(?=[\s,.?]|$)"
)


def replace_span(text: str, start: int, end: int, new: str) -> str:
    """Return the text with `new` in place of the characters from `start` to `end`.

    A particle that follows directly is written as it fits `new`: `3분의 1 이상이` with 이하 gives
    `3분의 1 이하가`.
    """
    return text[:start] + follow(new, text[end:])


def follow(noun: str, tail: str) -> str:
    """Return the noun with the text that follows it; a particle at its start fits the noun."""
    match = _PARTICLE.match(tail)
    if not match:
        return noun + tail
    particle = match.group("particle")
    pair = particle_pair(particle)
    if match.group("rest") and pair != "으로/로":
        return noun + tail
    return josa(noun, pair) + tail[len(particle) :]


def has_pair(nouns: Sequence[str], tail: str) -> bool:
    """Return whether the particle at the start of the tail fits all nouns, or there is none."""
    return all(follow(noun, tail) == noun + tail for noun in nouns)


def in_both_forms(tail: str) -> str:
    """Return the tail with the particle at its start in both forms: `을(를) 말한다`."""
    match = _PARTICLE.match(tail)
    if not match:
        return tail
    particle = match.group("particle")
    pair = particle_pair(particle)
    both = {"으로/로": "(으)로", "이나/나": "(이)나"}.get(pair, pair.replace("/", "(") + ")")
    return both + tail[len(particle) :]


def has_topic(text: str) -> bool:
    """Return whether a word of the text ends in the topic particle 은 or 는.

    Kiwi distinguishes the particle (`금고는`) from the ending of a verb (`정하는`).
    """
    if not re.search(r"[은는](?=[\s,]|$)", text):
        return False
    return bool(topic_ends(text))


@lru_cache(maxsize=20_000)
def tagged(text: str) -> tuple[tuple[str, str, int, int], ...]:
    """Return (form, part of speech, start, end) of the morphemes of a text, as `tag_text`."""
    return tuple(tag_text(text))


@lru_cache(maxsize=20_000)
def topic_ends(text: str) -> frozenset[int]:
    """Return where the topic particles (은, 는) of a text end; 적은 and 하는 have none.

    A topic follows a noun, also after 에, 에서 and 으로.
    """
    return frozenset(
        end for form, tag, _, end in tagged(text) if tag == "JX" and form in ("은", "는")
    )


@lru_cache(maxsize=20_000)
def subject_topics(text: str) -> frozenset[int]:
    """Return where the topic particles end that follow a noun directly.

    Of `기간은`, not of `신청서에는`, `은행에서는`, `은행에게는` and `경우에는`.
    """
    tags = tagged(text)
    return frozenset(
        end
        for (_, before, _, _), (form, tag, _, end) in itertools.pairwise(tags)
        if tag == "JX" and form in ("은", "는") and not before.startswith(("J", "E", "MA"))
    )


def topic_as_subject(words: str) -> str:
    """Return words that end in a topic particle with 이 or 가 instead: `은행은` → `은행이`.

    After another particle it is only left out, because no subject is there: `신청서에는` →
    `신청서에`, `은행에서는` → `은행에서`.
    """
    bare = words[:-1]
    return josa(bare, "이/가") if len(words) in subject_topics(words) else bare
