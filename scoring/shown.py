"""Find out which passages and which of their texts were in the prompt after packing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.records import Chunk
from kofinlaw.trace_files import TRACE_FILE, read_traces

__all__ = [
    "first_plans",
    "first_prompts",
    "first_reasons",
    "first_shown",
    "header",
    "shown_passages",
    "shown_texts",
]


def shown_passages(
    folder: Path, evidence: Mapping[str, Sequence[str]], passages: Mapping[str, Chunk]
) -> dict[str, tuple[str, ...]]:
    """Return the ids of the passages in each question's first prompt.

    If `plan.jsonl` records that all retrieved passages were shown, these are returned. If packing
    left some out, the recorded texts decide, or else the traced prompt: a passage was shown if its
    header is in them. Questions for which neither is known are left out.

    Args:
        folder: the answer folder, with `plan.jsonl` and perhaps `traces.jsonl`.
        evidence: ids of the retrieved passages by question id, best first.
        passages: all passages by id.
    """
    counts = first_shown(folder / "plan.jsonl")
    texts = shown_texts(folder)
    prompts: dict[str, str] | None = None
    out: dict[str, tuple[str, ...]] = {}
    for question_id, ids in evidence.items():
        if question_id not in counts:
            continue
        count = counts[question_id]
        if count >= len(ids) or count == 0:
            out[question_id] = tuple(ids) if count else ()
            continue
        if texts.get(question_id):
            prompt: str | None = "\n".join(texts[question_id])
        else:
            if prompts is None:
                prompts = first_prompts(folder / TRACE_FILE)
            prompt = prompts.get(question_id)
        heads = {name: header(passages[name]) for name in ids if name in passages}
        found = tuple(name for name in ids if prompt and heads.get(name) and heads[name] in prompt)
        if len(found) >= count:
            out[question_id] = found
    return out


def shown_texts(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the packed texts in each question's first prompt, as `plan.jsonl` records them.

    A prompt without evidence gives no texts. Questions whose texts are not recorded are left out:
    those of folders that an older version wrote, and those for which no turn succeeded.
    """
    out: dict[str, tuple[str, ...]] = {}
    for row in _turns(folder / "plan.jsonl"):
        name, texts, shown = str(row.get("id")), row.get("texts"), row.get("shown")
        if name in out or row.get("failed") or not isinstance(texts, list):
            continue
        if len(texts) == shown:
            out[name] = tuple(str(text) for text in texts)
    return out


def first_plans(folder: Path) -> dict[str, str]:
    """Return the plan of each question's first turn that succeeded; empty without `plan.jsonl`.

    Later turns are taken under the full plan only, so this is the cheapest plan of an answer.
    """
    out: dict[str, str] = {}
    for row in _turns(folder / "plan.jsonl"):
        plan = row.get("plan")
        if isinstance(plan, str) and plan and not row.get("failed"):
            out.setdefault(str(row.get("id")), plan)
    return out


def first_reasons(folder: Path) -> dict[str, str]:
    """Return what the model wrote before the choice in each question's first turn, if anything."""
    out: dict[str, str] = {}
    for row in _turns(folder / "plan.jsonl"):
        reason = row.get("reasoning")
        if row.get("turn") == 0 and isinstance(reason, str) and reason:
            out.setdefault(str(row.get("id")), reason)
    return out


def header(passage: Chunk) -> str:
    """Return a passage's first line, which packing keeps even if it cuts the rest."""
    return next((line.strip() for line in passage.text.split("\n") if line.strip()), "")


def first_shown(path: Path) -> dict[str, int]:
    """Return how many passages each question's first prompt held; empty without the file."""
    out: dict[str, int] = {}
    for row in _turns(path):
        if row.get("turn") == 0 and isinstance(row.get("shown"), int):
            out.setdefault(str(row.get("id")), row["shown"])
    return out


def first_prompts(path: Path) -> dict[str, str]:
    """Return the first traced prompt of each question; empty without traces."""
    out: dict[str, str] = {}
    for _, span in read_traces(path):
        for item in span.get("items") or ():
            if isinstance(item, dict) and isinstance(item.get("prompt"), str):
                out.setdefault(str(item.get("id")), item["prompt"])
    return out


def _turns(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of `plan.jsonl`; none without the file, and none after an unreadable row."""
    try:
        for _, row in read_json_lines(path):
            yield row
    except (UserError, OSError):
        return
