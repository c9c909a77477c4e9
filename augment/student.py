"""Measure which questions the model to be trained gets wrong, so that these are taken first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from kofinlaw import Progress, silent
from kofinlaw.augment.assemble import item_id
from kofinlaw.augment.option_choice import Item
from kofinlaw.data.prompting.wording import AnswerForm, choice_candidates, choice_messages
from kofinlaw.files import JsonlAppender, sha256_text
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate

__all__ = ["BATCH", "OpenStudent", "student_margins"]

BATCH = 32
# Loads the model and its chat template when it is called.
OpenStudent = Callable[[], tuple[Engine, ChatTemplate]]


def student_margins(
    items: Sequence[Item],
    student: OpenStudent,
    path: Path,
    *,
    form: AnswerForm,
    progress: Progress = silent,
) -> dict[str, float]:
    """Return the student's margin on each item, by item id. It is asked without evidence.

    The margin is the log probability of the right option less that of the best wrong one: in nats
    for a token (form `text`) or for a label. Below 0 the student is wrong.

    Margins in `path` are not computed again, so a killed run continues with the next batch. The
    student is loaded only if an item is left.
    """
    known = _read(path)
    keys = [_key(item, form) for item in items]
    if any(key not in known for key in keys):
        engine, template = student()
        with engine, JsonlAppender(path) as appender:
            for start in range(0, len(items), BATCH):
                progress("augment: ask the student", start, len(items))
                group = items[start : start + BATCH]
                missing = [
                    item
                    for item, key in zip(group, keys[start : start + BATCH], strict=True)
                    if key not in known
                ]
                for item, margin in zip(
                    missing, _ask(engine, template, missing, form), strict=True
                ):
                    key = _key(item, form)
                    known[key] = margin
                    appender.append({"key": key, "id": item_id(item), "margin": margin})
    return {item_id(item): known[key] for item, key in zip(items, keys, strict=True)}


def _ask(
    engine: Engine, template: ChatTemplate, items: Sequence[Item], form: AnswerForm
) -> list[float]:
    if not items:
        return []
    prompts = [
        template.render(
            choice_messages(item.draft.stem, item.options, (), form), add_generation_prompt=True
        )
        for item in items
    ]
    rows = engine.score(prompts, [choice_candidates(item.options, form) for item in items])
    out = []
    for item, row in zip(items, rows, strict=True):
        values = [s.logprob / max(s.tokens, 1) if form == "text" else s.logprob for s in row]
        best_wrong = max(value for index, value in enumerate(values) if index != item.answer)
        out.append(round(values[item.answer] - best_wrong, 4))
    return out


def _key(item: Item, form: AnswerForm) -> str:
    return sha256_text("\n".join([form, item.draft.stem, *item.options]))


def _read(path: Path) -> dict[str, float]:
    known: dict[str, float] = {}
    if path.exists():
        with open(path, "rb") as handle:
            for line in handle:
                try:
                    row = json.loads(line)
                    known[str(row["key"])] = float(row["margin"])
                except (ValueError, KeyError, TypeError):
                    continue  # a cut or damaged line: its item is asked again
    return known
