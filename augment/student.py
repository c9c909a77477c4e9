"""Measure which questions the model to be trained gets wrong, so that these are taken first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress, silent
from kofinlaw.augment.assemble import item_fingerprint, item_id
from kofinlaw.augment.option_choice import Item
from kofinlaw.data.prompting.wording import AnswerForm, choice_candidates, choice_messages
from kofinlaw.decoding import load_json
from kofinlaw.files import JsonlAppender, sha256_text
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate

__all__ = ["BATCH", "OpenStudent", "WrongOption", "student_margins", "wrong_options"]

BATCH = 32
# Loads the model and its chat template when it is called.
OpenStudent = Callable[[], tuple[Engine, ChatTemplate]]


@dataclass(frozen=True)
class WrongOption:
    """The wrong option that the student prefers, and its margin (see `student_margins`)."""

    text: str
    margin: float


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

    Each line of `path` also has the best wrong option (`wrong_options` reads it). Margins in `path`
    are not computed again, so a killed run continues with the next batch. The
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
                for item, wrong in zip(missing, _ask(engine, template, missing, form), strict=True):
                    key = _key(item, form)
                    known[key] = wrong.margin
                    row = {"key": key, "id": item_id(item), "margin": wrong.margin}
                    appender.append({**row, "question": _question_key(item), "wrong": wrong.text})
    return {item_id(item): known[key] for item, key in zip(items, keys, strict=True)}


def wrong_options(items: Sequence[Item], path: Path) -> dict[str, WrongOption]:
    """Return the student's best wrong option of each item that `path` holds, by item id.

    An item is found in any order of its options. Raises nothing: a missing file gives no option.
    """
    known: dict[str, WrongOption] = {}
    for row in _rows(path):
        try:
            known[str(row["question"])] = WrongOption(str(row["wrong"]), _number(row["margin"]))
        except (ValueError, KeyError, TypeError):
            continue
    keys = {item_id(item): _question_key(item) for item in items}
    return {name: known[key] for name, key in keys.items() if key in known}


def _ask(
    engine: Engine, template: ChatTemplate, items: Sequence[Item], form: AnswerForm
) -> list[WrongOption]:
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
        best = max((i for i in range(len(values)) if i != item.answer), key=values.__getitem__)
        margin = round(values[item.answer] - values[best], 4)
        out.append(WrongOption(item.options[best], margin))
    return out


def _key(item: Item, form: AnswerForm) -> str:
    return sha256_text("\n".join([form, item.draft.stem, *item.options]))


def _question_key(item: Item) -> str:
    """Return a key that is the same for any order of the options."""
    return sha256_text(item_fingerprint(item))


def _read(path: Path) -> dict[str, float]:
    known: dict[str, float] = {}
    for row in _rows(path):
        try:
            known[str(row["key"])] = _number(row["margin"])
        except (ValueError, KeyError, TypeError):
            continue  # a damaged line: its item is asked again
    return known


def _rows(path: Path) -> Iterator[dict[str, object]]:
    """Yield the objects of a file, without cut or damaged lines."""
    if not path.exists():
        return
    with open(path, "rb") as handle:
        for line in handle:
            try:
                row = load_json(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def _number(value: object) -> float:
    """Return a JSON number. Raises TypeError for another type."""
    if not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
