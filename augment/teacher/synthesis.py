"""Ask a local model for examples and accept only those that pass every check.

1. The model writes one output for each request of every task.
2. Filters without a model check each output.
3. The same model answers the questions of the remaining outputs from the passage alone.
4. Where the settings say so, the model judges the answers.

All requests go through one ledger, so none is sent twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress, silent
from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.protected_questions import ProtectedTexts
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.candidates import Candidate, accepted_example, rejected_record
from kofinlaw.augment.teacher.choice_sources import (
    PARAPHRASED,
    STAGED,
    choice_sources,
    pair_sources,
)
from kofinlaw.augment.teacher.filters import agreement, citations, verdicts
from kofinlaw.augment.teacher.ledger import (
    Answering,
    Entry,
    Ledger,
    Resume,
    answering_job,
    open_ledger,
)
from kofinlaw.augment.teacher.novelty import check_duplicates, protected_text
from kofinlaw.augment.teacher.outputs import parse
from kofinlaw.augment.teacher.prompt_files import read_prompt
from kofinlaw.augment.teacher.support import Verdict
from kofinlaw.augment.teacher.tasks import TASKS, Source, Task, Written, passages, questions
from kofinlaw.augment.teacher.teacher_model import (
    REANSWER,
    TeacherModel,
    open_checker,
    open_teacher,
)
from kofinlaw.cluster.jobs import HERE, Workers
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.prompting.wording import AnswerForm
from kofinlaw.files import dumps, write_jsonl
from kofinlaw.records import Article, Chunk, Example, Rejected, record_fault

__all__ = ["Synthesis", "sources_of", "synthesize"]


@dataclass(frozen=True)
class Synthesis:
    """The result of a teacher: accepted examples, rejected records and counts.

    Attributes:
        examples: Outputs that every check accepted.
        rejected: The others with their reasons.
        funnel: By task, how many outputs passed each check in turn.
        requests: Requests that the result depends on.
        sent: Requests that were sent in this run; the ledger had the others.
        tokens: Tokens that the teacher generated for these requests.
        damaged_lines: Numbers of damaged lines in the ledger.
    """

    examples: list[Example]
    rejected: list[Rejected]
    funnel: dict[str, dict[str, int]]
    requests: int
    sent: int
    tokens: int
    damaged_lines: tuple[int, ...]


def sources_of(
    settings: TeacherSettings,
    laws: Sequence[Law],
    seed: int,
    drafts: Sequence[Draft] = (),
    rejected: list[Rejected] | None = None,
) -> list[tuple[Task, Source]]:
    """Return the provision that each request shows, by the weights of the tasks,
    drawn over all acts.

    `drafts` are the acts' questions by rule, for the multiple-choice tasks. Without them these
    tasks get none. An act whose provisions cannot be read for a task is appended to `rejected`.
    """
    weights = {name: weight for name, weight in settings.tasks.items() if weight > 0}
    total = sum(weights.values())
    out: list[tuple[Task, Source]] = []
    for name in sorted(weights):
        task = TASKS[name]
        usable = _usable(task, laws, seed, drafts, rejected)
        source_rng(seed, "teacher", name).shuffle(usable)
        count = round(settings.items * weights[name] / total)
        out += [(task, source) for source in usable[:count]]
    return out


def _usable(
    task: Task,
    laws: Sequence[Law],
    seed: int,
    drafts: Sequence[Draft],
    rejected: list[Rejected] | None,
) -> list[Source]:
    """Return everything that a task can show."""
    if task.given in ("passage", "question"):
        read = passages if task.given == "passage" else questions
        found: list[Source] = []
        for law in laws:
            try:
                found += read(law)
            except Exception as error:
                detail = f"{law.title}: {record_fault(error)}"
                if rejected is not None:
                    record = dumps({"task": task.name})
                    rejected.append(Rejected(law.title, "teacher", "failed", detail, record))
        return found
    if task.given == "pair":
        return pair_sources(laws, seed)
    kinds = STAGED if task.name == "choice_scenario" else PARAPHRASED
    return choice_sources(drafts, laws, seed, kinds)


def synthesize(
    settings: TeacherSettings,
    laws: Sequence[Law],
    chunks: Sequence[Chunk],
    ledger: Path,
    *,
    seed: int,
    protected: ProtectedTexts,
    drafts: Sequence[Draft] = (),
    form: AnswerForm = "text",
    used: Path | None = None,
    resume: Resume = "if-possible",
    workers: Workers = HERE,
    progress: Progress = silent,
) -> Synthesis:
    """Ask a teacher for examples and check them.

    Requests that `ledger` holds are not sent again. Damaged ledger lines are reported with their
    numbers and their requests are sent again. The model is loaded when the first request is sent.

    Args:
        settings: The recipe's section `augment.teacher`.
        laws: The acts to show.
        chunks: The corpus's passages, for the provenance of the examples.
        ledger: The file that keeps all answers.
        seed: Decides the choice of provisions and the sampling.
        protected: Texts that no example may repeat.
        drafts: The acts' questions by rule, for the multiple-choice tasks.
        form: The answer form of multiple-choice examples.
        used: A file for the ledger lines that this result depends on, in order.
        resume: What to do with the answers that `ledger` already holds.
        workers: The processes that answer; each loads the model.
        progress: Called with the phase and the number of done and all requests.

    Raises:
        UserError: As `open_ledger` does; if the model or its server is not available; if the disk
            is full.
    """
    teacher = open_teacher(settings, seed, progress)
    book = open_ledger(
        ledger,
        teacher.name,
        resume=resume,
        retry_errors=settings.retry_errors,
        batch=settings.batch,
    )
    if book.damaged:
        lines = ", ".join(map(str, book.damaged))
        progress("augment: ledger", 0, None, damaged_lines=f"{ledger}:{lines}")
    unread: list[Rejected] = []
    candidates = _candidates(settings, laws, seed, protected, drafts, teacher, unread)
    known = KnownLaw.of_articles(_articles(laws))
    books = [book]
    checker = open_checker(settings, seed, progress)
    with ExitStack() as stack:
        pool = stack.enter_context(workers.start(answering_job("teacher", teacher.engine)))
        answers = book.ask(pool, [c.request for c in candidates])
        for done, (candidate, entry) in enumerate(zip(candidates, answers, strict=True)):
            progress("augment: teacher", done, len(candidates))
            try:
                _check_output(candidate, entry, protected, known)
            except Exception as error:
                candidate.checks.append(Verdict("checked", False, record_fault(error)))
        _check_agreement(candidates, teacher, book, pool, progress)
        _check_picks(candidates, teacher, book, pool)
        if checker is None:
            _check_entailment(candidates, teacher, book, pool, progress)
        else:
            # The same file: a request's key contains the model.
            second = open_ledger(
                ledger,
                checker.name,
                resume="if-possible",
                retry_errors=settings.retry_errors,
                batch=settings.batch,
            )
            books.append(second)
            pool.release()  # the checker needs the same GPUs
            checking = stack.enter_context(workers.start(answering_job("checker", checker.engine)))
            _check_entailment(candidates, checker, second, checking, progress)
        if settings.judge:
            _judge(candidates, teacher, book, pool)
    check_duplicates(candidates)
    if used is not None:
        write_jsonl(used, [entry for each in books for entry in each.used.values()])
    return _collect(settings, candidates, chunks, seed, books, form, unread)


def _articles(laws: Sequence[Law]) -> list[Article]:
    """Return the articles of the acts and of their acts, decrees and rules, each once."""
    found: dict[str, Article] = {}
    for law in laws:
        for article in (*law.articles, *law.parent_articles, *law.related_articles):
            found.setdefault(article.id, article)
    return list(found.values())


def _candidates(
    settings: TeacherSettings,
    laws: Sequence[Law],
    seed: int,
    protected: ProtectedTexts,
    drafts: Sequence[Draft],
    teacher: TeacherModel,
    unread: list[Rejected],
) -> list[Candidate]:
    """Return a candidate for each request; what cannot be asked about is appended to `unread`."""
    prompts = {name: read_prompt(name) for name in settings.tasks}
    found = []
    for task, source in sources_of(settings, laws, seed, drafts, unread):
        prompt = prompts[task.name]
        try:
            if not _is_protected(source, protected):
                request = teacher.write_request(task, prompt, source)
                found.append(Candidate(task, source, prompt, request))
        except Exception as error:
            why = f"{source.citation}: {record_fault(error)}"
            record = dumps({"task": task.name, "passage": source.passage})
            unread.append(Rejected(source.unit, "teacher", "failed", why, record))
    return found


def _is_protected(source: Source, protected: ProtectedTexts) -> bool:
    """Return whether the question that a prompt would show is an evaluation question."""
    if not source.question:
        return False
    rest = "\n".join(source.options or [source.answer])
    return bool(protected.copied_part(source.question, rest))


def _check_output(
    candidate: Candidate, entry: Entry, protected: ProtectedTexts, known: KnownLaw
) -> None:
    """Parse an output and run every check that needs no model."""
    candidate.key, candidate.text = entry.key, entry.text
    if entry.finish == "error" and not entry.text.lstrip().startswith("{"):
        candidate.checks.append(Verdict("answered", False, entry.text[:200]))
        return
    candidate.checks.append(Verdict("answered", True))
    fields = parse(entry.text, candidate.task)
    detail = "" if fields else f"{entry.finish}: {entry.text[:200]}"
    candidate.checks.append(Verdict("parses", fields is not None, detail))
    if fields is None:
        return
    candidate.written = Written(candidate.task, candidate.source, fields)
    candidate.checks += verdicts(candidate.written, candidate.prompt)
    candidate.checks.append(citations(candidate.written, known))
    shared = protected_text(candidate.written, protected)
    candidate.checks.append(Verdict("not_protected", not shared, shared))


def _check_agreement(
    candidates: Sequence[Candidate],
    teacher: TeacherModel,
    book: Ledger,
    pool: Answering,
    progress: Progress,
) -> None:
    """Let the teacher answer each question from the passage alone; both answers must agree."""
    open_ended = [c for c in candidates if c.task.reanswered and not c.task.choice]
    turns = list(_turns(open_ended))
    requests = [teacher.answer_request(question, c.source) for c, question, _ in turns]
    for done, ((candidate, _, answer), entry) in enumerate(
        zip(turns, book.ask(pool, requests), strict=True)
    ):
        progress("augment: teacher answers again", done, len(turns))
        fields = parse(entry.text, REANSWER)
        second = str(fields["answer"]) if fields else ""
        verdict = agreement(answer, second) if second else Verdict("reanswer", False, "no answer")
        candidate.checks.append(verdict)


def _check_picks(
    candidates: Sequence[Candidate],
    teacher: TeacherModel,
    book: Ledger,
    pool: Answering,
) -> None:
    """Let the teacher choose an option from the passages alone; it must be the right one."""
    turns = [
        (candidate, candidate.written.options, question)
        for candidate, question, _ in _turns([c for c in candidates if c.task.choice])
        if candidate.written is not None
    ]
    requests = [teacher.pick_request(q, options, c.source) for c, options, q in turns]
    for (candidate, _, _), entry in zip(turns, book.ask(pool, requests), strict=True):
        picked = entry.text.strip()
        ok = picked == str(candidate.source.right + 1)
        candidate.checks.append(Verdict("reanswer", ok, picked[:40]))


def _check_entailment(
    candidates: Sequence[Candidate],
    checker: TeacherModel,
    book: Ledger,
    pool: Answering,
    progress: Progress,
) -> None:
    """Let a model check each paraphrase in both directions: `entails`, then `entailed`.

    An output passes a direction if all its texts do. The other direction is only asked about
    outputs that passed the first.
    """
    for name in ("entails", "entailed"):
        asked = [
            (candidate, *(twin if name == "entails" else (twin[1], twin[0], twin[2])))
            for candidate in candidates
            if candidate.fault is None and candidate.written is not None
            for twin in candidate.written.twins
        ]
        requests = [
            checker.entailment_request(first, second, question=question)
            for _, first, second, question in asked
        ]
        failed: dict[str, str] = {}
        answers = book.ask(pool, requests)
        for done, ((candidate, _, text, _), entry) in enumerate(zip(asked, answers, strict=True)):
            progress(f"augment: checker, {name}", done, len(asked))
            if not entry.text.strip().startswith("예"):
                failed.setdefault(candidate.name, text[:40])
        for candidate in {c.name: c for c, *_ in asked}.values():
            detail = failed.get(candidate.name, "")
            candidate.checks.append(Verdict(name, candidate.name not in failed, detail))


def _judge(
    candidates: Sequence[Candidate],
    teacher: TeacherModel,
    book: Ledger,
    pool: Answering,
) -> None:
    turns = list(_turns(candidates))
    requests = [teacher.judge_request(question, answer, c.source) for c, question, answer in turns]
    for (candidate, _, _), entry in zip(turns, book.ask(pool, requests), strict=True):
        ok = entry.text.strip().startswith("예")
        candidate.checks.append(Verdict("judge", ok, entry.text[:40]))


def _turns(candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, str, str]]:
    """Yield (candidate, question, answer) of each turn of the outputs that passed so far."""
    passed = [(c, c.written) for c in candidates if c.fault is None and c.written is not None]
    for candidate, written in passed:
        for question, answer in written.turns:
            yield candidate, question, answer


def _collect(
    settings: TeacherSettings,
    candidates: Sequence[Candidate],
    chunks: Sequence[Chunk],
    seed: int,
    books: Sequence[Ledger],
    form: AnswerForm,
    unread: Sequence[Rejected],
) -> Synthesis:
    """Split the candidates into examples and rejected records, and count both."""
    by_unit = {chunk.unit: chunk.id for chunk in reversed(chunks)}
    examples, rejected = [], list(unread)
    funnel: dict[str, dict[str, int]] = {}
    for candidate in candidates:
        counts = funnel.setdefault(candidate.task.name, {"asked": 0})
        counts["asked"] += 1
        example = None
        if candidate.fault is None and candidate.written is not None:
            source = candidate.source
            units = [source.unit, *([source.second.unit] if source.second is not None else [])]
            shown = [by_unit[unit] for unit in dict.fromkeys(units) if unit in by_unit]
            try:
                example = accepted_example(
                    candidate, candidate.written, settings.model, shown, seed, form
                )
                examples.append(example)
            except Exception as error:
                candidate.checks.append(Verdict("written", False, record_fault(error)))
        if example is None:
            rejected.append(rejected_record(candidate))
        for verdict in candidate.checks:
            if not verdict.ok:
                break
            counts[verdict.check] = counts.get(verdict.check, 0) + 1
        counts["accepted"] = counts.get("accepted", 0) + (candidate.fault is None)
    return Synthesis(
        examples,
        rejected,
        funnel,
        sum(len(book.used) for book in books),
        sum(book.sent for book in books),
        sum(entry.tokens for book in books for entry in book.used.values()),
        tuple(books[0].damaged),
    )
