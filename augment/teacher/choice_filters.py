"""Check a teacher's multiple-choice output: options kept, nothing given away, other words."""

from __future__ import annotations

from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.teacher.equivalence import equivalence
from kofinlaw.augment.teacher.support import (
    Verdict,
    figure_verdict,
    term_verdict,
    worst_verdicts,
)
from kofinlaw.augment.teacher.tasks import Written
from kofinlaw.data.solvers.look_up import shared_run

__all__ = ["LONGEST_RUN", "SHORT_OPTION", "choice_verdicts", "twin_verdicts"]

# Letters of an option that is a value (a figure, a party): it is copied, not rewritten.
SHORT_OPTION = 12
# Letters that a rewritten text may share in one run with the provision.
LONGEST_RUN = 12


def choice_verdicts(written: Written) -> list[Verdict]:
    """Return the verdicts on a multiple-choice output; none for another task."""
    if not written.task.choice:
        return []
    found = [_options_kept(written)]
    if found[0].ok:
        found += [_length_rank(written), _no_leak(written), *_cases(written), _reworded(written)]
    return found


def twin_verdicts(written: Written) -> list[Verdict]:
    """Return for each check of `equivalence` its worst verdict over all texts and paraphrases."""
    return worst_verdicts(
        verdict
        for original, text, question in written.twins
        for verdict in equivalence(original, text, question=question)
    )


def _options_kept(written: Written) -> Verdict:
    """Check that there are as many options, all different, and that values are unchanged."""
    before, after = written.source.options, written.options
    if len(before) != len(after):
        return Verdict("options_kept", False, f"{len(after)} options instead of {len(before)}")
    keys = [normalize(text) for text in after]
    if len(set(keys)) < len(keys) or not all(keys):
        return Verdict("options_kept", False, "two options are equal, or one is empty")
    changed = [
        text
        for old, text in zip(before, after, strict=True)
        if len(normalize(old)) <= SHORT_OPTION and normalize(old) != normalize(text)
    ]
    return Verdict("options_kept", not changed, " ".join(changed))


def _length_rank(written: Written) -> Verdict:
    """Check that the right option is the only longest one exactly if it was before."""
    right = written.source.right
    before, after = (
        all(len(text) < len(options[right]) for n, text in enumerate(options) if n != right)
        for options in (written.source.options, written.options)
    )
    return Verdict("length_rank", before == after, "" if before == after else "the right option")


def _no_leak(written: Written) -> Verdict:
    """Check that question, story and cases do not hold the answer; a story, none of the options."""
    text = " ".join(written.texts("question", "story", "case"))
    flat = normalize(text)
    source = written.source
    values = [source.answer, written.right]
    if source.second is not None:
        values = [source.answer, source.second.answer]
    elif written.texts("story"):
        values = list(source.options)
    shown = [value for value in values if len(normalize(value)) > 1 and normalize(value) in flat]
    held = {(f.dimension, round(f.value, 6)) for value in values for f in find_figures(value)}
    shown += [f.text for f in find_figures(text) if (f.dimension, round(f.value, 6)) in held]
    return Verdict("no_leak", not shown, " ".join(shown))


def _cases(written: Written) -> list[Verdict]:
    """Check that each case of a comparison has the words and figures of its own provision."""
    second = written.source.second
    if second is None:
        return []
    return worst_verdicts(
        Verdict(f"case_{verdict.check}", verdict.ok, verdict.detail)
        for case, source in zip(written.texts("case"), (written.source, second), strict=True)
        for verdict in (term_verdict(case, source.passage), figure_verdict(case, source.passage))
    )


def _reworded(written: Written) -> Verdict:
    """Check that a story does not copy the provision, and that a paraphrase copies less of it."""
    source = written.source
    passage = normalize(source.passage)
    story = " ".join(written.texts("story"))
    pairs = [(passage, f"{story} {written.texts('question')[0]}")] if story else []
    if written.texts("options"):
        pairs = [
            (source.question, written.texts("question")[0]),
            *zip(source.options, written.options, strict=True),
        ]
    copied = []
    for original, text in pairs:
        before, after = (len(shared_run(normalize(value), passage)) for value in (original, text))
        if after > LONGEST_RUN and (story or after >= before):
            copied.append(f"{after} letters: {text[:40]}")
    return Verdict("reworded", not copied, "; ".join(copied))
