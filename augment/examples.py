"""Finished questions made into training examples: evidence packed, the answer as it is said."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from kofinlaw import Progress
from kofinlaw.augment.assemble import Maker, item_id
from kofinlaw.augment.generators import free_text as free
from kofinlaw.augment.generators import grounded
from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.raft import Evidence
from kofinlaw.augment.surface import vary
from kofinlaw.data.prompting.wording import (
    NO_EVIDENCE,
    PROMPT_VERSION,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.files import sha256_text
from kofinlaw.records import Example, Provenance

NO_TEXTS = Evidence((), (), whole=False)


def choice_examples(maker: Maker, items: Sequence[Item], progress: Progress) -> list[Example]:
    """An example an item; those whose deciding lines do not fit the budget are rejected."""
    out = []
    for done, item in enumerate(items):
        if done % 100 == 0:
            progress("augment: evidence", done, len(items))
        example = _example(maker, item)
        if example is not None:
            out.append(example)
    progress("augment: evidence", len(items), len(items))
    return out


def _example(maker: Maker, item: Item) -> Example | None:
    settings, draft = maker.settings, item.draft
    name = item_id(item)
    rng = source_rng(maker.seed, "evidence", name)
    drawn = rng.random()
    missing = settings.shown_evidence and drawn < settings.raft.gold_missing_share
    # As often as it is right, the option that nothing can be found stands there and is wrong.
    decoy = settings.shown_evidence and not missing and drawn < 2 * settings.raft.gold_missing_share
    options, answer = list(item.options), item.answer
    if missing:
        options[answer] = NO_EVIDENCE
    elif decoy:
        options[rng.choice([i for i in range(len(options)) if i != answer])] = NO_EVIDENCE
    query = " ".join([draft.stem, *options])
    found = _shown(maker, query, draft.units, draft.focus, rng, missing=missing)
    if found is None:
        maker.reject(item, "evidence_too_long", "the deciding lines do not fit the budget")
        return None
    stem, changes = _surface(maker, name, draft.stem, options)
    messages = choice_messages(stem, options, found.texts, settings.answer_form)
    reply = choice_candidates(options, settings.answer_form)[answer]
    messages.append({"role": "assistant", "content": reply})
    return Example(
        name,
        "choice_gold_missing" if missing else f"choice_{draft.kind}",
        messages,
        str(answer + 1),
        _provenance(found.chunks, draft.kind, maker.seed),
        [
            {"check": "options_distinct", "ok": True},
            {"check": "not_true_elsewhere", "ok": True},
            {"check": "gold_shown", "ok": not missing},
            *({"check": f"surface_{change}", "ok": True} for change in changes),
        ],
    )


def _shown(
    maker: Maker,
    query: str,
    units: Sequence[str],
    focus: Sequence[str],
    rng: Random,
    *,
    missing: bool,
) -> Evidence | None:
    """What an example shows: nothing where the settings say so. None: its deciding lines do not
    fit the budget."""
    settings = maker.settings
    if not settings.shown_evidence:
        return NO_TEXTS
    found = maker.shelf.evidence(
        query,
        units,
        focus,
        distractors=settings.raft.distractors,
        budget_tokens=settings.raft.max_evidence_tokens,
        rng=rng,
        gold_missing=missing,
    )
    return found if missing or found.whole else None


def _surface(
    maker: Maker, name: str, question: str, keep: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The question as people type it, for a share of the examples; the held-out ones never."""
    rng = source_rng(maker.seed, "surface", name)
    if rng.random() >= maker.settings.surface_share:
        return question, ()
    return vary(question, keep, rng)


def _provenance(chunks: Sequence[str], generator: str, seed: int) -> Provenance:
    return {
        "chunks": list(chunks),
        "generator": generator,
        "version": f"{grounded.VERSION}/{PROMPT_VERSION}",
        "teacher": "",
        "teacher_revision": "",
        "teacher_license": "",
        "prompt_sha256": "",
        "seed": seed,
    }


def free_examples(maker: Maker, choices: int, held: frozenset[str]) -> list[Example]:
    """Free-text examples beside `choices` multiple-choice ones, in their share."""
    settings = maker.settings
    wanted = round(choices * settings.free_share / (1 - settings.free_share))
    pool = [item for law in maker.laws.acts if law.title not in held for item in free.generate(law)]
    rng = source_rng(maker.seed, "free")
    rng.shuffle(pool)
    out: list[Example] = []
    for item in pool:
        if len(out) == wanted:
            break
        if maker.protected.shared(item.question):
            continue
        missing = settings.shown_evidence and rng.random() < settings.raft.gold_missing_share
        found = _shown(maker, item.question, (item.unit,), item.focus, rng, missing=missing)
        if found is None:
            continue
        name = f"free-{sha256_text(item.question + item.reference)[:12]}"
        asked, changes = _surface(maker, name, item.question, [item.reference, *item.keywords])
        messages = free_messages(asked, found.texts)
        reply = NO_EVIDENCE if missing else item.reference
        messages.append({"role": "assistant", "content": reply})
        task = "free_gold_missing" if missing else "free"
        provenance = _provenance(found.chunks, "free", maker.seed)
        checks = [{"check": f"surface_{change}", "ok": True} for change in changes]
        out.append(Example(name, task, messages, reply, provenance, checks))
    return out
