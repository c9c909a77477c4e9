"""Compute the figures of a review and write them into the data card of the examples."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from kofinlaw import UserError
from kofinlaw.augment.review.agreement import Agreement, agreement
from kofinlaw.augment.review.outcomes import Read, current_verdicts, settled
from kofinlaw.augment.review.sample import Sample, first_outcomes
from kofinlaw.augment.review.sequential import ERROR, LIMIT, Outcome, RateVerdict, rate_bounds
from kofinlaw.augment.review.verdicts import Verdict
from kofinlaw.decoding import load_json
from kofinlaw.texts import markdown_text

__all__ = [
    "AgreementRecord",
    "KindReview",
    "ReviewRecord",
    "agreements",
    "card_texts",
    "review_lines",
    "review_record",
    "review_table",
    "share_text",
    "state_text",
]

HEADING, NEXT = "## Review\n", "## Rejected\n"
NOT_REVIEWED = "not reviewed"


class KindReview(TypedDict):
    """What readers found in one kind: counts, rates (0 to 1) and the verdict on the limit.

    `chosen` are examples that were read outside of the random order: they count for nothing here.
    """

    examples: int
    read: int
    wrong: int
    unclear: int
    rate: float | None
    least: float
    most: float
    verdict: RateVerdict
    decided_at: int
    chosen: int


class AgreementRecord(TypedDict):
    """How far two readers agree on the examples that both have read."""

    readers: list[str]
    n: int
    equal: int
    kappa: float | None
    low: float | None
    high: float | None


class ReviewRecord(TypedDict):
    """The section `review` of `card.json`.

    `differ` are examples whose readers have to settle their verdicts. `other_text` and `not_made`
    are ids with verdicts on a text that this stage did not make; these verdicts are not used.
    """

    limit: float
    error: float
    kinds: dict[str, KindReview]
    readers: dict[str, int]
    agreement: list[AgreementRecord]
    differ: list[str]
    other_text: list[str]
    not_made: list[str]


def review_record(sample: Sample, verdicts: Sequence[Verdict]) -> ReviewRecord:
    """Return the figures of the verdicts on the examples as they were made."""
    read = current_verdicts(verdicts)
    here = {text: found for text, found in read.items() if sample.sha256.get(text[0]) == text[1]}
    lost = sorted({name for name, _ in read} - {name for name, _ in here})
    readers = Counter(
        one.reader for found in here.values() for one in found.values() if not one.settles
    )
    return {
        "limit": LIMIT,
        "error": ERROR,
        "kinds": {kind: _kind(sample, kind, here) for kind in sample.kinds},
        "readers": dict(sorted(readers.items())),
        "agreement": [_agreement(one) for one in agreements(here)],
        "differ": sorted(name for (name, _), found in here.items() if settled(found) is None),
        "other_text": [name for name in lost if name in sample.sha256],
        "not_made": [name for name in lost if name not in sample.sha256],
    }


def agreements(read: Read) -> list[Agreement]:
    """Return the agreement of each pair of readers who have read the same examples.

    Each reader's own verdict counts, not the one that settled a difference.
    """
    own: dict[str, dict[tuple[str, str], Outcome]] = {}
    for text, by_reader in read.items():
        for one in by_reader.values():
            if not one.settles and one.verdict != "withdrawn":
                own.setdefault(one.reader, {})[text] = one.verdict
    out = []
    for first, second in itertools.combinations(sorted(own), 2):
        both = [text for text in own[first] if text in own[second]]
        if both:
            pairs = [(own[first][text], own[second][text]) for text in both]
            out.append(agreement((first, second), pairs))
    return out


def _agreement(one: Agreement) -> AgreementRecord:
    kappa, low, high = (None if v is None else round(v, 4) for v in (one.kappa, one.low, one.high))
    return {
        "readers": list(one.readers),
        "n": one.n,
        "equal": one.equal,
        "kappa": kappa,
        "low": low,
        "high": high,
    }


def _kind(sample: Sample, kind: str, read: Read) -> KindReview:
    examples = sample.kinds[kind]
    bounds = rate_bounds(len(examples), first_outcomes(sample, kind, read))
    any_read = sum(sample.text(example) in read for example in examples)
    return {
        "examples": len(examples),
        "read": bounds.read,
        "wrong": bounds.wrong,
        "unclear": bounds.unclear,
        "rate": round(bounds.wrong / bounds.read, 4) if bounds.read else None,
        "least": round(bounds.least / len(examples), 4),
        "most": round(bounds.most / len(examples), 4),
        "verdict": bounds.verdict,
        "decided_at": bounds.decided_at,
        "chosen": any_read - bounds.read,
    }


def review_lines(record: ReviewRecord) -> list[str]:
    """Return the card's section on the review."""
    limit, sure = f"{record['limit']:.0%}", f"{1 - record['error']:.0%}"
    lines = [HEADING.rstrip(), ""]
    if not record["readers"]:
        lines += ["Not reviewed: no person has read these examples.", ""]
        return [*lines, *_unused(record)]
    lines += [
        "People read the examples of each kind in a random order. Rates are those of the examples "
        "as they were made, before wrong ones were left out or corrected. Each bound holds with "
        f"{sure}, whenever reading stops; an unclear example counts against both.",
        "",
        *review_table(record),
        "",
        f"At most {limit} is shown if the upper bound is not above it, refuted if the lower bound "
        "is.",
        "",
        "Read by "
        + ", ".join(f"{markdown_text(name)} ({n})" for name, n in record["readers"].items())
        + f"; {len(record['differ'])} examples with different verdicts that are not settled.",
        "",
    ]
    if record["agreement"]:
        lines += [
            "| readers | read by both | equal verdicts | kappa | interval (95 %) |",
            "| --- | ---: | ---: | ---: | --- |",
            *map(_agreement_row, record["agreement"]),
            "",
        ]
    return [*lines, *_unused(record)]


