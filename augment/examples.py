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
from kofinlaw.augment.settings import TargetForm
from kofinlaw.augment.surface import vary
from kofinlaw.augment.targets.deciding_lines import deciding_lines
from kofinlaw.augment.targets.target_forms import (
    Statement,
    draw_form,
    draw_statement,
    reasoned_messages,
    reasoning_of,
    verified_messages,
    with_system,
)
from kofinlaw.augment.twins import twin_example
from kofinlaw.data.prompting.claims import Claims, claims_of
from kofinlaw.data.prompting.wording import (
    NO_EVIDENCE,
    PROMPT_VERSION,
    VERDICTS,
    AnswerForm,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.files import sha256_text
from kofinlaw.records import Choice, Example, Message, Provenance, record_fault, until_fault

__all__ = ["EMPTY_EVIDENCE", "choice_examples", "free_examples", "free_id"]

EMPTY_EVIDENCE = Evidence((), (), complete=False)
VERIFY: TargetForm = "verification"


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
        try:
            example = _choice_example(context, item)
            out += _with_twin(context, item, example) if example is not None else []
        except Exception as error:
            context.reject(item, "failed", record_fault(error))
    progress("augment: evidence", len(items), len(items))
    return out


def _with_twin(context: AugmentContext, item: Item, example: Example) -> list[Example]:
    """Return the example, with its twin for a share of those that can have one."""
    rng = source_rng(context.seed, "twin", example.id)
    if not item.draft.readings or rng.random() >= context.settings.twin_share:
        return [example]
    if NO_EVIDENCE in example.choice["options"]:
        return [example]
    form = "label" if example.messages[-1]["content"] == example.answer_key else "text"
    twin = twin_example(example, item, form, rng)
    if twin is None:
        return [example]
    context.decided_by[twin.id] = context.decided_by[example.id]
    choice = Choice(**{**example.choice, "twin": twin.id})
    return [replace(example, choice=choice), twin]


def _choice_example(context: AugmentContext, item: Item) -> Example | None:
    settings, draft = context.settings, item.draft
    name = item_id(item)
    context.decided_by[name] = draft.units, draft.focus
    form_rng = source_rng(context.seed, "target form", name)
    statement = draw_statement(draft, form_rng) if settings.target_forms else None
    closed = _closed(context, name)
    if statement is not None and not closed:
        drawn = draw_form(settings.target_forms, ("text", "label", "reasoned", VERIFY), form_rng)
        if drawn == VERIFY:
            return _verification(context, item, statement)
    rng = source_rng(context.seed, "evidence", name)
    share, at = settings.raft.gold_missing_share, rng.random()
    missing = not closed and at < share
    # The option that no answer can be found is wrong in as many examples as it is right.
    decoy = not closed and not missing and at < 2 * share
    options, answer = list(item.options), item.answer
    if missing:
        options[answer] = NO_EVIDENCE
    elif decoy:
        options[rng.choice([i for i in range(len(options)) if i != answer])] = NO_EVIDENCE
    query, claims = " ".join([draft.stem, *options]), claims_of(draft.stem, options)
    found = _evidence(
        context, query, draft.units, draft.focus, rng, missing=missing, closed=closed, claims=claims
    )
    if found is None:
        context.reject(
            item, "evidence_too_long", "a deciding line does not fit the budget or is in no passage"
        )
        return None
    stem, changes = _surface(context, name, draft.stem, options)
    messages = _choice_turns(context, item, form_rng, found, stem, options, missing=missing)
    return Example(
        name,
        "choice_gold_missing" if missing else f"choice_{draft.kind}",
        _with_system(context, name, messages),
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


def _choice_turns(
    context: AugmentContext,
    item: Item,
    rng: Random,
    found: Evidence,
    stem: str,
    options: Sequence[str],
    *,
    missing: bool,
) -> list[Message]:
    """Return question and reply in the drawn form; in `answer_form` where no forms are set.

    A reason needs its deciding lines in the evidence. A question that can have a twin has none.
    """
    settings = context.settings
    reason = ""
    wanted = settings.target_forms.get("reasoned", 0) > 0 and not item.draft.readings
    if wanted and found.texts and not missing:
        law = context.laws.by_title.get(item.draft.document)
        lines = deciding_lines(item.draft, law, found.texts) if law is not None else []
        reason = reasoning_of(lines, item.draft)
    possible: tuple[TargetForm, ...] = ("text", "label", *(("reasoned",) if reason else ()))
    drawn = draw_form(settings.target_forms, possible, rng)
    if drawn == "reasoned":
        return reasoned_messages(
            stem, options, found.texts, settings.answer_form, reason, item.answer
        )
    form: AnswerForm = drawn if drawn in ("text", "label") else settings.answer_form
    messages = choice_messages(stem, options, found.texts, form)
    reply = choice_candidates(options, form)[item.answer]
    return [*messages, {"role": "assistant", "content": reply}]


def _verification(context: AugmentContext, item: Item, statement: Statement) -> Example | None:
    """Return the example that asks for a verdict on one statement of an item."""
    draft, name = item.draft, item_id(item)
    missing = VERDICTS[statement.verdict] == VERDICTS[-1]
    rng = source_rng(context.seed, "evidence", name)
    found = _evidence(
        context, statement.text, draft.units, draft.focus, rng, missing=missing, closed=False
    )
    if found is None:
        context.reject(
            item, "evidence_too_long", "a deciding line does not fit the budget or is in no passage"
        )
        return None
    return Example(
        name,
        "verification",
        _with_system(context, name, verified_messages(statement, found.texts)),
        VERDICTS[statement.verdict],
        _provenance(found.chunks, draft.kind, context.seed),
        [{"check": "not_true_elsewhere", "ok": True}, {"check": "gold_shown", "ok": not missing}],
    )


def _closed(context: AugmentContext, name: str) -> bool:
    """Return whether an example shows no evidence: a share of them, or all."""
    drawn = source_rng(context.seed, "closed book", name).random()
    settings = context.settings
    return not settings.shown_evidence or drawn < settings.closed_book_share


def _with_system(context: AugmentContext, name: str, messages: list[Message]) -> list[Message]:
    """Return the messages, after the system prompt in its share of the examples."""
    drawn = source_rng(context.seed, "system", name).random()
    return with_system(messages) if drawn < context.settings.system_share else messages


def _evidence(
    context: AugmentContext,
    query: str,
    units: Sequence[str],
    focus: Sequence[str],
    rng: Random,
    *,
    missing: bool,
    closed: bool,
    claims: Claims | None = None,
) -> Evidence | None:
    """Return the evidence of an example, empty for one without evidence.

    None where the deciding lines do not fit the budget.
    """
    settings = context.settings
    if closed:
        return EMPTY_EVIDENCE
    found = context.passages.evidence(
        query,
        units,
        focus,
        distractors=settings.raft.distractors,
        budget_tokens=settings.raft.max_evidence_tokens,
        rng=rng,
        gold_missing=missing,
        claims=claims,
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
        for item in until_fault(free_text.generate(law), context.act_report(law.title, "free"))
    ]
    rng = source_rng(context.seed, "free")
    rng.shuffle(pool)
    out: list[Example] = []
    for item in pool:
        if len(out) == wanted:
            break
        try:
            example = _free_example(context, item, rng)
        except Exception as error:
            context.reject_free(free_id(item), item, "failed", record_fault(error))
            continue
        out += [example] if example is not None else []
    return out


def _free_example(context: AugmentContext, item: free_text.FreeItem, rng: Random) -> Example | None:
    """Return the example of a free-text question; None if it is an evaluation question, or if its
    deciding line does not fit the budget.
    """
    if context.protected.copied_part(item.question, item.reference):
        return None
    name = free_id(item)
    context.decided_by[name] = (item.unit,), item.focus
    closed = _closed(context, name)
    missing = not closed and rng.random() < context.settings.raft.free_missing_share
    found = _evidence(
        context, item.question, (item.unit,), item.focus, rng, missing=missing, closed=closed
    )
    if found is None:
        return None
    asked, changes = _surface(context, name, item.question, [item.reference, *item.keywords])
    messages = free_messages(asked, found.texts)
    reply = f"{NO_EVIDENCE} {item.needs}" if missing else item.reference
    messages.append({"role": "assistant", "content": reply})
    task = "free_gold_missing" if missing else "free"
    provenance = _provenance(found.chunks, "free", context.seed)
    checks = [{"check": f"surface_{change}", "ok": True} for change in changes]
    messages = _with_system(context, name, messages)
    return Example(name, task, messages, reply, provenance, checks)
