"""Follow one request through the checks, and write its example or its rejected record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from kofinlaw import UserError
from kofinlaw.augment.teacher.filters import first_failure
from kofinlaw.augment.teacher.prompt_files import Prompt
from kofinlaw.augment.teacher.support import Verdict
from kofinlaw.augment.teacher.tasks import Source, Task, Written
from kofinlaw.data.prompting.wording import (
    AnswerForm,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.files import dumps
from kofinlaw.models.catalogue import find_model
from kofinlaw.models.engines.base import Request
from kofinlaw.models.settings import ModelSettings
from kofinlaw.records import Choice, Example, Provenance, Rejected, no_choice

__all__ = ["Candidate", "accepted_example", "rejected_record"]


@dataclass
class Candidate:
    """One request, its output, and the checks on it so far.

    `key` is the request's key in the ledger and `text` the raw output. `written` is None until the
    output is parsed.
    """

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

    @property
    def name(self) -> str:
        """The id of the example or the rejected record."""
        return f"teacher-{self.key[:12]}"


def accepted_example(
    candidate: Candidate,
    written: Written,
    model: ModelSettings,
    chunks: Sequence[str],
    seed: int,
    form: AnswerForm = "text",
) -> Example:
    """Return the training example of an output that passed.

    `chunks` are the ids of its passages' chunks. A multiple-choice example answers in `form` and
    has the parts of its choice.
    """
    source, task = candidate.source, f"teacher_{candidate.task.name}"
    (question, answer), *further = written.turns
    choice = no_choice()
    if candidate.task.choice:
        options, right = list(written.options), source.right
        messages = choice_messages(question, options, source.passages, form)
        answer = choice_candidates(options, form)[right]
        choice = Choice(
            question=question,
            options=options,
            evidence=source.passages,
            answer=right,
            negative=source.negative,
            twin="",
        )
    else:
        messages = free_messages(question, source.passages)
    messages.append({"role": "assistant", "content": answer})
    for question, answer in further:
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": answer})
    provenance: Provenance = {
        "chunks": list(chunks),
        "generator": task,
        "version": candidate.prompt.version,
        "teacher": model.id,
        "teacher_revision": model.revision or "",
        "teacher_license": _licence(model.id),
        "prompt_sha256": candidate.prompt.sha256,
        "seed": seed,
    }
    checks = [asdict(verdict) for verdict in candidate.checks]
    # The answer of the last turn is the key, of a multiple-choice example the option's number.
    key = str(source.right + 1) if candidate.task.choice else answer
    return Example(candidate.name, task, messages, key, provenance, checks, choice)


def rejected_record(candidate: Candidate) -> Rejected:
    """Return the record of an output that failed, with the first failed check as its reason."""
    fault = candidate.fault or Verdict("answered", False)
    record = {
        "task": candidate.task.name,
        "unit": candidate.source.unit,
        "passage": candidate.source.text,
        "text": candidate.text,
        "checks": [asdict(verdict) for verdict in candidate.checks],
    }
    failed = [verdict for verdict in candidate.checks if not verdict.ok]
    detail = "; ".join(f"{v.check}: {v.detail}" for v in failed)
    return Rejected(candidate.name, "augment", fault.check, detail, dumps(record))


def _licence(model_id: str) -> str:
    """Return the licence of a model by the catalogue; empty for an unknown model."""
    try:
        return find_model(model_id).license
    except UserError:
        return ""
