"""A local model writes what structure cannot; everything it writes is checked before it counts.

First every task's requests; then, for what passes the filters, the same model answers its own
questions from the passage alone; then, where asked for, it judges. All go through one ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.protected_questions import Protected
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.dialogue import REANSWER, Voice, open_voice
from kofinlaw.augment.teacher.filters import agreement, first_failure, verdicts
from kofinlaw.augment.teacher.ledger import Entry, Ledger, Resume, open_ledger
from kofinlaw.augment.teacher.novelty import protected_text, repeats
from kofinlaw.augment.teacher.outputs import parse
from kofinlaw.augment.teacher.prompt_files import Prompt, read_prompt
from kofinlaw.augment.teacher.support import Verdict
from kofinlaw.augment.teacher.tasks import TASKS, Source, Task, Written, passages, questions
from kofinlaw.data.prompting.wording import free_messages
from kofinlaw.files import dumps, write_jsonl
from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.records import Chunk, Example, Provenance, Rejected


@dataclass
class Candidate:
    """A request's way through the filters."""

    task: Task
    source: Source
    prompt: Prompt
    request: Request
    key: str = ""
    text: str = ""
    written: Written | None = None
    checks: list[Verdict] = field(default_factory=list)

    @property
    def fault(self) -> Verdict | None:
        """The first check that failed."""
        return first_failure(self.checks)


@dataclass(frozen=True)
class Taught:
    """What a teacher gave: examples, rejects, and by task how many passed each check in turn."""

    examples: list[Example]
    rejected: list[Rejected]
    funnel: dict[str, dict[str, int]]
    requests: int
    sent: int
    tokens: int
    damaged_lines: tuple[int, ...]


def sources_of(
    settings: TeacherSettings, laws: Sequence[Law], seed: int
) -> list[tuple[Task, Source]]:
    """Which provision each request shows, by the tasks' weights, drawn over the acts."""
    weights = {name: weight for name, weight in settings.tasks.items() if weight > 0}
    total = sum(weights.values())
    shown = {
        "passage": [source for law in laws for source in passages(law)],
        "question": [source for law in laws for source in questions(law)],
    }
    out: list[tuple[Task, Source]] = []
    for name in sorted(weights):
        task = TASKS[name]
        usable = list(shown[task.given])
        source_rng(seed, "teacher", name).shuffle(usable)
        count = round(settings.items * weights[name] / total)
        out += [(task, source) for source in usable[:count]]
    return out


def teach(
    settings: TeacherSettings,
    laws: Sequence[Law],
    chunks: Sequence[Chunk],
    ledger: Path,
    *,
    seed: int,
    protected: Protected,
    used: Path | None = None,
    resume: Resume = "if-possible",
    progress: Progress = silent,
) -> Taught:
    """Examples a teacher wrote that every check lets through, and the others with their reasons.

    What `ledger` already holds is not asked again. Damaged ledger lines are reported with their
    numbers and asked anew. `used` gets the lines that this run rests on, in order. The model is
    loaded when the first request is sent. Raises UserError as `open_ledger` does, for a model that
    is not here, and on a full disk.
    """
    voice = open_voice(settings, seed, progress)
    book = open_ledger(
        ledger,
        voice.name,
        resume=resume,
        retry_errors=settings.retry_errors,
        batch=settings.batch,
    )
    if book.damaged:
        lines = ", ".join(map(str, book.damaged))
        progress("augment: ledger", 0, None, damaged_lines=f"{ledger}:{lines}")
    prompts = {name: read_prompt(name) for name in settings.tasks}
    candidates = [
        Candidate(task, source, prompts[task.name], voice.write(task, prompts[task.name], source))
        for task, source in sources_of(settings, laws, seed)
    ]
    with ExitStack() as stack:
        engine = _once(stack, voice.engine)
        answers = book.ask(engine, [c.request for c in candidates])
        for done, (candidate, entry) in enumerate(zip(candidates, answers, strict=True)):
            progress("augment: teacher", done, len(candidates))
            _read(candidate, entry, protected)
        _ask_again(candidates, voice, book, engine, progress)
        if settings.judge:
            _judge(candidates, voice, book, engine)
    repeats(candidates)
    if used is not None:
        write_jsonl(used, list(book.used.values()))
    return _sorted_out(settings, candidates, chunks, seed, book)


def _once(stack: ExitStack, engine: Callable[[], Engine]) -> Callable[[], Engine]:
    """Loads at the first call, gives the same engine at every further one."""
    loaded: list[Engine] = []

    def load() -> Engine:
        if not loaded:
            loaded.append(stack.enter_context(engine()))
        return loaded[0]

    return load


