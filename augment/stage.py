"""Run the augment stage: from articles and chunks to examples, held-out questions and a card."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.augment.assemble import (
    HELD_OUT,
    AskStudent,
    AugmentContext,
    heldout_twins,
    item_fingerprint,
    item_id,
    key_of,
    make_items,
    question_of,
)
from kofinlaw.augment.augment_counts import AugmentCounts
from kofinlaw.augment.example_table import write_parquet
from kofinlaw.augment.examples import choice_examples, free_examples
from kofinlaw.augment.examples_card import write_card
from kofinlaw.augment.forms.write_forms import write_forms
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.generators.registry import QuestionGenerator
from kofinlaw.augment.heldout.free_questions import HeldoutFree, heldout_free
from kofinlaw.augment.heldout.holdout_choice import held_out_titles
from kofinlaw.augment.jobs.drafting import draft_acts
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.preferences import PairFigures, pair_figures, preference_pairs
from kofinlaw.augment.protected_questions import ProtectedTexts
from kofinlaw.augment.raft import PassageIndex
from kofinlaw.augment.reading.acts import Laws, read_laws
from kofinlaw.augment.review.stage_review import review_examples
from kofinlaw.augment.review.verdicts import Verdict
from kofinlaw.augment.settings import WEIGHTS, AugmentSettings
from kofinlaw.augment.student import OpenStudent, student_margins, wrong_options
from kofinlaw.augment.tables.sure_rows import sure_tables, table_counts
from kofinlaw.augment.teacher.ledger import Resume
from kofinlaw.augment.teacher.synthesis import synthesize
from kofinlaw.cluster.jobs import HERE, Workers
from kofinlaw.data.chunking import estimate_tokens
from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.records import Article, Chunk, Example

__all__ = ["generate_examples"]


def generate_examples(
    settings: AugmentSettings,
    corpus: Path,
    out: Path,
    *,
    seed: int,
    count_tokens: Callable[[str], int] | None = None,
    protected_texts: Sequence[str] = (),
    ledger: Path | None = None,
    student: OpenStudent | None = None,
    resume: Resume = "if-possible",
    extra_generators: Sequence[QuestionGenerator] = (),
    verdicts: Sequence[Verdict] = (),
    workers: Workers = HERE,
    progress: Progress = silent,
) -> AugmentCounts:
    """Generate the training examples and held-out questions of a corpus.

    Writes `examples.jsonl` and `.parquet`, `preferences.jsonl`, `heldout_questions.jsonl`,
    `heldout_key.jsonl`, `heldout_twins.jsonl`, `examples_focus.jsonl` and `heldout_focus.jsonl`
    (the phrases that decide each question), `rejected.jsonl`, `reviewed.jsonl`, `ledger.jsonl`,
    `card.md` and `card.json` into `out`, and the forms of `write_as` into `out/forms`. The same
    corpus, settings, seed and verdicts give the same bytes.

    Args:
        settings: The recipe's section `augment`.
        corpus: A folder with `articles.jsonl` and `chunks.jsonl`, as `build_corpus` writes it.
        out: The folder to write to. It is created if it does not exist.
        seed: Decides every random choice.
        count_tokens: Counts tokens as the model to be trained does; the default is an estimate.
        protected_texts: Evaluation questions that must not be trained on.
        ledger: The file that keeps a teacher's answers; the default is in `out`. Choose a file
            outside of folders that are deleted and written again.
        student: Loads the model to be trained and its template, for `select: student`.
        resume: What to do with the answers that `ledger` already holds.
        extra_generators: Kinds of question of your own, each with its weight.
        verdicts: What people said about examples; wrong ones are left out or corrected.
        workers: The processes that draft questions and run the teacher.
        progress: Called with the phase and the number of done and all parts.

    Raises:
        UserError: If the corpus has no article to ask about or lacks a held-out title, if
            `select: student` has no student, if a teacher's model or server is not available, if an
            extra generator has no weight, has a kind that exists or yields a draft that is not
            complete, or if the disk is full.
    """
    settings = _with_kinds(settings, extra_generators)
    out.mkdir(parents=True, exist_ok=True)
    chunks = list(read_jsonl(corpus / "chunks.jsonl", Chunk))
    laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article), chunks)
    _check_corpus(laws, chunks, corpus)
    count = count_tokens or estimate_tokens
    passages = PassageIndex(chunks, count, settings.raft.retrieval)
    protected = ProtectedTexts(protected_texts)
    context = AugmentContext(settings, seed, laws, passages, protected, [])

    held_out = frozenset(held_out_titles(settings, laws))
    drafts = _distinct_drafts(context, extra_generators, workers, progress)
    context.rejected += [unread for law in laws.acts for unread in law.unread]
    asked = [draft for draft in drafts if draft.document in held_out]
    trained = [draft for draft in drafts if draft.document not in held_out]
    heldout = make_items(context, asked, settings.holdout_items, HELD_OUT, progress=progress)
    items = make_items(
        context,
        trained,
        settings.items,
        "train",
        {item_fingerprint(item) for item in heldout},
        _ask_student(settings, student, out, progress),
        progress,
    )
    examples = choice_examples(context, items, progress)
    examples += free_examples(context, len(examples), held_out)
    random.Random(f"{seed}:order").shuffle(examples)

    free = heldout_free(context, held_out, settings.holdout_free)
    _write_heldout(heldout, free, out)
    twins = heldout_twins(context, asked, settings.holdout_items // 4)
    write_jsonl(out / "heldout_twins.jsonl", twins)
    synthesis = None
    if settings.teacher is not None:
        synthesis = synthesize(
            settings.teacher,
            [law for law in laws.acts if law.title not in held_out],
            chunks,
            ledger or out / "asked.jsonl",
            seed=seed,
            protected=protected,
            drafts=trained,
            form=settings.answer_form,
            used=out / "ledger.jsonl",
            resume=resume,
            workers=workers,
            progress=progress,
        )
        examples += synthesis.examples
        context.rejected += synthesis.rejected
    else:
        write_jsonl(out / "ledger.jsonl", [])
    applied, review = review_examples(
        examples, verdicts, out, protected=protected.copied_part, seed=seed
    )
    _write_focus(context, examples, out)  # of all that were made: readers may see them again
    examples = applied.examples
    context.rejected += applied.rejected
    write_jsonl(out / "examples.jsonl", examples)
    write_parquet(out / "examples.parquet", examples)
    write_jsonl(out / "rejected.jsonl", context.rejected)
    made = {example.id for example in examples}
    items = [item for item in items if item_id(item) in made]
    pairs = _write_pairs(context, items, examples, out) if settings.preferences else None
    if settings.write_as:
        write_forms(
            settings.write_as,
            out / "examples.jsonl",
            out / "forms",
            pairs=out / "preferences.jsonl" if pairs is not None else None,
        )
    counts = write_card(
        out,
        settings,
        review=review,
        drafts=Counter(draft.kind for draft in drafts),
        items=items,
        heldout=heldout,
        heldout_free=len(free),
        examples=examples,
        rejected=context.rejected,
        passages=passages,
        count=count,
        synthesis=synthesis,
        pairs=pairs,
        balance=context.balance,
        tables=_table_rows(laws),
        held_out=tuple(title for title in laws.titles if title in held_out),
    )
    return replace(counts, last_lines=applied.lines() or None)


def _write_focus(context: AugmentContext, examples: Sequence[Example], out: Path) -> None:
    """Write the articles and phrases that decide each example, where a rule knows them."""
    known = ((e.id, context.decided_by[e.id]) for e in examples if e.id in context.decided_by)
    rows = ({"id": n, "units": list(u), "focus": list(f)} for n, (u, f) in known)
    write_jsonl(out / "examples_focus.jsonl", rows)


def _table_rows(laws: Laws) -> Counter[str]:
    """Count the rows of annex tables: those that are asked about, and the others by reason."""
    counts: Counter[str] = Counter()
    for law in laws.acts:
        counts += table_counts(sure_tables(law.tables))
    return counts


def _write_heldout(items: Sequence[Item], free: Sequence[HeldoutFree], out: Path) -> None:
    """Write the held-out questions, their keys and their deciding phrases."""
    questions = [*(question_of(item) for item in items), *(one.question for one in free)]
    write_jsonl(out / "heldout_questions.jsonl", questions)
    keys = [*(key_of(item) for item in items), *(one.key for one in free)]
    write_jsonl(out / "heldout_key.jsonl", keys)
    focus = [(item_id(item), item.draft.focus) for item in items]
    focus += [(one.question.id, one.focus) for one in free]
    write_jsonl(
        out / "heldout_focus.jsonl", [{"id": name, "focus": list(found)} for name, found in focus]
    )


def _write_pairs(
    context: AugmentContext, items: Sequence[Item], examples: Sequence[Example], out: Path
) -> PairFigures:
    """Write `preferences.jsonl` and return its figures."""
    wrong = wrong_options(items, out / "student.jsonl")
    pairs = preference_pairs(context, examples, wrong)
    write_jsonl(out / "preferences.jsonl", pairs)
    return pair_figures(pairs, len(examples))


def _with_kinds(settings: AugmentSettings, extra: Sequence[QuestionGenerator]) -> AugmentSettings:
    """Return the settings with the weights of extra kinds, which a recipe cannot name."""
    for generator in extra:
        if isinstance(generator.kinds, str) or not generator.kinds:
            raise UserError(
                f"a generator needs a tuple of kinds, not {generator.kinds!r}",
                where="extra_generators",
                remedy='for example QuestionGenerator(("heading",), headings, weight=30)',
            )
        if not 0 < generator.weight < math.inf:
            raise UserError(
                f"`{generator.kinds[0]}` has the weight {generator.weight}: it gives no question",
                where="extra_generators",
                remedy="give it a weight above 0; the built-in kinds have weights from 1 to 22",
            )
    kinds = {kind: generator.weight for generator in extra for kind in generator.kinds}
    if known := sorted(set(kinds) & set(settings.generators)):
        raise UserError(
            f"the kind of question `{known[0]}` exists already",
            where="extra_generators",
            remedy="give your kind another name",
        )
    return settings.model_copy(update={"generators": {**settings.generators, **kinds}})


def _distinct_drafts(
    context: AugmentContext,
    extra: Sequence[QuestionGenerator],
    workers: Workers,
    progress: Progress,
) -> list[Draft]:
    """Return all drafts. Where two generators give the same question, only the first one counts.

    `extra` are the user's generators; they run in this process, and their drafts are checked.
    """
    distinct: dict[tuple[str, str], Draft] = {}
    laws, seed = context.laws, context.seed
    own = {kind for generator in extra for kind in generator.kinds}
    ids = {article.id for law in laws.acts for article in law.articles}
    ids |= {table.unit for law in laws.acts for table in law.tables}
    hard = bool(context.settings.hard_share)
    for law, found in draft_acts(laws, seed, workers, hard=hard, progress=progress):
        context.rejected += found.rejected
        of_user = (d for generator in extra for d in generator.generate(law, laws, seed))
        for draft in (*found.drafts, *of_user):
            if own and draft.kind not in WEIGHTS:
                _check_own_draft(draft, own, ids)
            distinct.setdefault((draft.stem, draft.answer), draft)
    return list(distinct.values())


def _check_own_draft(draft: Draft, kinds: set[str], articles: set[str]) -> None:
    """Raise UserError if a draft of a generator of the user cannot become a question."""
    wrong = ""
    if draft.kind not in kinds:
        wrong = f"its kind is not one of {', '.join(sorted(kinds))}"
    elif not draft.stem.strip():
        wrong = "its stem is empty"
    elif not draft.units or not articles.issuperset(draft.units):
        wrong = f"its units {draft.units!r} are not ids of articles or annexes with tables"
    if wrong:
        raise UserError(
            f"a draft of kind `{draft.kind}` cannot be used: {wrong}",
            where="extra_generators",
            remedy="fix the generator; kofinlaw.augment.Draft describes each field",
        )


def _ask_student(
    settings: AugmentSettings, student: OpenStudent | None, out: Path, progress: Progress
) -> AskStudent | None:
    """Return how to ask the student; None where items are selected without it."""
    if settings.select == "weights":
        return None
    if student is None:
        raise UserError(
            "no student to ask",
            where="augment.select",
            remedy="use `select: weights`, or a recipe with a model",
        )
    path, form = out / "student.jsonl", settings.answer_form

    def ask(items: Sequence[Item]) -> Mapping[str, float]:
        return student_margins(items, student, path, form=form, progress=progress)

    return ask


def _check_corpus(laws: Laws, chunks: Sequence[Chunk], corpus: Path) -> None:
    if not laws.acts or not chunks:
        raise UserError(
            "the corpus holds no article of a statute or rule",
            where=str(corpus / "articles.jsonl"),
            remedy="questions are made from acts with 조; check `data.sources`, or only ask the "
            "documents: set `ask_only: true`",
        )
