"""Turn finished questions into training examples: evidence, the prompt, and the expected reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from kofinlaw import Progress
from kofinlaw.augment.assemble import AugmentContext, item_id
from kofinlaw.augment.generators import free_text, registry
from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.raft import Evidence
from kofinlaw.augment.surface import vary
from kofinlaw.augment.twins import twin_example
from kofinlaw.data.prompting.wording import (
    NO_EVIDENCE,
    PROMPT_VERSION,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.files import sha256_text
from kofinlaw.records import Choice, Example, Provenance

__all__ = ["EMPTY_EVIDENCE", "choice_examples", "free_examples", "free_id"]

EMPTY_EVIDENCE = Evidence((), (), complete=False)


def choice_examples(
    context: AugmentContext, items: Sequence[Item], progress: Progress
) -> list[Example]:
    """Return one example for each item, and the twins of a share of the hard ones.

    Items whose deciding lines do not fit the budget are rejected.
    """
    out = []
    for done, item in enumerate(items):
        if done % 100 == 0:
            progress("augment: evidence", done, len(items))
        example = _choice_example(context, item)
        if example is not None:
            out += _with_twin(context, item, example)
    progress("augment: evidence", len(items), len(items))
    return out


def _with_twin(context: AugmentContext, item: Item, example: Example) -> list[Example]:
    """Return the example, with its twin for a share of those that can have one."""
    rng = source_rng(context.seed, "twin", example.id)
    if not item.draft.readings or rng.random() >= context.settings.twin_share:
        return [example]
    if NO_EVIDENCE in example.choice["options"]:
        return [example]
    twin = twin_example(example, item, context.settings.answer_form, rng)
    if twin is None:
        return [example]
    choice = Choice(**{**example.choice, "twin": twin.id})
    return [replace(example, choice=choice), twin]


def _choice_example(context: AugmentContext, item: Item) -> Example | None:
    settings, draft = context.settings, item.draft
    name = item_id(item)
    rng = source_rng(context.seed, "evidence", name)
    drawn = rng.random()
    missing = settings.shown_evidence and drawn < settings.raft.gold_missing_share
    # The option that no answer can be found is wrong in as many examples as it is right.
    decoy = settings.shown_evidence and not missing and drawn < 2 * settings.raft.gold_missing_share
    options, answer = list(item.options), item.answer
    if missing:
        options[answer] = NO_EVIDENCE
    elif decoy:
        options[rng.choice([i for i in range(len(options)) if i != answer])] = NO_EVIDENCE
    query = " ".join([draft.stem, *options])
    found = _evidence(context, query, draft.units, draft.focus, rng, missing=missing)
    if found is None:
        context.reject(item, "evidence_too_long", "the deciding lines do not fit the budget")
        return None
    stem, changes = _surface(context, name, draft.stem, options)
    messages = choice_messages(stem, options, found.texts, settings.answer_form)
    reply = choice_candidates(options, settings.answer_form)[answer]
    messages.append({"role": "assistant", "content": reply})
    return Example(
        name,
        "choice_gold_missing" if missing else f"choice_{draft.kind}",
        messages,
        str(answer + 1),
        _provenance(found.chunks, draft.kind, context.seed),
        [
            {"check": "options_distinct", "ok": True},
            {"check": "not_true_elsewhere", "ok": True},
            {"check": "gold_shown", "ok": not missing},
            *({"check": f"surface_{change}", "ok": True} for change in changes),
        ],
        Choice(
            question=stem,
            options=options,
            evidence=list(found.texts),
            answer=answer,
            negative=draft.negative,
            twin="",
        ),
    )


def _evidence(
    context: AugmentContext,
    query: str,
    units: Sequence[str],
    focus: Sequence[str],
    rng: Random,
    *,
    missing: bool,
) -> Evidence | None:
    """Return the evidence of an example, empty where the settings show none.

    None where the deciding lines do not fit the budget.
    """
    settings = context.settings
    if not settings.shown_evidence:
        return EMPTY_EVIDENCE
    found = context.passages.evidence(
        query,
        units,
        focus,
        distractors=settings.raft.distractors,
        budget_tokens=settings.raft.max_evidence_tokens,
        rng=rng,
        gold_missing=missing,
    )
    return found if missing or found.complete else None


def _surface(
    context: AugmentContext, name: str, question: str, keep: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the question as people type it, for a share of the examples.

    Held-out ones never change.
    """
    rng = source_rng(context.seed, "surface", name)
    if rng.random() >= context.settings.surface_share:
        return question, ()
    return vary(question, keep, rng)


def _provenance(chunks: Sequence[str], generator: str, seed: int) -> Provenance:
    return {
        "chunks": list(chunks),
        "generator": generator,
        "version": f"{registry.VERSION}/{PROMPT_VERSION}",
        "teacher": "",
        "teacher_revision": "",
        "teacher_license": "",
        "prompt_sha256": "",
        "seed": seed,
    }


def free_id(item: free_text.FreeItem) -> str:
    """Return the id of the example of a free-text question."""
    return f"free-{sha256_text(item.question + item.reference)[:12]}"


def free_examples(
    context: AugmentContext, choice_count: int, held_out: frozenset[str]
) -> list[Example]:
    """Return free-text examples, in their share next to `choice_count` multiple-choice ones.

    `held_out` are titles of acts that are not used.
    """
    settings = context.settings
    wanted = round(choice_count * settings.free_share / (1 - settings.free_share))
    pool = [
        item
        for law in context.laws.acts
        if law.title not in held_out
        for item in free_text.generate(law)
    ]
    rng = source_rng(context.seed, "free")
    rng.shuffle(pool)
    out: list[Example] = []
    for item in pool:
        if len(out) == wanted:
            break
        asked = f"{item.question}\n{item.reference}"
        if context.protected.shared_run(item.question) or context.protected.contained_text(asked):
            continue
        missing = settings.shown_evidence and rng.random() < settings.raft.free_missing_share
        found = _evidence(context, item.question, (item.unit,), item.focus, rng, missing=missing)
        if found is None:
            continue
        name = free_id(item)
        asked, changes = _surface(context, name, item.question, [item.reference, *item.keywords])
        messages = free_messages(asked, found.texts)
        reply = f"{NO_EVIDENCE} {item.needs}" if missing else item.reference
        messages.append({"role": "assistant", "content": reply})
        task = "free_gold_missing" if missing else "free"
        provenance = _provenance(found.chunks, "free", context.seed)
        checks = [{"check": f"surface_{change}", "ok": True} for change in changes]
        out.append(Example(name, task, messages, reply, provenance, checks))
    return out
