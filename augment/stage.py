"""The stage: articles and chunks in; examples, held-out questions, rejects and a card out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.augment import card, free, grounded
from kofinlaw.augment.contamination import Protected
from kofinlaw.augment.drafts import Draft, source_rng
from kofinlaw.augment.law import Laws, read_laws
from kofinlaw.augment.options import Item, build, problem, true_elsewhere
from kofinlaw.augment.raft import Shelf
from kofinlaw.augment.selection import select
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.data.files import dumps, read_jsonl, sha256_text, write_jsonl
from kofinlaw.data.prompting import (
    NO_EVIDENCE,
    PROMPT_VERSION,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.data.records import Article, Chunk, Example, Key, Question, Rejected

# Some drafts fail a check after they are drawn; a few more are drawn in the first place.
SPARE = 1.25


@dataclass
class _Maker:
    """What making examples needs, and the rejects it collects."""

    settings: AugmentSettings
    seed: int
    laws: Laws
    shelf: Shelf
    protected: Protected
    rejected: list[Rejected]

    def reject(self, item: Item, reason: str, detail: str = "") -> None:
        draft = item.draft
        record = {"kind": draft.kind, "stem": draft.stem, "options": list(item.options)}
        self.rejected.append(Rejected(item_id(item), "augment", reason, detail, dumps(record)))


def augment(
    settings: AugmentSettings,
    corpus: Path,
    out: Path,
    *,
    seed: int,
    count_tokens: Callable[[str], int] | None = None,
    protected_texts: Sequence[str] = (),
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make the examples of a corpus; returns counts and figures for `stage.json`.

    Writes `examples.jsonl`, `heldout_questions.jsonl`, `heldout_key.jsonl`, `rejected.jsonl`,
    `ledger.jsonl`, `card.md` and `card.json` into `out`. Raises UserError where the corpus holds
    no article to ask about, or a held-out title that the corpus does not have.
    """
    out.mkdir(parents=True, exist_ok=True)
    laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article))
    chunks = list(read_jsonl(corpus / "chunks.jsonl", Chunk))
    _check_corpus(settings, laws, chunks, corpus)
    count = count_tokens or (lambda text: int(len(text) * 0.6) + 1)
    shelf = Shelf(chunks, count, settings.raft.retrieval)
    maker = _Maker(settings, seed, laws, shelf, Protected(protected_texts), [])

    held = frozenset(settings.holdout_documents)
    drafts = list(grounded.drafts(laws, seed, progress=progress))
    # Two generators may hit on the same question; it is asked once.
    seen: set[tuple[str, str]] = set()
    drafts = [d for d in drafts if not ((d.stem, d.answer) in seen or seen.add((d.stem, d.answer)))]  # type: ignore[func-returns-value]
    heldout = _items(
        maker, [d for d in drafts if d.document in held], settings.holdout_items, "heldout"
    )
    asked = {_fingerprint(item) for item in heldout}
    items = _items(
        maker, [d for d in drafts if d.document not in held], settings.items, "train", asked
    )
    examples = _examples(maker, items, progress)
    examples += _free_examples(maker, len(examples), held)
    random.Random(f"{seed}:order").shuffle(examples)

    write_jsonl(out / "heldout_questions.jsonl", [_question(item) for item in heldout])
    write_jsonl(out / "heldout_key.jsonl", [_key(item) for item in heldout])
    taught: list[Example] = []
    if settings.teacher is not None:
        from kofinlaw.augment.teacher import teach

        taught = teach(
            settings.teacher,
            [law for law in laws.acts if law.title not in held],
            chunks,
            out / "ledger.jsonl",
            seed=seed,
            protected=maker.protected,
            rejected=maker.rejected,
            progress=progress,
        )
    elif not (out / "ledger.jsonl").exists():
        write_jsonl(out / "ledger.jsonl", [])
    write_jsonl(out / "examples.jsonl", [*examples, *taught])
    write_jsonl(out / "rejected.jsonl", maker.rejected)
    made = {example.id for example in examples}
    items = [item for item in items if item_id(item) in made]
    return card.write(
        out,
        settings,
        drafts=Counter(draft.kind for draft in drafts),
        items=items,
        heldout=heldout,
        examples=[*examples, *taught],
        rejected=maker.rejected,
        shelf=shelf,
        count=count,
    )


def _check_corpus(
    settings: AugmentSettings, laws: Laws, chunks: Sequence[Chunk], corpus: Path
) -> None:
    if not laws.acts or not chunks:
        raise UserError(
            "the corpus holds no article of a statute or rule",
            where=str(corpus / "articles.jsonl"),
            remedy="grounded questions need acts with 조; check `data.sources`",
        )
    missing = sorted(set(settings.holdout_documents) - set(laws.titles))
    if missing:
        raise UserError(
            f"held-out documents that the corpus does not have: {', '.join(missing)}",
            where="augment.holdout_documents",
            remedy="titles must be written as in the documents: " + ", ".join(laws.titles[:8]),
        )


def item_id(item: Item) -> str:
    """A stable id: the kind and a hash of the question with its options in order."""
    text = "\n".join([item.draft.stem, *item.options])
    return f"{item.draft.kind}-{sha256_text(text)[:12]}"


def _fingerprint(item: Item) -> str:
    return "\n".join([item.draft.stem, *sorted(item.options)])


