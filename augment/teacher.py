"""A local model writes questions and answers from a passage; every one is checked against it.

Base models are prompted by few-shot completion with stop strings, which chat models follow too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.augment.clauses import Clause
from kofinlaw.augment.contamination import Protected
from kofinlaw.augment.drafts import source_rng
from kofinlaw.augment.law import Law, normal
from kofinlaw.augment.ledger import Entry, ask, read_ledger, request_key
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.support import Verdict, support, supported
from kofinlaw.data.files import dumps, sha256_text
from kofinlaw.data.korean import bigrams, content_morphemes, hangul_share
from kofinlaw.data.prompting import free_messages
from kofinlaw.data.records import Chunk, Example, Rejected
from kofinlaw.models.engines import Engine, Request

STOP = ("\n\n", "\n조문:")
LONGEST_PASSAGE, SHORTEST_PASSAGE = 160, 35
_VERSION = re.compile(r"<!-- version: (\S+) -->\n")
_CIRCLE = re.compile(r"(.{15,}).*\1")
_ASKING = frozenset(["누구", "어떤", "언제", "무엇", "얼마", "며칠", "어디", "조치", "경우"])
# Words of its own that a question may have: more, and it asks about something else.
FOREIGN_WORDS = 1
_SHAPE = re.compile(
    r"^\s*(?P<answer>[^\n]{10,160}?)\s*\n질문:\s*(?P<question>[^\n]{8,150}?)\s*(?:\n|$)"
)


@dataclass(frozen=True)
class Prompt:
    """A prompt file: its text with `{passage}`, its version and the hash of both."""

    text: str
    version: str
    sha256: str


def read_prompt(name: str = "free_question") -> Prompt:
    """The prompt file `augment/prompts/NAME.md`; its first line names its version."""
    text = files("kofinlaw.augment").joinpath("prompts", f"{name}.md").read_text("utf-8")
    match = _VERSION.match(text)
    if match is None:
        raise UserError(f"the prompt {name} does not begin with its version", where=name)
    return Prompt(text[match.end() :].rstrip("\n"), match.group(1), sha256_text(text))


def passages(laws: Sequence[Law], count: int, seed: int) -> list[Clause]:
    """Clauses short enough to stand in a prompt, drawn over the acts."""
    usable = [
        clause
        for law in laws
        for clause in law.clauses
        if SHORTEST_PASSAGE <= len(clause.main) <= LONGEST_PASSAGE
        and "각 호" not in clause.main
        and not clause.proviso
    ]
    source_rng(seed, "teacher").shuffle(usable)
    return usable[:count]


def parse(text: str) -> tuple[str, str] | None:
    """(question, answer) of a completion, None where it has another shape."""
    match = _SHAPE.match(text.split("\n\n")[0])
    return (match.group("question"), match.group("answer")) if match else None


def verdicts(question: str, answer: str, passage: str, prompt: Prompt) -> list[Verdict]:
    """Form checks, then whether the passage supports the answer."""
    copied = normal(question) in normal(prompt.text) or normal(answer) in normal(prompt.text)
    shared = set(bigrams(question)) & set(bigrams(passage))
    held = set(content_morphemes([passage])[0])
    foreign = [
        word
        for word in content_morphemes([question])[0]
        if len(word) > 1 and word not in held and word not in passage and word not in _ASKING
    ]
    form = [
        Verdict("korean", min(hangul_share(question), hangul_share(answer)) >= 0.8),
        Verdict("asks", question.rstrip().endswith(("?", "까", "가", "오."))),
        Verdict("not_the_prompt", not copied),
        Verdict("about_the_passage", len(shared) >= 4, str(len(shared))),
        Verdict("not_an_echo", normal(question)[:-3] not in normal(answer)),
        Verdict("not_turning_in_circles", not _CIRCLE.search(answer)),
        Verdict("question_from_the_passage", len(foreign) <= FOREIGN_WORDS, " ".join(foreign)),
    ]
    return [*form, *support(answer, passage)]


def teach(
    settings: TeacherSettings,
    laws: Sequence[Law],
    chunks: Sequence[Chunk],
    ledger: Path,
    *,
    seed: int,
    protected: Protected,
    rejected: list[Rejected],
    progress: Progress = silent,
) -> list[Example]:
    """Examples a teacher wrote that every check lets through; the others go to `rejected`.

    What the ledger already holds is not asked again. Damaged ledger lines are reported with
    their numbers and asked anew.
    """
    prompt = read_prompt()
    chosen = passages(laws, settings.items, seed)
    name = f"{settings.model.id}@{settings.model.revision or 'local'}"
    recorded, damaged = read_ledger(ledger)
    if damaged:
        lines = ", ".join(map(str, damaged))
        progress("augment: ledger", 0, None, damaged_lines=lines)
    by_unit = {chunk.unit: chunk.id for chunk in reversed(chunks)}
    out: list[Example] = []
    seen: set[str] = set()
    folder, bos = _prepare(settings, progress)
    requests = [
        Request(
            bos + prompt.text.replace("{passage}", clause.main),
            max_tokens=settings.max_tokens,
            stop=STOP,
            temperature=settings.temperature,
            seed=seed,
        )
        for clause in chosen
    ]
    open_ones = any(request_key(request, name) not in recorded for request in requests)
    with _engine(settings, folder, seed) if open_ones else nullcontext() as engine:
        for done, entry in enumerate(ask(engine, requests, ledger, model=name)):
            progress("augment: teacher", done, len(requests), accepted=len(out))
            clause = chosen[done]
            example = _judge(entry, clause, prompt, settings, by_unit, protected, seen, seed)
            if isinstance(example, Example):
                out.append(example)
            else:
                rejected.append(example)
    progress("augment: teacher", len(requests), len(requests), accepted=len(out))
    return out


def _prepare(settings: TeacherSettings, progress: Progress) -> tuple[Path | None, str]:
    """(the model's folder, the text that begins a prompt): engines add no special tokens of their
    own, and without its first token a base model babbles. A server adds it itself."""
    if settings.engine.engine in ("dummy", "openai"):
        return None, ""
    from kofinlaw.models.resolve import model_folder
    from kofinlaw.models.templates import template_for

    folder = model_folder(settings.model, progress=progress)
    return folder, template_for(folder).bos


def _engine(settings: TeacherSettings, folder: Path | None, seed: int) -> Engine:
    from kofinlaw.models.engines import open_engine

    return open_engine(settings.engine, folder, seed=seed)


def _judge(
    entry: Entry,
    clause: Clause,
    prompt: Prompt,
    settings: TeacherSettings,
    by_unit: dict[str, str],
    protected: Protected,
    seen: set[str],
    seed: int,
) -> Example | Rejected:
    record = dumps({"passage": clause.main, "unit": clause.article.id, "text": entry.text})
    name = f"teacher-{entry.key[:12]}"
    pair = parse(entry.text) if entry.finish != "error" else None
    if pair is None:
        reason = "teacher_error" if entry.finish == "error" else "unparsed"
        return Rejected(name, "augment", reason, entry.text[:200], record)
    question, answer = pair
    found = verdicts(question, answer, clause.main, prompt)
    found.append(Verdict("new", normal(question) not in seen))
    found.append(Verdict("not_protected", not protected.shared(question)))
    if not supported(found):
        failed = [verdict for verdict in found if not verdict.ok]
        detail = "; ".join(f"{v.check}: {v.detail}" for v in failed)
        return Rejected(name, "augment", failed[0].check, detail, record)
    seen.add(normal(question))
    messages = free_messages(question, [f"{clause.article.id}\n{clause.main}"])
    messages.append({"role": "assistant", "content": answer})
    unit = clause.article.id
    provenance = {
        "chunks": [by_unit[unit]] if unit in by_unit else [],
        "generator": "teacher_free_question",
        "version": prompt.version,
        "teacher": settings.model.id,
        "teacher_revision": settings.model.revision or "",
        "teacher_license": _license(settings.model.id),
        "prompt_sha256": prompt.sha256,
        "seed": seed,
    }
    return Example(name, "teacher_free", messages, answer, provenance, [asdict(v) for v in found])


def _license(name: str) -> str:
    from kofinlaw.models.catalogue import find

    try:
        return find(name).license
    except UserError:
        return ""
