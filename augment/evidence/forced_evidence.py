"""Change the gold passages of a question, to measure what a model does without good evidence.

- `gold`: the passages unchanged;
- `partial`: without the lines that decide the question;
- `contradicting`: with the deciding figure or party replaced by one that no option names.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from kofinlaw.augment.reading.clauses import line_letters
from kofinlaw.augment.reading.figures import Figure, clearly_differ, find_figures, near_values
from kofinlaw.augment.reading.names import normalize
from kofinlaw.data.korean.words import bigrams, josa, particle_pair
from kofinlaw.data.law.actors import read_actors
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.records import Chunk, Key, Question

__all__ = [
    "Passages",
    "chosen_questions",
    "contradicting_evidence",
    "deciding_lines",
    "deciding_texts",
    "forced_passages",
    "partial_evidence",
    "party_names",
]

Passages = Mapping[str, Sequence[Chunk]]  # by question id


def chosen_questions(
    questions: Sequence[Question],
    keys: Mapping[str, Key],
    chunks: Sequence[Chunk],
    most: int | None,
    seed: int,
) -> tuple[list[Question], dict[str, list[Chunk]]]:
    """Return the questions whose gold articles are in the corpus, and these passages by question.

    At most `most` are drawn by seed; they keep their order.
    """
    by_unit: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        by_unit.setdefault(chunk.unit, []).append(chunk)
    gold = {
        question.id: [chunk for unit in keys[question.id].units for chunk in by_unit.get(unit, ())]
        for question in questions
        if question.id in keys
    }
    names = [name for name, passages in gold.items() if passages]
    if most is not None and most < len(names):
        names = random.Random(f"{seed}:evidence").sample(names, most)
    wanted = set(names)
    return [q for q in questions if q.id in wanted], {name: gold[name] for name in wanted}


def forced_passages(
    kind: str,
    questions: Sequence[Question],
    keys: Mapping[str, Key],
    gold: Passages,
    chunks: Sequence[Chunk],
    focus: Mapping[str, Sequence[str]],
    seed: int,
) -> dict[str, list[Chunk]]:
    """Return the passages of each question under a kind of evidence.

    Questions for which the kind cannot be made are left out. Under `none` each has an empty list.

    Args:
        kind: gold, partial, none or contradicting.
        questions: the questions.
        keys: their keys by id.
        gold: their gold passages by id.
        chunks: the whole corpus: other parties come from the act of the gold passage.
        focus: the phrases that decide a question, by id, where they are known.
        seed: of the new values.
    """
    of_act: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        of_act.setdefault(chunk.document_id, []).append(chunk)
    parties: dict[str, list[str]] = {}
    out: dict[str, list[Chunk]] = {}
    for question in questions:
        key, passages = keys[question.id], list(gold[question.id])
        words = focus.get(question.id, ())
        found: list[Chunk] | None = passages
        if kind == "none":
            found = []
        elif kind == "partial":
            found = partial_evidence(passages, question, key, words)
        elif kind == "contradicting":
            act = passages[0].document_id
            if act not in parties:
                parties[act] = party_names(of_act.get(act, ()))
            rng = random.Random(f"{seed}:{question.id}")
            found = contradicting_evidence(passages, question, key, parties[act], rng, words)
        if found is not None:
            out[question.id] = found
    return out


def deciding_texts(question: Question, key: Key) -> tuple[str, ...]:
    """Return the texts that evidence must support: the right option, for a negative stem all of
    them, for free text the reference.
    """
    if not question.options:
        return (key.reference,)
    if is_negative(question.question):
        return question.options
    return tuple(question.options[index] for index in key.indices)


def deciding_lines(
    lines: Sequence[str], question: Question, key: Key, focus: Sequence[str] = ()
) -> list[int]:
    """Return the indices of the lines that decide a question.

    They are the lines with a phrase of `focus`. Without one they are the lines that hold most of
    the bigrams of a deciding text together with the stem, for each of these texts.

    Args:
        lines: the lines of a passage, without its header.
        question: the question with its options.
        key: its key.
        focus: phrases that decide it, where the generator recorded them.
    """
    plain = [line_letters(line) for line in lines]
    wanted = [normalize(phrase) for phrase in focus if normalize(phrase)]
    found = [i for i, line in enumerate(plain) if any(phrase in line for phrase in wanted)]
    if found:
        return found
    grams = [set(bigrams(line)) for line in lines]
    stem = set(bigrams(question.question))
    best: set[int] = set()
    for text in deciding_texts(question, key):
        own = set(bigrams(text))
        shared = [len(own & gram) + 0.5 * len((stem - own) & gram) for gram in grams]
        if any(own & gram for gram in grams):
            best |= {i for i, value in enumerate(shared) if value == max(shared)}
    return sorted(best)


def partial_evidence(
    passages: Sequence[Chunk], question: Question, key: Key, focus: Sequence[str] = ()
) -> list[Chunk] | None:
    """Return the gold passages without their deciding lines; None if no line decides.

    A passage that has no other line keeps its header.
    """
    taken = _taken(passages, question, key, focus)
    if not any(taken):
        return None
    out = []
    for passage, gone in zip(passages, taken, strict=True):
        header, lines = _split(passage)
        kept = [line for i, line in enumerate(lines) if i not in gone]
        out.append(replace(passage, text="\n".join([header, *kept])))
    return out


def contradicting_evidence(
    passages: Sequence[Chunk],
    question: Question,
    key: Key,
    parties: Sequence[str],
    rng: random.Random,
    focus: Sequence[str] = (),
) -> list[Chunk] | None:
    """Return the gold passages with another figure or party in the deciding lines.

    No option holds the new value, so that no option is supported. None for a negative stem,
    and where the deciding lines share no figure or party with the right answer.

    Args:
        passages: the gold passages.
        question: the question with its options.
        key: its key.
        parties: names to choose another party from (see `party_names`).
        rng: draws the new value.
        focus: phrases that decide the question, where the generator recorded them.
    """
    if question.options and is_negative(question.question):
        return None
    (right,) = deciding_texts(question, key)
    asked = " ".join([question.question, *question.options, right])
    taken = _taken(passages, question, key, focus)
    for change in (
        _figure_change(passages, taken, right, asked, rng),
        _party_change(passages, taken, right, asked, parties, rng),
    ):
        if change is None:
            continue
        out = []
        for passage, chosen in zip(passages, taken, strict=True):
            header, lines = _split(passage)
            rows = [change(line) if i in chosen else line for i, line in enumerate(lines)]
            out.append(replace(passage, text="\n".join([header, *rows])))
        if any(new.text != old.text for new, old in zip(out, passages, strict=True)):
            return out
    return None


def party_names(passages: Iterable[Chunk]) -> list[str]:
    """Return the parties that act in the passages, most frequent first."""
    seen = Counter(
        actor.name
        for passage in passages
        for line in passage.text.split("\n")
        for actor in read_actors(line)
        if actor.role == "agent"
    )
    return [name for name, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))]


def _split(passage: Chunk) -> tuple[str, list[str]]:
    """Return (header, other lines) of a passage."""
    header, *lines = [line for line in passage.text.split("\n") if line.strip()] or [""]
    return header, lines


def _taken(
    passages: Sequence[Chunk], question: Question, key: Key, focus: Sequence[str]
) -> list[list[int]]:
    """Return the deciding lines of each passage."""
    return [deciding_lines(_split(passage)[1], question, key, focus) for passage in passages]


def _deciding(passages: Sequence[Chunk], taken: Sequence[Sequence[int]]) -> list[str]:
    return [
        _split(passage)[1][i]
        for passage, chosen in zip(passages, taken, strict=True)
        for i in chosen
    ]


def _figure_change(
    passages: Sequence[Chunk],
    taken: Sequence[Sequence[int]],
    right: str,
    asked: str,
    rng: random.Random,
) -> Callable[[str], str] | None:
    """Return how to replace the right answer's figure in a line; None if the lines have none."""
    wanted = find_figures(right)
    known = find_figures(asked)
    for line in _deciding(passages, taken):
        for figure in find_figures(line):
            if not any(_equal(figure, other) for other in wanted):
                continue
            for text in near_values(figure, rng):
                new = find_figures(text)
                if len(new) == 1 and not any(
                    other.dimension == figure.dimension and not clearly_differ(other, new[0])
                    for other in [*known, *find_figures(line)]
                ):
                    return _replaced(figure, text)
    return None


