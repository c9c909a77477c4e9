"""Hold the examples and verdicts of one reader: what comes next, what was said, what differs."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import cast

from kofinlaw import UserError
from kofinlaw.augment.review.applying import made_examples
from kofinlaw.augment.review.corrections import (
    CorrectionError,
    corrected,
    earlier_turns,
    example_parts,
)
from kofinlaw.augment.review.outcomes import (
    Read,
    changes_of,
    current_verdicts,
    last_verdict,
    settled,
)
from kofinlaw.augment.review.review_card import ReviewRecord, review_record
from kofinlaw.augment.review.sample import Sample, reading_order
from kofinlaw.augment.review.verdict_file import VERDICT_FILE, VerdictFile
from kofinlaw.augment.review.verdicts import (
    Correction,
    Judgement,
    Verdict,
    check_reader,
    read_correction,
)
from kofinlaw.recipes.pipeline.integrity.checks import require_stages
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.review.refusal import RefusedError
from kofinlaw.recipes.review.sources import Sources, read_sources
from kofinlaw.records import Example

__all__ = ["MOST_REASON", "Session", "open_session"]

MOST_REASON = 2000  # characters of a reason that is written on the page


@dataclass
class Session:
    """The examples of a run as they were made, and the verdicts of all readers.

    `reader` is the one who sits at the page. `sample` is the order of reading. All methods raise
    UserError for a broken file of verdicts.
    """

    folder: Path
    reader: str
    seed: int
    sample: Sample
    sources: Sources
    file: VerdictFile
    examples: dict[str, Example] = field(default_factory=dict)
    _record: tuple[list[Verdict], ReviewRecord] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for found in self.sample.kinds.values():
            self.examples.update((example.id, example) for example in found)

    def verdicts(self) -> list[Verdict]:
        """Return the verdicts of all readers until now."""
        with self._lock:
            return self.file.read()

    def record(self) -> ReviewRecord:
        """Return the figures of the review; they are computed once for each new verdict."""
        verdicts = self.verdicts()
        if self._record is None or self._record[0] != verdicts:
            self._record = (verdicts, review_record(self.sample, verdicts))
        return self._record[1]

    def next_example(self, kind: str = "") -> Example | None:
        """Return what the reader reads next in a kind, or in the first kind that is not finished.

        None if nothing is left: the rate is decided, and the reader has read what others have.
        """
        read, record = current_verdicts(self.verdicts()), self.record()
        for name in [kind] if kind in self.sample.kinds else list(self.sample.kinds):
            open_kind = kind == name or record["kinds"][name]["verdict"] == "open"
            for example in self.sample.kinds[name]:
                by_reader = read.get(self.sample.text(example), {})
                if self.reader not in by_reader and (open_kind or by_reader):
                    return example
        return None

    def own_counts(self) -> dict[str, int]:
        """Return for each kind how many examples the reader has read."""
        read = current_verdicts(self.verdicts())
        return {
            kind: sum(self.reader in read.get(self.sample.text(e), {}) for e in found)
            for kind, found in self.sample.kinds.items()
        }

    def judge(self, given: dict[str, object]) -> Verdict:
        """Write what the reader says about an example, and return it.

        Raises UserError for another example than the page's, or a correction that is not possible.
        """
        example = self._example(given)
        judgement = given.get("verdict")
        if judgement not in ("right", "wrong", "unclear"):
            raise UserError("the verdict is one of right, wrong, unclear", where="verdict")
        reason, settles = given.get("reason", ""), given.get("settles", False)
        if not isinstance(reason, str) or len(reason) > MOST_REASON:
            message = f"the reason is a text of at most {MOST_REASON:,} characters"
            raise RefusedError("long_reason", message, where="reason", values={"n": MOST_REASON})
        if not isinstance(settles, bool):
            raise UserError("`settles` is neither true nor false", where="settles")
        correction = self.checked_correction(example, given.get("correction"), judgement)
        if settles and example.id not in self.differences():
            message = "the readers of this example do not differ"
            raise RefusedError("no_difference", message, where="settles")
        verdict = Verdict(
            *self.sample.text(example),
            self.reader,
            cast("Judgement", judgement),
            reason.strip(),
            correction,
            settles,
            date.today().isoformat(),
        )
        with self._lock:
            self.file.append([verdict])
        return verdict

    def checked_correction(
        self, example: Example, given: object, judgement: object
    ) -> Correction | None:
        """Return the correction of an example; None for none. Raises UserError if it is wrong."""
        if given is None:
            return None
        if judgement != "wrong":
            raise UserError("only a wrong example is corrected", where="correction")
        try:
            correction = read_correction(given)
            corrected(example, correction, "")
        except CorrectionError as error:
            raise RefusedError(
                error.code, str(error), where="correction", values=error.values
            ) from error
        except ValueError as error:
            raise UserError(str(error), where="correction") from error
        return correction

    def sha256(self, name: str) -> str:
        """Return the SHA-256 of the text of an example."""
        return self.sample.sha256[name]

    def take(self, verdicts: list[Verdict]) -> None:
        """Write verdicts that were given elsewhere. Raises UserError if the disk is full."""
        with self._lock:
            self.file.append(verdicts)

    def undo(self) -> Example | None:
        """Take back the reader's last verdict on an example of this run; return the example.

        None if there is none.
        """
        here = [one for one in self.verdicts() if self.sample.sha256.get(one.id) == one.sha256]
        last = last_verdict(here, self.reader)
        if last is None:
            return None
        back = replace(
            last,
            verdict="withdrawn",
            reason="",
            correction=None,
            day=date.today().isoformat(),
        )
        with self._lock:
            self.file.append([back])
        return self.examples[last.id]

    def differences(self) -> dict[str, list[Verdict]]:
        """Return the readers' verdicts on examples that have to be settled, by id.

        Only those that the reader has read: nobody sees a verdict before giving one.
        """
        out = {}
        for (name, _), by_reader in self._here().items():
            if self.reader in by_reader and settled(by_reader) is None:
                out[name] = list(by_reader.values())
        return out

    def changes(self) -> dict[str, object]:
        """Return how many examples the next stage leaves out and corrects; empty for none.

        Verdicts on other texts count too: the stage does not know yet what it will make.
        """
        changes = changes_of(current_verdicts(self.verdicts()))
        return changes.to_settings() if changes else {}

    def pending(self) -> bool:
        """Return whether the stage `augment` has to run again for the changes to take effect."""
        applied = read_record(self.folder / "augment").get("settings", {}).get("review", {})
        return self.changes() != applied

    def shown(self, example: Example) -> dict[str, object]:
        """Return what the page shows of an example."""
        parts = example_parts(example)
        own = self._here().get(self.sample.text(example), {}).get(self.reader)
        return {
            "id": example.id,
            "sha256": self.sample.sha256[example.id],
            "kind": example.task,
            "form": parts.form,
            **parts.fields,
            "evidence": [asdict(one) for one in self.sources.shown(example, parts.evidence)],
            "articles": [asdict(one) for one in self.sources.articles(example)],
            "earlier": earlier_turns(example),
            "own": None if own is None else asdict(own),
        }

    def _here(self) -> Read:
        known = self.sample.sha256
        read = current_verdicts(self.verdicts())
        return {text: found for text, found in read.items() if known.get(text[0]) == text[1]}

    def _example(self, given: dict[str, object]) -> Example:
        name, sha256 = given.get("id"), given.get("sha256")
        example = self.examples.get(name) if isinstance(name, str) else None
        if example is None:
            raise UserError("this run has no such example", where="id")
        if sha256 != self.sample.sha256[example.id]:
            raise RefusedError(
                "other_text",
                "the example has another text than the page shows",
                where="sha256",
                remedy="load the page again",
            )
        return example


def open_session(run: Run, reader: str, *, trust: bool = False, read: bool = True) -> Session:
    """Open the review of a run.

    Args:
        run: The run; its stage `augment` must be finished.
        reader: The name of the reader.
        trust: Do not check that the files of the stage are unchanged.
        read: Whether the articles are needed.

    Raises UserError if the run has no generated examples, for a changed or broken file, and for an
    unusable name.
    """
    try:
        name = check_reader(reader)
    except ValueError as error:
        raise UserError(str(error), where="--reader") from error
    if run.recipe.examples is not None:
        raise UserError(
            "the examples of this run are a file of your own, not made by kofinlaw",
            where="examples",
            remedy="review a run that generates its examples (the section `augment`)",
        )
    examples = made_examples(_finished(run.folder, trust=trust))
    sources = read_sources(run.folder, examples) if read else Sources()
    file = VerdictFile(run.folder / VERDICT_FILE)
    sample = reading_order(examples, run.recipe.seed)
    session = Session(run.folder, name, run.recipe.seed, sample, sources, file)
    session.verdicts()  # a broken line is an error at the start
    return session


def _finished(folder: Path, *, trust: bool) -> Path:
    if not (folder / "augment" / "examples.jsonl").is_file():
        from kofinlaw.commands import stage_command

        raise UserError(
            "this run has no examples yet",
            where=str(folder),
            remedy=f"make them with `{stage_command('augment', folder)}`",
        )
    require_stages(folder, ["augment"], trust=trust)
    return folder / "augment"
