"""Score trivial baselines, which every result is compared with.

Those that read evidence read exactly the text that a system's prompts showed, where the answer
folder records it. Options with equal scores share the credit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.solvers.credit import broken_tie, credit_of, shared_credit
from kofinlaw.data.solvers.solvers import EVIDENCE_SOLVERS, OVERLAPS, Asked, Solvers
from kofinlaw.records import Chunk, Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.result import Figure
from kofinlaw.scoring.scores_record import Basis
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure

__all__ = [
    "Baseline",
    "Evidence",
    "choice_baselines",
    "distinct_evidence",
    "majority_digit",
]

Scored = Mapping[str, Sequence[float]]  # scores of the options by question id; the largest counts


@dataclass(frozen=True, slots=True)
class Evidence:
    """The texts that some systems were shown, by question id.

    `basis` is `shown` if the texts are those in the prompts, `passages` if they are the whole
    retrieved passages because the prompts are not recorded.
    """

    systems: tuple[str, ...]
    basis: Basis
    texts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A trivial rule on multiple-choice questions.

    - `credits`: by question id the probability that it chooses the right option, ties shared;
    - `right`: by question id whether it is right with ties broken, for exact tests;
    - `systems`: those whose evidence it read; empty if it read none, then it compares with all;
    - `tied`: number of questions on which several options share the credit;
    - `method`: how tokens were made (`bigrams` or `morphemes`), empty if it has none;
    - `other`: the figure of the overlap with the other kind of tokens.
    """

    name: str
    credits: Mapping[str, float]
    right: Mapping[str, bool]
    figure: Figure
    tied: int
    basis: Basis = "none"
    systems: tuple[str, ...] = ()
    method: str = ""
    other: Figure | None = None


def majority_digit(questions: Sequence[Question], key: Mapping[str, Key]) -> str:
    """Return the most common right label, the smaller one of two equals; empty without questions.

    The baseline reads the key, so no constant answer scores higher.
    """
    counts = Counter(key[q.id].answer for q in questions)
    return min(counts, key=lambda label: (-counts[label], label), default="")


def distinct_evidence(
    asked: Sequence[Question],
    sheets: Mapping[str, AnswerSheet],
    texts: Mapping[str, Mapping[str, Sequence[str]]],
    passages: Mapping[str, Chunk],
) -> list[Evidence]:
    """Return the evidence of every system that had some; equal evidence is returned once.

    Args:
        asked: the questions.
        sheets: the answers by system, with the ids of the retrieved passages.
        texts: by system and question id the texts in the prompt, as far as they are recorded. If
            a system has any, the questions without a record had no evidence in their prompt.
        passages: all passages by id, for systems whose prompts are not recorded.
    """
    found: list[Evidence] = []
    for system, given in sheets.items():
        recorded = texts.get(system, {})
        basis: Basis = "shown" if recorded else "passages"
        evidence = {
            q.id: tuple(recorded.get(q.id, ()))
            if recorded
            else tuple(passages[c].text for c in given.answers[q.id].evidence if c in passages)
            for q in asked
            if recorded or q.id in given.answers
        }
        if not any(evidence.values()):
            continue
        same = next((n for n, e in enumerate(found) if (e.basis, e.texts) == (basis, evidence)), -1)
        if same >= 0:
            found[same] = Evidence((*found[same].systems, system), basis, evidence)
        else:
            found.append(Evidence((system,), basis, evidence))
    return found


def choice_baselines(
    questions: Sequence[Question],
    key: Mapping[str, Key],
    evidence: Sequence[Evidence],
    *,
    settings: ScoreSettings,
    seed: int,
) -> list[Baseline]:
    """Return the baselines of the multiple-choice questions; none without such questions.

    `majority`, `longest`, `uniform` and `stem_overlap` read no evidence. `overlap` and `look_up`
    read it; if systems were shown different texts, there is one `overlap:SYSTEM` and
    `look_up:SYSTEM` for each, named after the first system. `overlap` is the better one of content
    morphemes and character bigrams.
    """
    asked = [q for q in questions if q.options]
    if not asked:
        return []
    maker = _Maker(asked, key, settings, seed)
    plain = _solved(asked, {}, ("longest", "stem_overlap"))
    out = [
        maker.constant("majority", majority_digit(asked, key)),
        maker.solved("longest", plain["longest"]),
        maker.uniform(),
        maker.solved("stem_overlap", plain["stem_overlap"]),
    ]
    for one in evidence:
        tail = f":{one.systems[0]}" if len(evidence) > 1 else ""
        found = _solved(asked, one.texts, EVIDENCE_SOLVERS)
        worse, better = sorted(
            (
                replace(
                    maker.solved(f"overlap{tail}", found[name]),
                    method=name.removeprefix("overlap_"),
                )
                for name in OVERLAPS
            ),
            key=lambda baseline: baseline.figure.value,
        )
        look_up = maker.solved(f"look_up{tail}", found["look_up"])
        out += [
            replace(read, basis=one.basis, systems=one.systems)
            for read in (replace(better, other=worse.figure), look_up)
        ]
    return out


def _solved(
    asked: Sequence[Question], texts: Mapping[str, tuple[str, ...]], names: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """Return the scores of the options by solver and question id."""
    solvers = Solvers(names)
    seen = {
        q.id: Asked(q.question, q.options, texts.get(q.id, ()), is_negative(q.question))
        for q in asked
    }
    solvers.prepare(seen.values())
    scores = {name: solvers.scores(one) for name, one in seen.items()}
    return {name: {q.id: scores[q.id][name] for q in asked} for name in names}


@dataclass(frozen=True, slots=True)
class _Maker:
    """Turns the scores of options into baselines of these questions."""

    asked: Sequence[Question]
    key: Mapping[str, Key]
    settings: ScoreSettings
    seed: int

    def constant(self, name: str, label: str) -> Baseline:
        """Return a baseline that always answers with the same label."""
        right = {q.id: label in self.key[q.id].labels for q in self.asked}
        credit = {name: float(value) for name, value in right.items()}
        return Baseline(name, credit, right, self._figure(credit), 0)

    def solved(self, name: str, scored: Scored) -> Baseline:
        """Return a baseline that chooses the option with the largest score."""
        credit: dict[str, float] = {}
        right: dict[str, bool] = {}
        tied = 0
        for question in self.asked:
            right_ones = self.key[question.id].indices
            scores = scored[question.id]
            credit[question.id] = credit_of(scores, right_ones)
            right[question.id] = broken_tie(scores, question.options, question.id) in right_ones
            tied += max(shared_credit(scores)) < 1
        return Baseline(name, credit, right, self._figure(credit), tied)

    def uniform(self) -> Baseline:
        """Return the baseline that guesses: its expectation is known, so it has no interval."""
        guess = self.solved("uniform", {q.id: [0.0] * len(q.options) for q in self.asked})
        mean = math.fsum(guess.credits.values()) / len(guess.credits)
        return replace(guess, figure=Figure(mean, mean, mean, len(guess.credits)))

    def _figure(self, credit: Mapping[str, float]) -> Figure:
        figure = mean_figure(
            list(credit.values()),
            samples=self.settings.bootstrap_samples,
            confidence=self.settings.confidence,
            seed=self.seed,
        )
        assert figure is not None  # there is at least one question
        return figure