def _replaced(figure: Figure, text: str) -> Callable[[str], str]:
    def change(line: str) -> str:
        for found in reversed(find_figures(line)):
            if _equal(found, figure):
                line = line[: found.start] + text + line[found.end :]
        return line

    return change


def _equal(one: Figure, other: Figure) -> bool:
    return one.dimension == other.dimension and one.value == other.value


def _party_change(
    passages: Sequence[Chunk],
    taken: Sequence[Sequence[int]],
    right: str,
    asked: str,
    parties: Sequence[str],
    rng: random.Random,
) -> Callable[[str], str] | None:
    """Return how to replace the right answer's party in a line; None if the lines have none."""
    lines = _deciding(passages, taken)
    named = [actor.name for actor in read_actors(right)]
    for name in named:
        free = [
            party
            for party in parties
            if party not in asked
            and party not in name
            and name not in party
            and not any(party in line for line in lines)
        ]
        if free and any(name in line for line in lines):
            return _renamed(name, rng.choice(free[:8]))
    return None


def _renamed(name: str, other: str) -> Callable[[str], str]:
    pattern = re.compile(rf"(?<![가-힣]){re.escape(name)}([은는이가을를과와]?)(?![가-힣])")
    loose = re.compile(rf"(?<![가-힣]){re.escape(name)}")

    def change(line: str) -> str:
        line = pattern.sub(lambda m: josa(other, particle_pair(m[1])) if m[1] else other, line)
        return loose.sub(other, line)

    return change