def review_table(record: ReviewRecord) -> list[str]:
    """Return the table of the kinds as lines of Markdown."""
    return [
        "| kind | examples | read | wrong | unclear | rate | at least | at most "
        f"| at most {record['limit']:.0%} wrong |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        *(
            f"| {markdown_text(kind)} | {row['examples']} | {row['read']} | {row['wrong']} "
            f"| {row['unclear']} | {share_text(row['rate'])} | {share_text(row['least'])} "
            f"| {share_text(row['most'])} | {state_text(row)} |"
            for kind, row in record["kinds"].items()
        ),
    ]


def state_text(row: KindReview) -> str:
    """Return in words what is known of the limit in a kind."""
    chosen = f" ({row['chosen']} read out of order)" if row["chosen"] else ""
    if not row["read"]:
        return f"{NOT_REVIEWED}{chosen}"
    at = f" after {row['decided_at']}" if row["verdict"] != "open" else ""
    return f"{row['verdict']}{at}{chosen}"


def share_text(value: float | None) -> str:
    """Return a rate in percent."""
    return "–" if value is None else f"{value:.1%}"


def _agreement_row(one: AgreementRecord) -> str:
    names = " and ".join(map(markdown_text, one["readers"]))
    kappa = "–" if one["kappa"] is None else f"{one['kappa']:.2f}"
    interval = "–" if one["low"] is None else f"{one['low']:.2f} to {one['high']:.2f}"
    equal = f"{one['equal']} ({one['equal'] / one['n']:.0%})"
    return f"| {names} | {one['n']} | {equal} | {kappa} | {interval} |"


def _unused(record: ReviewRecord) -> list[str]:
    """Return sentences on verdicts that are not used; none where all are."""
    lines = []
    for key, text in (
        ("other_text", "These examples have another text than the one that was read"),
        ("not_made", "These examples were read, but are no longer made"),
    ):
        names: list[str] = record[key]  # type: ignore[literal-required]
        if names:
            listed = ", ".join(map(markdown_text, names))
            lines += [f"{text}, so their verdicts are not used: {listed}.", ""]
    return lines


def card_texts(folder: Path, record: ReviewRecord) -> dict[str, str]:
    """Return `card.md` and `card.json` of a finished stage with these figures, by file name.

    Raises UserError if a card is missing or broken.
    """
    try:
        page = (folder / "card.md").read_text(encoding="utf-8")
        value = load_json((folder / "card.json").read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise ValueError("card.json is not an object")
    except (OSError, ValueError) as error:
        raise UserError(
            f"the card of the examples cannot be read: {error}",
            where=str(folder),
            remedy="run the stage augment again",
        ) from error
    figures = json.dumps({**value, "review": record}, ensure_ascii=False, indent=2)
    return {"card.md": _with_section(page, record), "card.json": f"{figures}\n"}


def _with_section(page: str, record: ReviewRecord) -> str:
    """Return a card's Markdown with the section on the review, in the place of an earlier one."""
    before, mark, rest = page.partition(HEADING)
    if mark:
        _, following, rest = rest.partition("\n## ")
        after = f"## {rest}" if following else ""
    else:
        before, mark, rest = page.partition(NEXT)
        after = f"{mark}{rest}"
    section = "\n".join(review_lines(record))
    return f"{before}{section}\n{after}"