def _items(
    maker: _Maker,
    drafts: Sequence[Draft],
    count: int,
    name: str,
    barred: frozenset[str] | set[str] = frozenset(),
) -> list[Item]:
    """`count` finished questions, or what the drafts give."""
    settings = maker.settings
    if count == 0:
        return []
    rng = source_rng(maker.seed, "select", name)
    checked = [item for draft in drafts if (item := _item(maker, draft)) is not None]
    by_draft = {id(item.draft): item for item in checked if _fingerprint(item) not in barred}
    chosen = select(
        [item.draft for item in checked if id(item.draft) in by_draft],
        count,
        settings.generators,
        most_by_article=settings.most_by_article,
        negative_share=settings.negative_share,
        numeric_share=settings.numeric_share,
        rng=rng,
    )
    return _positions([by_draft[id(draft)] for draft in chosen], rng)


def _item(maker: _Maker, draft: Draft) -> Item | None:
    rng = source_rng(maker.seed, "options", draft.kind, draft.stem, draft.answer)
    wanted = 5 if rng.random() < maker.settings.five_options_share else 4
    item = build(draft, wanted, rng)
    if item is None:
        return None
    fault = problem(item)
    if fault is None and (text := true_elsewhere(item, maker.laws.sentences)):
        fault = ("true_elsewhere", text)
    if fault is None and (shared := maker.protected.shared(draft.stem)):
        fault = ("contaminated", shared)
    if fault is not None:
        maker.reject(item, *fault)
        return None
    return item


def _positions(items: list[Item], rng: random.Random) -> list[Item]:
    """The items with the answer as often at each position as can be."""
    out = list(items)
    for count in (4, 5):
        places = [i for i, item in enumerate(items) if len(item.options) == count]
        wanted = [n % count for n in range(len(places))]
        rng.shuffle(wanted)
        for place, answer in zip(places, wanted, strict=True):
            item = items[place]
            others = [text for i, text in enumerate(item.options) if i != item.answer]
            options = (*others[:answer], item.right, *others[answer:])
            out[place] = replace(item, options=options, answer=answer)
    return out


def _question(item: Item) -> Question:
    return Question(item_id(item), item.draft.stem, item.options)


def _key(item: Item) -> Key:
    draft = item.draft
    slices = [draft.kind, "negative" if draft.negative else "positive"]
    slices += ["numeric"] if draft.numeric else []
    slices.append("five" if len(item.options) == 5 else "four")
    return Key(item_id(item), answer=item.label, units=draft.units, slices=tuple(slices))


def _examples(maker: _Maker, items: Sequence[Item], progress: Progress) -> list[Example]:
    out = []
    for done, item in enumerate(items):
        if done % 100 == 0:
            progress("augment: evidence", done, len(items))
        example = _example(maker, item)
        if example is not None:
            out.append(example)
    progress("augment: evidence", len(items), len(items))
    return out


def _example(maker: _Maker, item: Item) -> Example | None:
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
    texts: tuple[str, ...] = ()
    chunks: tuple[str, ...] = ()
    if settings.shown_evidence:
        found = maker.shelf.evidence(
            " ".join([draft.stem, *options]),
            draft.units,
            draft.focus,
            distractors=settings.raft.distractors,
            budget_tokens=settings.raft.max_evidence_tokens,
            rng=rng,
            gold_missing=missing,
        )
        if not missing and not found.whole:
            maker.reject(item, "evidence_too_long", "the deciding lines do not fit the budget")
            return None
        texts, chunks = found.texts, found.chunks
    messages = choice_messages(draft.stem, options, texts, settings.answer_form)
    reply = choice_candidates(options, settings.answer_form)[answer]
    messages.append({"role": "assistant", "content": reply})
    return Example(
        name,
        "choice_gold_missing" if missing else f"choice_{draft.kind}",
        messages,
        str(answer + 1),
        _provenance(chunks, draft.kind, maker.seed),
        [
            {"check": "options_distinct", "ok": True},
            {"check": "not_true_elsewhere", "ok": True},
            {"check": "gold_shown", "ok": not missing},
        ],
    )


def _provenance(chunks: Sequence[str], generator: str, seed: int) -> dict[str, Any]:
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


def _free_examples(maker: _Maker, choices: int, held: frozenset[str]) -> list[Example]:
    settings = maker.settings
    wanted = round(choices * settings.free_share / (1 - settings.free_share))
    pool = [item for law in maker.laws.acts if law.title not in held for item in free.generate(law)]
    rng = source_rng(maker.seed, "free")
    rng.shuffle(pool)
    out = []
    for item in pool[:wanted]:
        missing = settings.shown_evidence and rng.random() < settings.raft.gold_missing_share
        found = maker.shelf.evidence(
            item.question,
            (item.unit,),
            item.focus,
            distractors=settings.raft.distractors,
            budget_tokens=settings.raft.max_evidence_tokens,
            rng=rng,
            gold_missing=missing,
        )
        if maker.protected.shared(item.question):
            continue
        messages = free_messages(item.question, found.texts if settings.shown_evidence else ())
        reply = NO_EVIDENCE if missing else item.reference
        messages.append({"role": "assistant", "content": reply})
        name = f"free-{sha256_text(item.question + item.reference)[:12]}"
        task = "free_gold_missing" if missing else "free"
        provenance = _provenance(found.chunks, "free", maker.seed)
        out.append(Example(name, task, messages, reply, provenance, []))
    return out