def _read(candidate: Candidate, entry: Entry, protected: Protected) -> None:
    """Parse an answer and run every check that needs no model."""
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
    shared = protected_text(candidate.written, protected)
    candidate.checks.append(Verdict("not_protected", not shared, shared))


def _ask_again(
    candidates: Sequence[Candidate],
    voice: Voice,
    book: Ledger,
    engine: Callable[[], Engine],
    progress: Progress,
) -> None:
    """The teacher answers each question from the passage alone, and must agree with itself."""
    turns = list(_turns(c for c in candidates if c.task.reanswered))
    requests = [voice.answer(asked, candidate.source) for candidate, asked, _ in turns]
    for done, ((candidate, _, told), entry) in enumerate(
        zip(turns, book.ask(engine, requests), strict=True)
    ):
        progress("augment: teacher answers again", done, len(turns))
        fields = parse(entry.text, REANSWER)
        again = str(fields["answer"]) if fields else ""
        verdict = agreement(told, again) if again else Verdict("reanswer", False, "no answer")
        candidate.checks.append(verdict)


def _judge(
    candidates: Sequence[Candidate], voice: Voice, book: Ledger, engine: Callable[[], Engine]
) -> None:
    turns = list(_turns(candidates))
    requests = [voice.judge(asked, told, candidate.source) for candidate, asked, told in turns]
    for (candidate, _, _), entry in zip(turns, book.ask(engine, requests), strict=True):
        ok = entry.text.strip().startswith("예")
        candidate.checks.append(Verdict("judge", ok, entry.text[:40]))


def _turns(candidates: Iterator[Candidate] | Sequence[Candidate]) -> Iterator[tuple]:
    """(candidate, question, answer) of each turn of what passed so far."""
    for candidate in [c for c in candidates if c.fault is None and c.written is not None]:
        for asked, told in candidate.written.turns if candidate.written else ():
            yield candidate, asked, told


def _sorted_out(
    settings: TeacherSettings,
    candidates: Sequence[Candidate],
    chunks: Sequence[Chunk],
    seed: int,
    book: Ledger,
) -> Taught:
    by_unit = {chunk.unit: chunk.id for chunk in reversed(chunks)}
    license_name = _license(settings.model.id)
    examples, rejected = [], []
    funnel: dict[str, dict[str, int]] = {}
    for candidate in candidates:
        counts = funnel.setdefault(candidate.task.name, {"asked": 0})
        counts["asked"] += 1
        for verdict in candidate.checks:
            if not verdict.ok:
                break
            counts[verdict.check] = counts.get(verdict.check, 0) + 1
        if candidate.fault is None and candidate.written is not None:
            examples.append(_example(candidate, settings, by_unit, license_name, seed))
        else:
            rejected.append(_rejected(candidate))
        counts["accepted"] = counts.get("accepted", 0) + (candidate.fault is None)
    return Taught(
        examples,
        rejected,
        funnel,
        len(book.used),
        book.sent,
        sum(entry.tokens for entry in book.used.values()),
        tuple(book.damaged),
    )


def _rejected(candidate: Candidate) -> Rejected:
    fault = candidate.fault or Verdict("answered", False)
    record = {
        "task": candidate.task.name,
        "unit": candidate.source.unit,
        "passage": candidate.source.passage,
        "text": candidate.text,
        "checks": [asdict(verdict) for verdict in candidate.checks],
    }
    failed = [verdict for verdict in candidate.checks if not verdict.ok]
    detail = "; ".join(f"{v.check}: {v.detail}" for v in failed)
    return Rejected(f"teacher-{candidate.key[:12]}", "augment", fault.check, detail, dumps(record))


def _example(
    candidate: Candidate,
    settings: TeacherSettings,
    by_unit: dict[str, str],
    license_name: str,
    seed: int,
) -> Example:
    source = candidate.source
    turns = candidate.written.turns if candidate.written else []
    (asked, told), *further = turns
    messages = free_messages(asked, [f"{source.unit}\n{source.passage}"])
    messages.append({"role": "assistant", "content": told})
    for asked, told in further:
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": told})
    provenance: Provenance = {
        "chunks": [by_unit[source.unit]] if source.unit in by_unit else [],
        "generator": f"teacher_{candidate.task.name}",
        "version": candidate.prompt.version,
        "teacher": settings.model.id,
        "teacher_revision": settings.model.revision or "",
        "teacher_license": license_name,
        "prompt_sha256": candidate.prompt.sha256,
        "seed": seed,
    }
    checks = [asdict(verdict) for verdict in candidate.checks]
    name = f"teacher-{candidate.key[:12]}"
    return Example(name, f"teacher_{candidate.task.name}", messages, told, provenance, checks)


def _license(name: str) -> str:
    from kofinlaw.models.catalogue import find_model

    try:
        return find_model(name).license
    except UserError:
        return ""
